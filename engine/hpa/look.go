package hpa

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	upstream "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"

	"github.com/stepscale/stepscale/engine/world"
)

// Listed is an HPA as an API server has it.
type Listed struct {
	*autoscalingv2.HorizontalPodAutoscaler
	Unknown []string // fields of the spec that this engine has no rule for
}

// List reads the HPAs of a namespace, of all when it is empty, with the fields that a
// typed client would drop.
func List(ctx context.Context, c world.Clients, namespace string) ([]Listed, error) {
	raw, err := c.Kube.AutoscalingV2().RESTClient().Get().Namespace(namespace).Resource("horizontalpodautoscalers").
		SetHeader("Accept", "application/json").DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, err
	}
	list := make([]Listed, len(answer.Items))
	for i, item := range answer.Items {
		object, err := decodeHPA(item)
		var unknown *UnknownFieldsError
		if err != nil && !errors.As(err, &unknown) {
			return nil, err
		}
		if list[i].HorizontalPodAutoscaler = object; unknown != nil {
			list[i].Unknown = unknown.Fields
		}
	}
	return list, nil
}

// ScaleOf reads the scale of the HPA's target as the controller does, and which resource
// it belongs to.
func ScaleOf(ctx context.Context, c world.Clients, hpa *autoscalingv2.HorizontalPodAutoscaler) (*autoscalingv1.Scale, schema.GroupResource, error) {
	return scaleOf(ctx, c, hpa)
}

// ReadMetrics asks once for every metric of the HPA, as the controller does; an answer
// that is none is in the data. It returns nothing where the controller does not ask.
func ReadMetrics(ctx context.Context, c world.Clients, hpa *autoscalingv2.HorizontalPodAutoscaler, scale *autoscalingv1.Scale) ([]MetricData, error) {
	selector, err := labels.Parse(scale.Status.Selector)
	if err != nil || scale.Status.Selector == "" || !wantsMetrics(hpa, scale.Spec.Replicas) {
		return nil, nil // the decision words the error
	}
	client := upstream.NewRESTMetricsClient(c.Metrics.MetricsV1beta1(), c.Custom, c.External)
	var all []MetricData
	for _, spec := range hpa.Spec.Metrics {
		data := readMetric(ctx, client, hpa.Namespace, selector, spec)
		if world.IsFault(data.Err) {
			return nil, data.Err
		}
		all = append(all, data)
	}
	return all, nil
}

// Tolerances are the HPA's own, or the flag's, for a ratio below 1 and above it.
func Tolerances(p Params, hpa *autoscalingv2.HorizontalPodAutoscaler) (down, up float64) {
	d := Decision{params: p, hpa: hpa}
	return d.tolerances()
}

// MissingRequest tells which container keeps a utilization from being computed, as
// upstream words it; nil where none does.
func MissingRequest(in Input, m autoscalingv2.MetricSpec) error {
	name, container, ok := ResourceOf(m)
	if !ok {
		return nil
	}
	for _, pod := range in.Pods {
		if _, err := podRequest(pod, container, name); err != nil {
			return err
		}
	}
	return nil
}

// Supposed is what a controller has to remember, as far as the HPA's own status tells: no
// controller forgets its last decision within a sync period. What it remembers beyond that
// is in its memory only.
func Supposed(p Params, in Input) *History {
	status := in.HPA.Status
	if len(status.Conditions) == 0 {
		return &History{} // it has not looked yet
	}
	h := &History{Recommendations: []Recommendation{{Replicas: status.DesiredReplicas, Time: in.Now.Add(-p.SyncPeriod)}}}
	if in.HPA.Spec.Behavior == nil || status.LastScaleTime == nil {
		return h
	}
	for _, c := range status.Conditions {
		switch c.Reason {
		case "ScaleUpLimit":
			h.ScaleUp = spent(in, in.HPA.Spec.Behavior.ScaleUp, false)
		case "ScaleDownLimit":
			h.ScaleDown = spent(in, in.HPA.Spec.Behavior.ScaleDown, true)
		}
	}
	return h
}

// Alternatives are the replica counts that the decision may come to, in ascending order: what
// Supposed leads to, and what the memories lead to that the status does not rule out. More than
// one tell that one look does not decide.
func Alternatives(p Params, in Input) []int32 {
	var all []int32
	for _, memory := range possible(p, in) {
		all = append(all, Decide(p, in, memory).Desired)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// possible are the memories that lead furthest apart: of low proposals, which hold no scaling down
// back; of proposals for the replicas that there are, which hold everything back, and are what a
// controller begins with (recordInitialRecommendation); of changes that leave nothing of what the policies
// allow, in each direction; and of a higher proposal that a limit held back.
func possible(p Params, in Input) []*History {
	last := in.Now.Add(-p.SyncPeriod)
	holding := []Recommendation{{Replicas: in.SpecReplicas, Time: last}}
	low := []Recommendation{{Replicas: 0, Time: last}}
	all := []*History{Supposed(p, in), {Recommendations: low}, {Recommendations: holding}}
	if b := in.HPA.Spec.Behavior; b != nil {
		if in.HPA.Status.LastScaleTime != nil {
			all = append(all, &History{ScaleUp: spent(in, b.ScaleUp, false)}, &History{ScaleDown: spent(in, b.ScaleDown, true)})
		}
		return all // a proposal for more than there are is acted on by nobody
	}
	if limitedSince(in.HPA, in.Now.Add(-p.DownscaleStabilization)) {
		all = append(all, &History{Recommendations: []Recommendation{{Replicas: math.MaxInt32, Time: last}}})
	}
	return all
}

// limitedSince tells whether something may have held a proposal back since then.
func limitedSince(hpa *autoscalingv2.HorizontalPodAutoscaler, then time.Time) bool {
	for _, c := range hpa.Status.Conditions {
		if c.Type == autoscalingv2.ScalingLimited {
			return c.Status == corev1.ConditionTrue || c.LastTransitionTime.After(then)
		}
	}
	return len(hpa.Status.Conditions) > 0
}

// spent is a change that leaves nothing of what the policies allow: the status says that
// they held the target back, at its last change or since.
func spent(in Input, rules *autoscalingv2.HPAScalingRules, down bool) []ScaleEvent {
	if rules == nil {
		return nil
	}
	var most int32
	for _, policy := range rules.Policies {
		change := policy.Value
		if policy.Type == autoscalingv2.PercentScalingPolicy {
			part := float64(policy.Value) / 100
			change = int32(math.Ceil(float64(in.SpecReplicas) * part / (1 + part)))
			if down {
				change = int32(min(math.Ceil(float64(in.SpecReplicas)*part/max(1-part, 0.01)), math.MaxInt32))
			}
		}
		most = max(most, change)
	}
	return []ScaleEvent{{Change: most, Time: in.HPA.Status.LastScaleTime.Time}}
}
