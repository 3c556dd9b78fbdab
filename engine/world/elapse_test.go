package world

import (
	"context"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// moved is a simulation that moves a clock.
type moved struct{ *clocktesting.FakePassiveClock }

func (m moved) Advance(_ context.Context, d time.Duration) error {
	m.SetTime(m.Now().Add(d))
	return nil
}

func (moved) Scrape(context.Context) error { return nil }

// TestTurnsAPeriodApart: where other loops let time pass between two turns, it is part of
// the period; elsewhere a turn always takes a whole one. What took longer is not made up.
func TestTurnsAPeriodApart(t *testing.T) {
	for _, steady := range []bool{false, true} {
		begin := time.Unix(0, 0)
		sim := moved{clocktesting.NewFakePassiveClock(begin)}
		w := World{Simulation: sim, Clock: sim, Steady: steady}
		for i, c := range []struct {
			between          time.Duration
			plain, steadyNow time.Duration // since the beginning
		}{{0, 15, 15}, {4, 34, 30}, {21, 70, 51}, {0, 85, 66}} {
			if err := sim.Advance(t.Context(), c.between*time.Second); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Tick(t.Context(), 15*time.Second); err != nil {
				t.Fatal(err)
			}
			want := c.plain
			if steady {
				want = c.steadyNow
			}
			if got := sim.Now().Sub(begin); got != want*time.Second {
				t.Errorf("steady %t: turn %d at %s, want %s", steady, i+1, got, want*time.Second)
			}
		}
	}
}
