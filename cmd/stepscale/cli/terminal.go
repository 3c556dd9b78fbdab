package cli

import (
	"context"
	"io"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// terminal shows on a terminal what takes real time.
type terminal struct{ errOut io.Writer }

// Pause waits in real time, and shows how long it still takes.
func (t terminal) Pause(ctx context.Context, d time.Duration) error {
	screen := view.New(t.errOut)
	defer screen.Erase()
	screen.Waiting(d)
	until := time.Now().Add(d)
	for {
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		screen.Remaining(left)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(left, time.Second)):
		}
	}
}

// Busy shows what is being done.
func (t terminal) Busy(what string) (done func()) {
	screen := view.New(t.errOut)
	screen.Busy(what)
	screen.Doing(what)
	return screen.Erase
}
