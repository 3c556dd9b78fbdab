package main

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/scenarios"
)

// somebodys is the cluster that flowing has started.
var somebodys atomic.Pointer[embedded.Cluster]

// flowing starts a cluster that is somebody else's to the program: its time goes by on its
// own. KUBECONFIG leads to it, until the script ends.
func flowing(ts *testscript.TestScript, _ bool, _ []string) {
	dir, err := os.MkdirTemp("", "flow") // short: unix sockets live below it
	ts.Check(err)
	c := embedded.New(embedded.Options{Dir: dir})
	_, err = c.Up(context.Background())
	ts.Check(err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_ = errors.Join(c.Advance(ctx, 15*time.Second), c.Scrape(ctx))
			time.Sleep(120 * time.Millisecond)
		}
	}()
	ts.Defer(func() {
		stop()
		<-ended
		ts.Check(errors.Join(c.Down(context.Background()), os.RemoveAll(dir)))
	})
	somebodys.Store(c)
	ts.Setenv("KUBECONFIG", c.Info().Kubeconfig)
}

// burns lets the pods of a namespace use CPU, as the workload's image would.
func burns(ts *testscript.TestScript, _ bool, args []string) {
	s, err := scenarios.Parse("scenario.yaml", []byte("title: x\nhpa: web\ntarget: web\nload: {segments: [{at: 0s, step: 190m}]}\n"))
	ts.Check(err)
	ts.Check(somebodys.Load().SetLoad(context.Background(), args[0], lab.NewLoad(s)))
}
