package karpenter

import (
	"time"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
)

// stepClock is the loop's clock for upstream's controllers. Steps alone let time pass, so
// nobody waits in it: Sleep, with which upstream gives its own cache time to follow, takes
// none, and what would ring never does.
type stepClock struct{ clock.PassiveClock }

var _ clock.Clock = stepClock{}

func (c stepClock) Sleep(time.Duration)                    {}
func (c stepClock) After(d time.Duration) <-chan time.Time { return c.NewTimer(d).C() }
func (c stepClock) Tick(d time.Duration) <-chan time.Time  { return c.NewTimer(d).C() }

// NewTimer is for the batcher, which is built and never asked.
func (c stepClock) NewTimer(d time.Duration) clock.Timer {
	return clocktesting.NewFakeClock(c.Now()).NewTimer(d)
}
