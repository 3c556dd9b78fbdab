package hpa

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// Measured is what one metric was compared with its target by.
type Measured struct {
	Name      string // of the resource or the metric
	Container string // ContainerResource only

	// Samples are the pods whose values were added up; none of an Object or External metric,
	// which has one value.
	Samples  []string
	Value    int64 // percent of the requests, or milli-units: of an average per sample, or the one value
	Requests int64 // milli-units, of the samples together; 0 where the target is no percentage
	Target   int64 // in the unit of Value
	PerPod   bool  // Object, External: the target is one pod's share
}

// Memory tells whether milli-units are thousandths of a byte.
func (m Measured) Memory() bool { return m.Name == string(corev1.ResourceMemory) && m.Samples != nil }

// Measured is how the metric with that index was measured, after the ratio stage and before the next;
// false where it could not be.
func (d *Decision) Measured(i int) (Measured, bool) {
	if d.skipped != "" || i >= len(d.metrics) || d.metrics[i].err != nil {
		return Measured{}, false
	}
	m := d.metrics[i]
	if m.single != nil {
		return Measured{Name: m.identifier().Name, Value: m.single.usage, Target: m.single.target, PerPod: m.single.perPod}, true
	}
	out := Measured{Name: string(m.resource), Container: m.container, Value: m.raw}
	if m.resource == "" {
		out.Name = m.identifier().Name
	}
	listed := map[string]bool{}
	for i, pod := range d.in.Pods {
		listed[pod.Name] = true
		if m.class[i] == counted {
			out.Samples = append(out.Samples, pod.Name)
			if m.requests != nil {
				out.Requests += m.requests[i]
			}
		}
	}
	if !m.plain() {
		out.Value, out.Target = int64(m.utilization), int64(*m.target.AverageUtilization)
		return out, true
	}
	for name := range m.samples {
		if !listed[name] { // a pod that is gone counts in an average
			out.Samples = append(out.Samples, name)
		}
	}
	out.Target = m.target.AverageValue.MilliValue()
	return out, true
}

// Quantity writes milli-units of a resource or another metric as it is told.
func Quantity(name string, milli int64) string { return quantityOf(name, milli) }

// TargetOf is the target of a metric of any kind.
func TargetOf(m *autoscalingv2.MetricSpec) *autoscalingv2.MetricTarget {
	switch {
	case m.Resource != nil:
		return &m.Resource.Target
	case m.ContainerResource != nil:
		return &m.ContainerResource.Target
	case m.Pods != nil:
		return &m.Pods.Target
	case m.Object != nil:
		return &m.Object.Target
	}
	return &m.External.Target
}
