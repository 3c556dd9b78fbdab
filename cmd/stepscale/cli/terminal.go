package cli

import (
	"context"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// countdown waits in real time, and shows on a terminal how long it still takes.
func (a *app) countdown(ctx context.Context, d time.Duration) error {
	screen := view.New(a.errOut)
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

// busy shows on a terminal what is being done.
func (a *app) busy(what string) (done func()) {
	screen := view.New(a.errOut)
	screen.Busy(what)
	return screen.Erase
}
