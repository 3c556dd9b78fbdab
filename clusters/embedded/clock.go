package embedded

import (
	"sync"
	"time"
)

// virtualClock moves only when it is told to. It starts at wall time cut to
// the second, because a pod's status keeps whole seconds, and because parts of
// the VPA's recommender compare with the wall clock.
// It satisfies k8s.io/utils/clock.PassiveClock.
type virtualClock struct {
	mu  sync.Mutex
	now time.Time
}

func newVirtualClock() *virtualClock {
	return &virtualClock{now: time.Now().UTC().Truncate(time.Second)}
}

func (c *virtualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *virtualClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

func (c *virtualClock) advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}
