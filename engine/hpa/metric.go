package hpa

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

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

// ratio compares usage with the target for every metric.
func (d *Decision) ratio() {
	for _, m := range d.metrics {
		if m.err != nil {
			continue
		}
		if m.single != nil {
			d.compare(m)
			continue
		}
		if !m.plain() {
			requests, err := d.requestsFor(m)
			if err != nil {
				m.fail(err)
				d.fact("metricError"+m.suffix, m.err.Error(), "")
				continue
			}
			m.requests = requests
		}
		u, err := m.measure()
		if err != nil {
			m.fail(err)
			d.fact("metricError"+m.suffix, m.err.Error(), "")
			continue
		}
		m.usageRatio, m.utilization, m.raw = u.ratio, u.percent, u.average
		d.usageFacts(m, u, "")
	}
	if !slices.ContainsFunc(d.metrics, func(m *metric) bool { return m.err == nil }) {
		d.fact("skipped", "읽을 수 있는 메트릭이 하나도 없어 비교하지 못했습니다.", "")
	}
}

// usage is the sum over the pods that count, and what follows from it.
type usage struct {
	total, requests int64 // milli-units
	pods            int
	percent         int32
	average         int64
	ratio           float64
}

// measure mirrors metrics/utilization.go, GetResourceUtilizationRatio and
// GetMetricUsageRatio. Percent and average are cut to whole numbers.
func (m *metric) measure() (usage, error) {
	var u usage
	for i, c := range m.class {
		if c != counted && c != assumed {
			continue
		}
		u.total += m.values[i]
		u.pods++
		if m.requests != nil {
			u.requests += m.requests[i]
		}
	}
	if m.plain() {
		u.total += m.strangersTotal
		u.pods += m.strangers
		u.average = u.total / int64(u.pods)
		u.ratio = float64(u.average) / float64(m.target.AverageValue.MilliValue())
		return u, nil
	}
	if u.requests == 0 {
		return u, errors.New("no metrics returned matched known pods")
	}
	u.percent = int32(u.total * 100 / u.requests)
	u.average = u.total / int64(u.pods)
	u.ratio = float64(u.percent) / float64(*m.target.AverageUtilization)
	return u, nil
}

// usageFacts explains a measurement; again marks the second one, after pods
// without a value were filled in.
func (d *Decision) usageFacts(m *metric, u usage, again string) {
	if d.silent {
		return
	}
	class, values := m.class, m.values
	d.tell(func(w *wording) {
		name := string(m.resource)
		w.add("totalUsage"+again+m.suffix, quantityOf(name, u.total), m.sum(u, class, values))
		if m.plain() {
			target := m.target.AverageValue.MilliValue()
			w.add("averageValue"+again+m.suffix, quantityOf(name, u.average), fmt.Sprintf("%s / %d", quantityOf(name, u.total), u.pods))
			w.add("targetAverageValue"+m.suffix, quantityOf(name, target), "")
			w.add("usageRatio"+again+m.suffix, formatRatio(u.ratio), fmt.Sprintf("%s / %s", quantityOf(name, u.average), quantityOf(name, target)))
			return
		}
		target := *m.target.AverageUtilization
		w.add("totalRequests"+again+m.suffix, quantityOf(name, u.requests), m.sum(u, class, m.requests))
		w.add("currentUtilization"+again+m.suffix, fmt.Sprintf("%d%%", u.percent), fmt.Sprintf("%s × 100 / %s (소수점 버림)", quantityOf(name, u.total), quantityOf(name, u.requests)))
		w.add("targetUtilization"+m.suffix, fmt.Sprintf("%d%%", target), "")
		w.add("usageRatio"+again+m.suffix, formatRatio(u.ratio), fmt.Sprintf("%d / %d", u.percent, target))
	})
}

// sum writes the addition out while it fits a screen, smallest first.
func (m *metric) sum(u usage, class []podClass, of []int64) string {
	if u.pods > shownTerms {
		return fmt.Sprintf("파드 %d개의 합", u.pods)
	}
	var terms []int64
	for i, c := range class {
		if c == counted || c == assumed {
			terms = append(terms, of[i])
		}
	}
	slices.Sort(terms)
	var text []string
	for _, v := range terms {
		text = append(text, quantityOf(string(m.resource), v))
	}
	if len(terms) < u.pods {
		text = append(text, fmt.Sprintf("%s (목록에 없는 파드 %d개)", quantityOf(string(m.resource), m.strangersTotal), m.strangers))
	}
	return strings.Join(text, " + ")
}

const shownTerms = 8

// tolerance says for every metric whether the ratio is near enough to 1.
func (d *Decision) tolerance() {
	down, up := d.tolerances()
	for _, m := range d.metrics {
		if m.err == nil {
			m.within = d.within(m.usageRatio)
		}
	}
	if !d.silent {
		d.tellTolerance(down, up)
	}
}

func (d *Decision) tellTolerance(down, up float64) {
	low, high := 1.0-down, 1.0+up
	d.tell(func(w *wording) {
		w.add("toleranceLow", formatRatio(low), "1 − "+formatRatio(down))
		w.add("toleranceHigh", formatRatio(high), "1 + "+formatRatio(up))
	})
	for _, m := range d.metrics {
		if m.err != nil { // which the proposal may set
			continue
		}
		d.tell(func(w *wording) {
			w.add("withinTolerance"+m.suffix, strconv.FormatBool(m.within),
				fmt.Sprintf("%s ≤ %s ≤ %s", formatRatio(low), formatRatio(m.usageRatio), formatRatio(high)))
		})
	}
}

// tolerances mirrors tolerancesForHpa: the HPA's own win over the flag.
func (d *Decision) tolerances() (down, up float64) {
	down, up = d.params.Tolerance, d.params.Tolerance
	b := d.hpa.Spec.Behavior
	if b == nil {
		return down, up
	}
	if b.ScaleDown != nil && b.ScaleDown.Tolerance != nil {
		down = b.ScaleDown.Tolerance.AsApproximateFloat64()
	}
	if b.ScaleUp != nil && b.ScaleUp.Tolerance != nil {
		up = b.ScaleUp.Tolerance.AsApproximateFloat64()
	}
	return down, up
}

// within mirrors Tolerances.isWithin: both ends are inside.
func (d *Decision) within(ratio float64) bool {
	down, up := d.tolerances()
	return 1.0-down <= ratio && ratio <= 1.0+up
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
