package hpa

import (
	"context"
	"encoding/json"
	"errors"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
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
	name, container, ok := resourceOf(m)
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

// Supposed is what a controller has to remember, as far as the HPA's own status tells. A
// status holds the last decision, and no controller forgets that within a sync period;
// what it remembers beyond that is in its memory only.
func Supposed(p Params, in Input) *History {
	h := &History{Recommendations: []Recommendation{}}
	if len(in.HPA.Status.Conditions) > 0 {
		h.Recommendations = append(h.Recommendations, Recommendation{Replicas: in.HPA.Status.DesiredReplicas, Time: in.Now.Add(-p.SyncPeriod)})
	}
	return h
}
