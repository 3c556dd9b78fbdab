package embedded_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/clustertest"
	"github.com/stepscale/stepscale/clusters/embedded"
)

// TestContract runs on a second cluster: the first one belongs to the other tests.
func TestContract(t *testing.T) {
	dir, err := os.MkdirTemp("", "contract") // short: unix sockets live below it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &clustertest.Subject{
		New:       func() clusters.Provider { return embedded.New(embedded.Options{Dir: dir}) },
		Interrupt: 300 * time.Millisecond, PodsReady: time.Minute, Image: "app",
		Leftovers: func() (names []string, err error) {
			entries, err := os.ReadDir(dir)
			for _, e := range entries {
				names = append(names, e.Name())
			}
			return names, err
		},
	}
	for _, c := range clustertest.Checks() {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Do(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestInterruptedInEveryPhase cancels a start when each of its phases begins. With the
// race detector it tells whether a phase still writes when the cluster is taken down.
func TestInterruptedInEveryPhase(t *testing.T) {
	dir, err := os.MkdirTemp("", "cut")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, in := range []string{"etcd", "kube-apiserver", "controllers", "scheduler", "kubelets", "metrics-server"} {
		t.Run(in, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			c := embedded.New(embedded.Options{Dir: dir, Progress: func(phase string, took time.Duration) {
				if phase == in && took == 0 {
					cancel()
				}
			}})
			if _, err := c.Up(ctx); !errors.Is(err, context.Canceled) { // on a busy machine something may be late as well
				t.Error(err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%v, left behind: %v", err, left)
			}
		})
	}
}
