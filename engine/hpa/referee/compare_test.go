package referee_test

import (
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
)

// TestCompareRivals: which rivals a message names makes no difference, nor does their
// order; their number does.
func TestCompareRivals(t *testing.T) {
	for _, c := range []struct {
		ours, upstream string
		differ         bool
	}{
		{"[ns/a ns/b]", "[ns/b ns/a]", false},
		{"[ns/a ns/b]", "[ns/c ns/a]", false},
		{"[ns/a ns/b ns/c]", "[ns/c ns/a]", true},
		{"[ns/a]", "[ns/c ns/a]", true},
	} {
		outcome := func(list string) referee.Outcome {
			return referee.Outcome{
				Events: []hpa.Event{{Reason: "AmbiguousSelector", Message: "more than one HPA (e.g. " + list + ")"}},
				Status: &autoscalingv2.HorizontalPodAutoscalerStatus{},
			}
		}
		got := referee.Compare(hpa.Input{}, outcome(c.ours), outcome(c.upstream), true)
		if (len(got) > 0) != c.differ {
			t.Errorf("%s and %s: %v", c.ours, c.upstream, got)
		}
	}
}
