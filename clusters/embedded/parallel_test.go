package embedded

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// TestNoPhaseOutlivesAStart: phases write the cluster's fields, which Down reads next.
func TestNoPhaseOutlivesAStart(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		interrupt bool
		fails     error
		want      error
	}{
		"Ctrl-C":  {interrupt: true, want: context.Canceled},
		"failure": {fails: broken, want: broken},
		"success": {},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		actors, stopActors := context.WithCancel(t.Context())
		var writing atomic.Int32
		phase := func(end error, atOnce bool) func(context.Context) error {
			return func(ctx context.Context) error {
				writing.Add(1)
				defer writing.Add(-1)
				if !atOnce {
					<-ctx.Done()
					time.Sleep(20 * time.Millisecond) // it still has something to write
				}
				return end
			}
		}
		if c.interrupt {
			cancel()
		}
		cluster := &Cluster{stopActors: stopActors}
		err := cluster.parallel(ctx, actors, map[string]func(context.Context) error{
			"quick": phase(c.fails, true), "slow": phase(nil, c.want == nil),
		})
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if n := writing.Load(); n != 0 {
			t.Errorf("%s: %d phases still write", name, n)
		}
		cancel()
		stopActors()
	}
}
