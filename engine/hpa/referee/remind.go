package referee

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/hpa"
)

// An observing loop remembers what the cluster's controller did, which may be something
// else than was predicted, and remembers what it saw in passes that it could not finish.
// A controller that only plays the predictions would remember something else.

// same tells whether two memories hold the same, in the same slots.
func same(a, b hpa.History) bool {
	events := func(a, b hpa.ScaleEvent) bool { return a.Change == b.Change && a.Time.Equal(b.Time) }
	return slices.EqualFunc(a.ScaleUp, b.ScaleUp, events) && slices.EqualFunc(a.ScaleDown, b.ScaleDown, events) &&
		slices.EqualFunc(a.Recommendations, b.Recommendations, func(a, b hpa.Recommendation) bool { return a.Replicas == b.Replicas && a.Time.Equal(b.Time) })
}

// remind gives a new controller the memory that the decision was made with, by playing
// for each entry of it a decision that leaves just this entry. Upstream has no other way
// in. What the controller says meanwhile counts as said.
func (p *Player) remind(ctx context.Context, d Decision) error {
	var past []Decision
	for _, r := range d.History.Recommendations {
		past = append(past, recommending(d, r))
	}
	for _, e := range d.History.ScaleUp {
		past = append(past, scaling(d, e.Time, 1, 1+e.Change))
	}
	for _, e := range d.History.ScaleDown {
		past = append(past, scaling(d, e.Time, 1+e.Change, 1))
	}
	slices.SortStableFunc(past, func(a, b Decision) int { return a.Input.Now.Compare(b.Input.Now) })
	oldest := d.Input.Now.Add(-memory(d) - time.Second)
	for _, q := range past {
		q.Input.HPA = p.asPlayed(q.Input.HPA)
		at := q.Input.Now
		if at.Before(oldest) {
			at = oldest
		}
		did, err := p.play(ctx, q, at)
		if err != nil {
			return err
		}
		for _, e := range did.Events {
			p.seen[e.Reason]++
		}
	}
	return nil
}

// recommending is a decision that stores a recommendation, and writes nothing: the
// metric asks for what there is.
func recommending(d Decision, r hpa.Recommendation) Decision {
	q := passed(d, r.Time, max(1, r.Replicas))
	q.Refused = "it is over" // where the memory asks for more
	q.Input.HPA.Spec.MinReplicas, q.Input.HPA.Spec.MaxReplicas = new(int32(0)), 1<<31-1
	q.Input.Metrics = []hpa.MetricData{{Timestamp: r.Time, Values: []int64{int64(r.Replicas) * 1000}}}
	return q
}

// scaling is a decision that stores a change of replicas, and no recommendation: the
// current ones are out of bounds.
func scaling(d Decision, at time.Time, from, to int32) Decision {
	q := passed(d, at, from)
	q.Input.HPA.Spec.MinReplicas, q.Input.HPA.Spec.MaxReplicas = &to, to
	q.Input.Metrics = []hpa.MetricData{{Err: errors.New("out of bounds, nobody asks")}}
	return q
}

// passed is a decision about the same HPA with nothing in it but an external metric, of
// which a replica takes 1.
func passed(d Decision, at time.Time, replicas int32) Decision {
	object := d.Input.HPA.DeepCopy()
	object.Spec.Metrics = []autoscalingv2.MetricSpec{{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{
		Metric: autoscalingv2.MetricIdentifier{Name: "remembered", Selector: &metav1.LabelSelector{}},
		Target: autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: new(resource.MustParse("1"))},
	}}}
	return Decision{Recorded: hpa.Recorded{Params: d.Params, Input: hpa.Input{
		Now: at, HPA: object, SpecReplicas: replicas, StatusReplicas: replicas, Selector: cmp.Or(d.Input.Selector, "app=web"),
	}}}
}
