package hpa

import (
	"context"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	upstream "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	"k8s.io/kubernetes/pkg/controller/util/selectors"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// readMetrics asks upstream's metrics client for every metric of the HPA:
// metrics.k8s.io, custom.metrics.k8s.io or external.metrics.k8s.io.
func (s *State) readMetrics(ctx context.Context, f *trace.Frame, pods labels.Selector, in *Input) error {
	c := s.Controller
	client := upstream.NewRESTMetricsClient(c.Metrics.MetricsV1beta1(), c.Custom, c.External)
	for i, spec := range in.HPA.Spec.Metrics {
		data := readMetric(ctx, client, s.Namespace, pods, spec)
		if world.IsFault(data.Err) {
			return data.Err
		}
		in.Metrics = append(in.Metrics, data)
		s.addSource(f, suffix(i), spec)
		if data.Err != nil {
			f.Add("metricError"+suffix(i), data.Err.Error(), "")
			continue
		}
		name, _, _ := ResourceOf(spec)
		total := addPodMetrics(f, suffix(i), name, data)
		addValues(f, suffix(i), data)
		if i == 0 && data.Pods != nil {
			s.pass.usage = usageTotal{resource: string(name), milli: total, ok: true}
		}
	}
	return nil
}

// readMetric reads one metric. A selector that does not parse is left to the
// decision, which words the error as upstream does.
func readMetric(ctx context.Context, client upstream.MetricsClient, namespace string, pods labels.Selector, spec autoscalingv2.MetricSpec) MetricData {
	if name, container, ok := ResourceOf(spec); ok {
		return podData(client.GetResourceMetric(ctx, name, namespace, pods, container))
	}
	switch {
	case spec.Type == autoscalingv2.PodsMetricSourceType && spec.Pods != nil:
		if selector, err := metav1.LabelSelectorAsSelector(spec.Pods.Metric.Selector); err == nil {
			return podData(client.GetRawMetric(spec.Pods.Metric.Name, namespace, pods, selector))
		}
	case spec.Type == autoscalingv2.ObjectMetricSourceType && spec.Object != nil:
		if selector, err := metav1.LabelSelectorAsSelector(spec.Object.Metric.Selector); err == nil {
			value, at, err := client.GetObjectMetric(spec.Object.Metric.Name, namespace, &spec.Object.DescribedObject, selector)
			return MetricData{Timestamp: at, Values: []int64{value}, Err: err}
		}
	case spec.Type == autoscalingv2.ExternalMetricSourceType && spec.External != nil:
		if selector, err := metav1.LabelSelectorAsSelector(spec.External.Metric.Selector); err == nil {
			values, at, err := client.GetExternalMetric(spec.External.Metric.Name, namespace, selector)
			return MetricData{Timestamp: at, Values: values, Err: err}
		}
	}
	return MetricData{}
}

func podData(info upstream.PodMetricsInfo, at time.Time, err error) MetricData {
	if err != nil {
		return MetricData{Err: err}
	}
	data := MetricData{Timestamp: at, Pods: make(map[string]PodMetric, len(info))}
	for pod, m := range info {
		data.Pods[pod] = PodMetric{Timestamp: m.Timestamp, Window: m.Window, Value: m.Value}
	}
	return data
}

// rivals are the HPAs of the namespace whose target selects one of the pods
// (horizontal.go, hpasControllingPodsUnderLock). Upstream keeps the selectors of
// earlier syncs and so makes no call for them; neither is ours recorded.
func (s *State) rivals(ctx context.Context, pods []*corev1.Pod) ([]selectors.Key, error) {
	list, err := world.Keep(ctx, &s.World, "hpas", func() (*autoscalingv2.HorizontalPodAutoscalerList, error) {
		return s.AsObserver().Kube.AutoscalingV2().HorizontalPodAutoscalers(s.Namespace).List(ctx, metav1.ListOptions{})
	})
	if err != nil || len(list.Items) < 2 || s.managed() { // refuseSecondEngine has seen to it
		return nil, err
	}
	var keys []selectors.Key
	for i := range list.Items {
		hpa := &list.Items[i]
		yes, err := s.selects(ctx, hpa, pods)
		if err != nil {
			return nil, err
		}
		if yes {
			keys = append(keys, selectors.Key{Name: hpa.Name, Namespace: hpa.Namespace})
		}
	}
	return keys, nil
}

// selects tells whether the HPA's target selects one of the pods. A target that
// cannot be read selects none.
func (s *State) selects(ctx context.Context, hpa *autoscalingv2.HorizontalPodAutoscaler, pods []*corev1.Pod) (bool, error) {
	scale, _, err := scaleOf(ctx, s.AsObserver(), hpa)
	if world.IsFault(err) {
		return false, err
	}
	if err != nil || scale.Status.Selector == "" {
		return false, nil
	}
	selector, err := labels.Parse(scale.Status.Selector)
	return err == nil && slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return selector.Matches(labels.Set(p.Labels)) }), nil
}
