package hpa

import (
	"errors"
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// metric is one entry of spec.metrics on its way through the stages.
type metric struct {
	suffix    string
	spec      autoscalingv2.MetricSpec
	resource  corev1.ResourceName
	container string
	target    autoscalingv2.MetricTarget

	samples                 map[string]PodMetric // as they were read
	class                   []podClass           // of each pod of the input
	values                  []int64              // milli-units, of each pod of the input
	requests                []int64              // milli-units, of each pod of the input; utilization only
	ready, unready, missing int
	strangers               int // samples of pods that are not in the input
	strangersTotal          int64

	single      *single // Object and External
	usageRatio  float64
	utilization int32 // percent
	raw         int64 // average in milli-units
	within      bool
	proposed    int32
	err         error
	unknown     bool // a source type that no API server lets in
}

// newMetric mirrors the head of computeReplicasForMetric.
func newMetric(i int, spec autoscalingv2.MetricSpec, in Input) *metric {
	m := &metric{suffix: suffix(i), spec: spec}
	switch {
	case spec.Type == autoscalingv2.ResourceMetricSourceType && spec.Resource != nil:
		m.resource, m.target = spec.Resource.Name, spec.Resource.Target
	case spec.Type == autoscalingv2.ContainerResourceMetricSourceType && spec.ContainerResource != nil:
		m.resource, m.target, m.container = spec.ContainerResource.Name, spec.ContainerResource.Target, spec.ContainerResource.Container
	case spec.Type == autoscalingv2.PodsMetricSourceType && spec.Pods != nil:
		m.target = spec.Pods.Target
		if _, err := metav1.LabelSelectorAsSelector(spec.Pods.Metric.Selector); err != nil {
			m.err = err
			return m
		}
	case spec.Type == autoscalingv2.ObjectMetricSourceType && spec.Object != nil, spec.Type == autoscalingv2.ExternalMetricSourceType && spec.External != nil:
		newSingle(m, i, in)
		return m
	default: // the API server's validation lets no such metric in
		m.unknown = true
		m.err = fmt.Errorf("unknown metric source type %q", string(spec.Type))
		return m
	}
	if !m.plain() && m.target.AverageUtilization == nil {
		m.err = errors.New("invalid resource metric source: neither an average utilization target nor an average value (usage) target was set")
		return m
	}
	err := errors.New("no answer was recorded")
	if i < len(in.Metrics) {
		err = in.Metrics[i].Err
	}
	if err != nil && spec.Type == autoscalingv2.PodsMetricSourceType {
		m.fail(fmt.Errorf("unable to get metric %s: %w", spec.Pods.Metric.Name, err))
		return m
	}
	if err != nil {
		m.fail(fmt.Errorf("unable to get metrics for resource %s: %w", m.resource, err))
		return m
	}
	m.samples = in.Metrics[i].Pods
	return m
}

// plain is true for AverageValue, which wins when both targets are set.
func (m *metric) plain() bool { return m.target.AverageValue != nil }

// fail words an error as computeStatusForResourceMetricGeneric does.
func (m *metric) fail(err error) {
	if m.spec.Type == autoscalingv2.PodsMetricSourceType {
		m.err = err
		return
	}
	what := "utilization"
	if m.plain() {
		what = "usage"
	}
	m.err = fmt.Errorf("failed to get %s %s: %w", m.resource, what, err)
}

// failure is the condition's reason and the error as computeReplicasForMetric has them.
func (m *metric) failure() (reason string, err error) {
	switch m.spec.Type {
	case autoscalingv2.ResourceMetricSourceType:
		return "FailedGetResourceMetric", fmt.Errorf("failed to get %s resource metric value: %w", m.resource, m.err)
	case autoscalingv2.ContainerResourceMetricSourceType:
		return "FailedGetContainerResourceMetric", fmt.Errorf("failed to get %s container metric value: %w", m.container, m.err)
	}
	if m.unknown {
		return "InvalidMetricSourceType", m.err
	}
	return m.namedFailure()
}

// status is the metric's entry in status.currentMetrics.
func (m *metric) status() autoscalingv2.MetricStatus {
	if m.spec.Type != autoscalingv2.ResourceMetricSourceType && m.spec.Type != autoscalingv2.ContainerResourceMetricSourceType {
		return m.namedStatus()
	}
	format := resource.DecimalSI
	if m.resource == corev1.ResourceMemory {
		format = resource.BinarySI
	}
	current := autoscalingv2.MetricValueStatus{AverageValue: resource.NewMilliQuantity(m.raw, format)}
	if !m.plain() {
		percent := m.utilization
		current.AverageUtilization = &percent
	}
	if m.spec.Type == autoscalingv2.ContainerResourceMetricSourceType {
		return autoscalingv2.MetricStatus{Type: m.spec.Type, ContainerResource: &autoscalingv2.ContainerResourceMetricStatus{
			Name: m.resource, Container: m.container, Current: current,
		}}
	}
	return autoscalingv2.MetricStatus{Type: m.spec.Type, Resource: &autoscalingv2.ResourceMetricStatus{Name: m.resource, Current: current}}
}

// name is the metric's name in conditions and reasons.
func (m *metric) name() string {
	switch {
	case m.spec.Type == autoscalingv2.PodsMetricSourceType:
		return "pods metric " + m.spec.Pods.Metric.Name
	case m.spec.Type == autoscalingv2.ObjectMetricSourceType && !m.single.perPod:
		return fmt.Sprintf("%s metric %s", m.spec.Object.DescribedObject.Kind, m.spec.Object.Metric.Name)
	case m.single != nil: // upstream calls an object's average external, too
		id := m.identifier()
		return fmt.Sprintf("external metric %s(%+v)", id.Name, id.Selector)
	case m.plain():
		return string(m.resource) + " resource"
	case m.spec.Type == autoscalingv2.ContainerResourceMetricSourceType:
		return string(m.resource) + " container resource utilization (percentage of request)"
	}
	return string(m.resource) + " resource utilization (percentage of request)"
}
