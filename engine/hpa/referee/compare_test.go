package referee_test

import (
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/controller/util/selectors"

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

// TestReplayRivalsAtZero: rivals are found while a target that was scaled to zero still
// has a pod that ends.
func TestReplayRivalsAtZero(t *testing.T) {
	decisions := record([]int64{100}, func(_ int, d *referee.Decision) {
		d.Input.SpecReplicas = 0
		d.Input.HPA.Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{{Type: autoscalingv2.ScaledToZero, Status: corev1.ConditionTrue}}
		d.Input.Rivals = []selectors.Key{{Name: "other", Namespace: "ns"}, {Name: "third", Namespace: "ns"}, {Name: "web", Namespace: "ns"}}
	})
	pairs, err := referee.Replay(t.Context(), decisions)
	if err != nil {
		t.Fatal(err)
	}
	if p := pairs[0]; len(p.Differences) > 0 || len(p.Upstream.Events) == 0 || p.Upstream.Events[0].Reason != "AmbiguousSelector" {
		t.Errorf("%v, upstream says %v", p.Differences, p.Upstream.Events)
	}
}
