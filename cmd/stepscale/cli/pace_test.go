package cli

import (
	"context"
	"testing"
	"time"

	"github.com/stepscale/stepscale/scenarios"
)

func TestUntilMeasured(t *testing.T) {
	s, err := scenarios.Parse("scenario.yaml", []byte(`{title: x, hpa: web, target: web, load: {segments: [
		{at: 0s, step: 100m}, {at: 1m, step: 190m}, {at: 4m, step: 90m}, {at: 10m, ramp: 900m, for: 1h}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		looked, ended, pause time.Duration
		changes              bool
	}{
		{0, 0, 15 * time.Second, false},
		{40 * time.Second, 42 * time.Second, 13 * time.Second, false},   // looks at 55s
		{46 * time.Second, 48 * time.Second, 58 * time.Second, true},    // would look at 61s
		{57 * time.Second, 61 * time.Second, 46 * time.Second, true},    // the load changed during the pass
		{57 * time.Second, 3 * time.Minute, 0, true},                    // the learner took a break
		{106 * time.Second, 108 * time.Second, 13 * time.Second, false}, // it is measured
		{20 * time.Minute, 21 * time.Minute, 0, true},                   // it changes all the time
	} {
		due := max(0, c.looked+15*time.Second-c.ended)
		for _, watched := range []bool{false, true} {
			var waited time.Duration
			st := &clusterStage{conn: &connection{}, scenario: s, begun: time.Now().Add(-c.ended), looked: c.looked, watched: watched}
			st.pause = func(_ context.Context, d time.Duration) error { waited = d; return nil }
			if got := st.LoadChanged(); got != c.changes {
				t.Errorf("%s, %s: the load changes: %t", c.looked, c.ended, got)
			}
			if err := st.untilMeasured(t.Context(), due); err != nil {
				t.Fatal(err)
			}
			want := c.pause
			if watched {
				want = due
			}
			if waited != want {
				t.Errorf("%s, %s: waited %s, want %s", c.looked, c.ended, waited, want)
			}
			if st.looked < c.ended || st.looked > c.ended+time.Second {
				t.Errorf("%s: looked at %s", c.ended, st.looked)
			}
		}
	}
}
