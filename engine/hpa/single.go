package hpa

import (
	"errors"
	"fmt"
	"math"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/world"
)

// single is a metric with one value for the whole target, not one per pod:
// Object and External.
type single struct {
	usage   int64 // milli-units; the sum of an external metric's series
	target  int64 // milli-units
	perPod  bool  // AverageValue: the target is one pod's share
	average int64 // milli-units per replica; perPod only
}

// newSingle mirrors the heads of computeStatusForObjectMetric and
// computeStatusForExternalMetric.
func newSingle(m *metric, i int, in Input) {
	target, what := m.singleTarget()
	_, unparsable := metav1.LabelSelectorAsSelector(m.identifier().Selector)
	if unparsable != nil && m.spec.Type == autoscalingv2.ObjectMetricSourceType { // of an external metric it is parsed later
		m.err = unparsable
		return
	}
	s := &single{}
	switch {
	case target == nil:
		m.err = fmt.Errorf("invalid %s metric source: neither a value target nor an average value target was set", what)
		return
	case m.averages(target):
		s.target, s.perPod = target.AverageValue.MilliValue(), true
	default:
		s.target = target.Value.MilliValue()
	}
	m.single = s
	if unparsable != nil {
		m.err = unparsable
		return
	}
	if i >= len(in.Metrics) {
		m.err = errors.New("no answer was recorded")
		return
	}
	data := in.Metrics[i]
	if data.Err != nil {
		m.err = m.unread(data.Err, in)
		return
	}
	if m.spec.Type == autoscalingv2.ObjectMetricSourceType {
		if len(data.Values) > 0 {
			s.usage = data.Values[0]
		}
		return
	}
	s.usage = sumSeries(data.Values, s.perPod)
}

// averages tells whether the average value decides. External looks at it first;
// Object goes by the target's type.
func (m *metric) averages(t *autoscalingv2.MetricTarget) bool {
	if m.spec.Type == autoscalingv2.ObjectMetricSourceType {
		return t.Type == autoscalingv2.AverageValueMetricType
	}
	return t.AverageValue != nil
}

// singleTarget returns nil where upstream finds no target that fits.
func (m *metric) singleTarget() (*autoscalingv2.MetricTarget, string) {
	if m.spec.Type == autoscalingv2.ObjectMetricSourceType {
		t := &m.spec.Object.Target
		fits := t.Type == autoscalingv2.ValueMetricType && t.Value != nil || t.Type == autoscalingv2.AverageValueMetricType && t.AverageValue != nil
		if !fits {
			return nil, "object"
		}
		return t, "object"
	}
	t := &m.spec.External.Target
	if t.AverageValue == nil && t.Value == nil {
		return nil, "external"
	}
	return t, "external"
}

// unread words an error of the metrics API as replica_calculator.go does.
func (m *metric) unread(err error, in Input) error {
	id := m.identifier()
	if m.spec.Type == autoscalingv2.ObjectMetricSourceType {
		o := m.spec.Object.DescribedObject
		return fmt.Errorf("unable to get metric %s on %s %s/%s: %w", id.Name, o.Kind, in.HPA.Namespace, o.Name, err)
	}
	return fmt.Errorf("unable to get external metric %s/%s/%+v: %w", in.HPA.Namespace, id.Name, id.Selector, err)
}

// sumSeries adds an external metric's series up. Where the sum does not fit 64
// bits, upstream caps it in two ways: only a positive overflow, or any sum that
// got negative.
func sumSeries(values []int64, perPod bool) int64 {
	var sum int64
	for _, v := range values {
		if !perPod && v > 0 && sum > math.MaxInt64-v {
			return math.MaxInt64
		}
		sum += v
		if perPod && sum < 0 {
			return math.MaxInt64
		}
	}
	return sum
}

// noAverage explains what the status and kubectl's TARGETS show without pods; see perReplica.
const noAverage = "파드가 0개라 뜻이 없는 수입니다. 업스트림이 0으로 나눈 결과를 status에 그대로 적어, kubectl get hpa의 TARGETS에도 이렇게 보입니다"

// compare sets the value against the target.
func (d *Decision) compare(m *metric) {
	s := m.single
	if s.perPod {
		m.usageRatio = float64(s.usage) / (float64(s.target) * float64(d.in.StatusReplicas))
		s.average = d.perReplica(m, s.usage)
	} else {
		m.usageRatio = float64(s.usage) / float64(s.target)
	}
	if d.silent {
		return
	}
	d.tell(func(w *wording) {
		usage, target := quantityOf("", s.usage), quantityOf("", s.target)
		w.add("metricValue"+m.suffix, usage, "")
		if !s.perPod {
			w.add("targetValue"+m.suffix, target, "")
			w.add("usageRatio"+m.suffix, formatRatio(m.usageRatio), usage+" / "+target)
			return
		}
		w.add("targetAverageValue"+m.suffix, target, "")
		if d.in.StatusReplicas > 0 {
			w.add("averageValue"+m.suffix, quantityOf("", s.average), fmt.Sprintf("%s / %d", usage, d.in.StatusReplicas))
		} else {
			w.add("statusAverage"+m.suffix, quantityOf("", s.average), noAverage)
		}
		w.add("usageRatio"+m.suffix, formatRatio(m.usageRatio), fmt.Sprintf("%s / (%s × %d)", usage, target, d.in.StatusReplicas))
	})
}

// perReplica is the average that the status reports, divided by the replicas of
// the scale's status. With none upstream converts an infinity to an integer;
// what comes out depends on the processor.
func (d *Decision) perReplica(m *metric, usage int64) int64 {
	if m.spec.Type == autoscalingv2.ExternalMetricSourceType && float64(usage) >= float64(math.MaxInt64) {
		return math.MaxInt64
	}
	return int64(math.Ceil(float64(usage) / float64(d.in.StatusReplicas)))
}

// proposeSingle computes the metric's number of replicas (getUsageRatioReplicaCount,
// GetObjectPerPodMetricReplicas, GetExternalPerPodMetricReplicas).
func (d *Decision) proposeSingle(m *metric) {
	s := m.single
	switch {
	case s.perPod && d.within(m.usageRatio):
		m.proposed = d.in.StatusReplicas
		d.intFact("proposal"+m.suffix, m.proposed, "허용 오차 안이므로 유지")
	case s.perPod:
		n := math.Ceil(float64(s.usage) / float64(s.target))
		m.proposed = int32(n)
		if m.spec.Type == autoscalingv2.ExternalMetricSourceType && n > math.MaxInt32 {
			m.proposed = math.MaxInt32
		}
		if !d.silent {
			d.tellSingle(m, m.proposed)
		}
	case d.current == 0:
		m.proposed = int32(math.Ceil(m.usageRatio))
		if !d.silent {
			d.tellSingle(m, m.proposed)
		}
	case d.within(m.usageRatio):
		d.keep(m, "허용 오차 안이므로 유지")
	case len(d.in.Pods) == 0:
		m.err = fmt.Errorf("unable to calculate ready pods: %w", errNoPods)
	default:
		m.ready = d.readyPods()
		n := m.usageRatio * float64(m.ready)
		m.proposed = math.MaxInt32
		if n <= math.MaxInt32 {
			m.proposed = int32(math.Ceil(n))
		}
		d.tellCeil(m, m.usageRatio, m.ready)
	}
}

// tellSingle explains a proposal that no number of pods takes part in.
func (d *Decision) tellSingle(m *metric, proposed int32) {
	d.tell(func(w *wording) {
		if s := m.single; s.perPod {
			w.number("proposal"+m.suffix, proposed, fmt.Sprintf("ceil(%s / %s)", quantityOf("", s.usage), quantityOf("", s.target)))
			return
		}
		w.number("proposal"+m.suffix, proposed, fmt.Sprintf("ceil(%s)", formatRatio(m.usageRatio)))
	})
}

// readyPods counts as getReadyPodsCount does: neither start-up time nor a
// deletion matters here.
func (d *Decision) readyPods() int {
	n := 0
	for _, p := range d.in.Pods {
		if p.Status.Phase == corev1.PodRunning && world.IsReady(p) {
			n++
		}
	}
	return n
}

// identifier names a metric that is no resource.
func (m *metric) identifier() autoscalingv2.MetricIdentifier {
	switch m.spec.Type {
	case autoscalingv2.PodsMetricSourceType:
		return m.spec.Pods.Metric
	case autoscalingv2.ObjectMetricSourceType:
		return m.spec.Object.Metric
	}
	return m.spec.External.Metric
}

// namedStatus is the entry of status.currentMetrics of a Pods, Object or External
// metric.
func (m *metric) namedStatus() autoscalingv2.MetricStatus {
	var current autoscalingv2.MetricValueStatus
	switch {
	case m.single == nil:
		current.AverageValue = resource.NewMilliQuantity(m.raw, resource.DecimalSI)
	case m.single.perPod:
		current.AverageValue = resource.NewMilliQuantity(m.single.average, resource.DecimalSI)
	default:
		current.Value = resource.NewMilliQuantity(m.single.usage, resource.DecimalSI)
	}
	status, id := autoscalingv2.MetricStatus{Type: m.spec.Type}, m.identifier()
	switch m.spec.Type {
	case autoscalingv2.PodsMetricSourceType:
		status.Pods = &autoscalingv2.PodsMetricStatus{Metric: id, Current: current}
	case autoscalingv2.ObjectMetricSourceType:
		status.Object = &autoscalingv2.ObjectMetricStatus{Metric: id, Current: current, DescribedObject: m.spec.Object.DescribedObject}
	default:
		status.External = &autoscalingv2.ExternalMetricStatus{Metric: id, Current: current}
	}
	return status
}

// namedFailure is the condition's reason and the error as computeReplicasForMetric
// has them, for a Pods, Object or External metric.
func (m *metric) namedFailure() (reason string, err error) {
	id := m.identifier()
	switch m.spec.Type {
	case autoscalingv2.PodsMetricSourceType:
		return "FailedGetPodsMetric", fmt.Errorf("failed to get pods metric value: %w", m.err)
	case autoscalingv2.ObjectMetricSourceType:
		err = m.err
		if m.single != nil && m.single.perPod {
			err = fmt.Errorf("failed to get %s object metric: %w", id.Name, err)
		}
		return "FailedGetObjectMetric", fmt.Errorf("failed to get object metric value: %w", err)
	}
	err = m.err
	switch {
	case m.single == nil:
	case m.single.perPod:
		err = fmt.Errorf("failed to get %s external metric: %w", id.Name, err)
	default:
		err = fmt.Errorf("failed to get external metric %s: %w", id.Name, err)
	}
	return "FailedGetExternalMetric", fmt.Errorf("failed to get %s external metric value: %w", id.Name, err)
}
