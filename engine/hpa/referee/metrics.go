package referee

import (
	"context"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// metricsOf answers upstream's questions about metrics from the world
// (podautoscaler/metrics/interfaces.go, MetricsClient).
type metricsOf struct{ world World }

func (m metricsOf) GetResourceMetric(_ context.Context, name corev1.ResourceName, _ string, _ labels.Selector, container string) (metrics.PodMetricsInfo, time.Time, error) {
	q := Question{Type: autoscalingv2.ResourceMetricSourceType, Name: string(name), Container: container}
	if container != "" {
		q.Type = autoscalingv2.ContainerResourceMetricSourceType
	}
	return m.pods(q)
}

func (m metricsOf) GetRawMetric(name, _ string, _, selector labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	return m.pods(Question{Type: autoscalingv2.PodsMetricSourceType, Name: name, Selector: selector.String()})
}

func (m metricsOf) GetObjectMetric(name, _ string, object *autoscalingv2.CrossVersionObjectReference, selector labels.Selector) (int64, time.Time, error) {
	data := m.world.Metric(Question{Type: autoscalingv2.ObjectMetricSourceType, Name: name, Object: *object, Selector: selector.String()})
	if data.Err != nil || len(data.Values) == 0 {
		return 0, time.Time{}, data.Err
	}
	return data.Values[0], data.Timestamp, nil
}

func (m metricsOf) GetExternalMetric(name, _ string, selector labels.Selector) ([]int64, time.Time, error) {
	data := m.world.Metric(Question{Type: autoscalingv2.ExternalMetricSourceType, Name: name, Selector: selector.String()})
	return slices.Clone(data.Values), data.Timestamp, data.Err
}

func (m metricsOf) pods(q Question) (metrics.PodMetricsInfo, time.Time, error) {
	data := m.world.Metric(q)
	if data.Err != nil {
		return nil, time.Time{}, data.Err
	}
	info := make(metrics.PodMetricsInfo, len(data.Pods))
	for pod, v := range data.Pods {
		info[pod] = metrics.PodMetric{Timestamp: v.Timestamp, Window: v.Window, Value: v.Value}
	}
	return info, data.Timestamp, nil
}

// QuestionFor is how the controller asks for a metric of an HPA.
func QuestionFor(m autoscalingv2.MetricSpec) Question {
	switch {
	case m.Resource != nil:
		return Question{Type: m.Type, Name: string(m.Resource.Name)}
	case m.ContainerResource != nil:
		return Question{Type: m.Type, Name: string(m.ContainerResource.Name), Container: m.ContainerResource.Container}
	case m.Pods != nil:
		return Question{Type: m.Type, Name: m.Pods.Metric.Name, Selector: selectorOf(m.Pods.Metric)}
	case m.Object != nil:
		return Question{Type: m.Type, Name: m.Object.Metric.Name, Object: m.Object.DescribedObject, Selector: selectorOf(m.Object.Metric)}
	case m.External != nil:
		return Question{Type: m.Type, Name: m.External.Metric.Name, Selector: selectorOf(m.External.Metric)}
	}
	return Question{Type: m.Type}
}

// selectorOf is empty for a selector that does not parse: upstream does not ask then.
func selectorOf(m autoscalingv2.MetricIdentifier) string {
	selector, err := metav1.LabelSelectorAsSelector(m.Selector)
	if err != nil {
		return ""
	}
	return selector.String()
}
