package cli

import (
	"context"
	"time"

	"github.com/stepscale/stepscale/engine/hpa"
)

// settling is how long a load may be offered before it is measured in full: the
// kubelet looks every 15 seconds and the Metrics Server asks it as often, and a rate
// takes two of its looks.
const settling = 45 * time.Second

// untilMeasured lets d pass before a look, and more when the load has just changed: in
// half of it the HPA would find half a reason, and the lesson asks about the whole.
func (s *clusterStage) untilMeasured(ctx context.Context, d time.Duration) error {
	more := unmeasured(s.scenario.Offered, s.elapsed()+d)
	if s.watched { // the cluster's own controller does not wait either
		more = 0
	}
	err := s.pause(ctx, d+more)
	s.looked = s.elapsed()
	return err
}

// unmeasured is how long it takes from at on until the load that is offered then is
// measured, if it stays the same until then.
func unmeasured(offered func(time.Duration) int64, at time.Duration) time.Duration {
	for since := time.Duration(0); since < settling; since += loadStep {
		if offered(at-since-loadStep) == offered(at) {
			continue
		}
		left := settling - since
		if offered(at+left) != offered(at) { // it goes on changing, and nothing is to be waited for
			return 0
		}
		return left
	}
	return 0
}

// willChange tells whether the next look, due a period after the last one, meets
// another load.
func (s *clusterStage) willChange() bool {
	next := max(s.elapsed(), s.looked+hpa.DefaultParams().SyncPeriod)
	return s.scenario.Offered(s.looked) != s.scenario.Offered(next)
}

// elapsed is how long the load has been offered.
func (s *clusterStage) elapsed() time.Duration { return s.conn.clock().Since(s.begun) }
