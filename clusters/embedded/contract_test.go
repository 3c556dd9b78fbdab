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

// TestInterruptedAtAnyTime cancels a start in every phase of it.
func TestInterruptedAtAnyTime(t *testing.T) {
	dir, err := os.MkdirTemp("", "cut")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for after := 100 * time.Millisecond; after < 2500*time.Millisecond; after += 400 * time.Millisecond {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		c := embedded.New(embedded.Options{Dir: dir})
		_, err := c.Up(ctx)
		cancel()
		if err == nil {
			err = c.Down(t.Context()) // a fast machine
		} else if errors.Is(err, context.DeadlineExceeded) {
			err = nil
		}
		entries, dirErr := os.ReadDir(dir)
		if err := errors.Join(err, dirErr); err != nil || len(entries) > 0 {
			t.Errorf("interrupted after %s: %v, left behind: %v", after, err, entries)
		}
	}
}
