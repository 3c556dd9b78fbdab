package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/clustertest"
	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/clusters/kind"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
)

// e2eClusters are those that doctor --e2e can make.
var e2eClusters = []string{"embedded", "kind"}

// e2eName keeps the check's cluster apart from one that the user has.
const e2eName = "stepscale-e2e"

var e2eLabels = map[string]string{
	"interrupted start leaves nothing": "도중에 중단하면 아무것도 남지 않습니다",
	"up":                               "클러스터를 만듭니다",
	"up again finds it":                "다시 켜면 있는 것을 찾습니다",
	"info is true":                     "버전과 kubeconfig가 맞습니다",
	"a lesson's objects are applied and removed": "수업의 오브젝트를 만들고 지웁니다",
	"the gate holds writes, where there is one":  "게이트가 있으면 쓰기를 붙잡아 둡니다",
	"down":                   "클러스터를 지웁니다",
	"down again is no error": "다시 지워도 괜찮습니다",
	"nothing is left":        "남은 것이 없습니다",
}

// endToEnd runs the contract of every provider on a cluster that it makes.
func (d deps) endToEnd(ctx context.Context, name string) ([]finding, error) {
	dir, err := d.state.Path()
	if err != nil {
		return nil, err
	}
	phases := &startup{screen: view.New(d.errOut)}
	s, err := providerCheckOf(name, filepath.Join(dir, e2eName), phases)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(filepath.Join(dir, e2eName))
	if _, err := s.Leftovers(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, problem.OfCluster(err) // there is nothing to make a cluster with
	}
	d.divert(dir)
	var found []finding
	for _, c := range clustertest.Checks() { // all of them, also after Ctrl-C: the last ones take everything down
		begin := time.Now()
		err := c.Do(ctx, s.Subject)
		found = append(found, e2eFinding(e2eLabels[c.Name], time.Since(begin), err))
		if c.Name == "up" && err == nil && s.whileUp != nil {
			found = append(found, s.whileUp(ctx))
		}
	}
	return found, ctx.Err()
}

func e2eFinding(name string, took time.Duration, err error) finding {
	f := finding{Name: name, Status: statusOK, Detail: fmt.Sprintf("%.1f초", took.Seconds())}
	if err == nil {
		return f
	}
	f.Status, f.Detail = statusFail, err.Error()
	var u *problem.Error
	switch {
	case errors.Is(err, clustertest.ErrNotUp):
		f.Status, f.Detail = statusWarn, "클러스터가 없어 확인하지 못했습니다"
	case errors.As(problem.OfCluster(err), &u):
		f.Detail, f.Hint = u.What, u.Hint
		if u.Cause != nil {
			f.Detail += ": " + u.Cause.Error()
		}
	}
	return f
}

// providerCheck is what doctor --e2e checks of a provider.
type providerCheck struct {
	*clustertest.Subject
	whileUp func(context.Context) finding // what no other provider has; may be nil
}

func providerCheckOf(name, dir string, phases lab.Phases) (*providerCheck, error) {
	switch name {
	case "embedded":
		return &providerCheck{Subject: &clustertest.Subject{
			New:       func() clusters.Provider { return embedded.New(embedded.Options{Dir: dir, Progress: phases.Phase}) },
			Interrupt: 300 * time.Millisecond, PodsReady: time.Minute, Image: "app",
			Leftovers: func() (left []string, err error) {
				entries, err := os.ReadDir(dir)
				for _, e := range entries {
					left = append(left, e.Name())
				}
				return left, err
			},
		}}, nil
	case "kind":
		options := kind.Options{Name: e2eName, Dir: dir, Progress: inKorean(phases)}
		cluster := kind.New(options)
		return &providerCheck{
			Subject: &clustertest.Subject{
				New:       func() clusters.Provider { return kind.New(options) },
				Interrupt: 3 * time.Second, PodsReady: 2 * time.Minute, Leftovers: cluster.Left,
			},
			whileUp: func(ctx context.Context) finding { return reachFinding(ctx, cluster) },
		}, nil
	}
	return nil, problem.Usage("모르는 클러스터입니다: "+name, "--e2e에는 "+korean.Object(strings.Join(e2eClusters, " 또는 "))+" 적어 주십시오.")
}

// reachFinding tells whether the API server of a kind cluster can call a webhook in
// this process. Where it cannot, nothing is lost: the API server changes the pods
// by itself.
func reachFinding(ctx context.Context, cluster *kind.Cluster) finding {
	begin := time.Now()
	err := reached(ctx, cluster)
	f := e2eFinding("노드가 이 컴퓨터에 닿습니다", time.Since(begin), err)
	if err != nil {
		f.Status, f.Hint = statusWarn, cmp.Or(f.Hint, problem.KindHint(kind.Unreachable))
	}
	return f
}

func reached(ctx context.Context, cluster *kind.Cluster) error {
	l, ip, err := cluster.Listen(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	go func() { _ = http.Serve(l, http.NotFoundHandler()) }() // until it is closed
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	return cluster.Reach(ctx, "http://"+net.JoinHostPort(ip.String(), port))
}
