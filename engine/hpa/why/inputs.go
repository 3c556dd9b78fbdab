package why

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/stepscale/stepscale/engine/hpa"
)

// input is something that a decision reads, as a whole number with bounds.
type input struct {
	kind            Kind
	field, metric   string
	unit            Unit
	from, low, high int64
	set             func(r *hpa.Recorded, v int64) // on a copy whose HPA may be changed
}

// with is the decision's input with another value of this one. What is recorded is the
// value of from, and stays untouched.
func (i input) with(r hpa.Recorded, v int64) hpa.Recorded {
	if v == i.from {
		return r
	}
	object := *r.Input.HPA
	object.Spec = *object.Spec.DeepCopy()
	r.Input.HPA = &object
	i.set(&r, v)
	return r
}

// What no input is tried beyond.
const (
	mostThousandths = 10_000 // a tolerance of ten times
	mostWindow      = 3600   // seconds, of the API
	mostPeriod      = 1800   // seconds, of the API
	mostPolicy      = 1000
	mostValue       = 1 << 50
)

// inputs are all that a decision depends on and that somebody could have changed.
func inputs(r hpa.Recorded, desired int32) []input {
	list := ofMetrics(r)
	list = append(list, readiness(r)...)
	list = append(list, bounds(r)...)
	list = append(list, tolerances(r)...)
	list = append(list, windows(r)...)
	for _, up := range []bool{true, false} {
		if up && desired >= r.Input.SpecReplicas || !up && desired <= r.Input.SpecReplicas {
			list = append(list, policies(r, up)...)
		}
	}
	return append(list, ticks(r))
}

func ofMetrics(r hpa.Recorded) (list []input) {
	d := hpa.NewDecision(r.Params, r.Input, r.History.Clone())
	d.Run(hpa.StageGroup)
	d.Run(hpa.StageRatio)
	for i := range r.Input.HPA.Spec.Metrics {
		if m, ok := d.Measured(i); ok && m.Target > 0 {
			list = append(list, usage(r, i, m), target(r, i, m))
		}
	}
	return list
}

// usage lays a value evenly on the pods that count: only their sum is looked at.
func usage(r hpa.Recorded, i int, m hpa.Measured) input {
	unit, scale := unitOf(m)
	pods := float64(max(r.Input.HPA.Spec.MaxReplicas, r.Input.SpecReplicas, int32(len(m.Samples))) + 1)
	most := math.Min(2*pods*float64(m.Target/scale), mostValue)
	if unit == Percent {
		most = math.Min(most, float64(mostValue)/float64(max(m.Requests, 1)))
	}
	most = math.Max(most, float64(m.Value/scale))
	return input{kind: Usage, metric: nameOf(m), unit: unit, from: m.Value / scale, high: int64(most), set: func(r *hpa.Recorded, v int64) {
		data := r.Input.Metrics[i]
		switch n := int64(len(m.Samples)); {
		case m.Samples == nil:
			data.Values = []int64{v * scale}
		case unit == Percent:
			data.Pods = shared(data.Pods, m.Samples, (v*m.Requests+99)/100)
		default:
			data.Pods = shared(data.Pods, m.Samples, v*scale*n)
		}
		r.Input.Metrics = slices.Clone(r.Input.Metrics)
		r.Input.Metrics[i] = data
	}}
}

// shared are the samples with a sum laid on those that are named.
func shared(all map[string]hpa.PodMetric, names []string, sum int64) map[string]hpa.PodMetric {
	all = maps.Clone(all)
	for i, name := range names {
		sample := all[name]
		sample.Value = sum / int64(len(names)-i)
		sum -= sample.Value
		all[name] = sample
	}
	return all
}

func unitOf(m hpa.Measured) (unit Unit, scale int64) {
	switch {
	case m.Requests > 0:
		return Percent, 1
	case m.Memory():
		return Bytes, 1000
	}
	return Milli, 1
}

func nameOf(m hpa.Measured) string {
	if m.Container != "" {
		return m.Name + "/" + m.Container
	}
	return m.Name
}

func target(r hpa.Recorded, i int, m hpa.Measured) input {
	unit, scale := unitOf(m)
	most := math.Min(2*float64(m.Value/scale)*float64(len(m.Samples)+1)+2*float64(m.Target/scale), mostValue)
	if unit == Percent {
		most = math.Min(most, math.MaxInt32)
	}
	return input{kind: Target, metric: nameOf(m), field: fmt.Sprintf("metrics[%d]", i), unit: unit, from: m.Target / scale, low: 1, high: int64(most), set: func(r *hpa.Recorded, v int64) {
		t := hpa.TargetOf(&r.Input.HPA.Spec.Metrics[i])
		q := resource.NewMilliQuantity(v*scale, resource.DecimalSI)
		percent := int32(v)
		switch {
		case unit == Percent:
			t.AverageUtilization = &percent
		case m.Samples != nil || m.PerPod:
			t.AverageValue = q
		default:
			t.Value = q
		}
	}}
}

func bounds(r hpa.Recorded) []input {
	spec := r.Input.HPA.Spec
	low := int64(1)
	if spec.MinReplicas != nil {
		low = int64(*spec.MinReplicas)
	}
	high := int64(spec.MaxReplicas)
	return []input{
		{kind: MinReplicas, field: "minReplicas", unit: Count, from: low, low: min(low, 1), high: high, set: func(r *hpa.Recorded, v int64) {
			n := int32(v)
			r.Input.HPA.Spec.MinReplicas = &n
		}},
		{kind: MaxReplicas, field: "maxReplicas", unit: Count, from: high, low: max(low, 1), high: 4*high + mostPolicy, set: func(r *hpa.Recorded, v int64) {
			r.Input.HPA.Spec.MaxReplicas = int32(v)
		}},
	}
}

// tolerances are those of the HPA's own rules, and the controller's flag where it has none.
func tolerances(r hpa.Recorded) (list []input) {
	flag := int64(math.Round(r.Params.Tolerance * 1000))
	var rules [2]*autoscalingv2.HPAScalingRules
	for i, up := range []bool{true, false} {
		rules[i] = rulesOf(&r.Input.HPA.Spec, up)
		if rules[i] == nil {
			continue
		}
		kind, field, from := ToleranceUp, "behavior.scaleUp.tolerance", flag
		if !up {
			kind, field = ToleranceLow, "behavior.scaleDown.tolerance"
		}
		if own := rules[i].Tolerance; own != nil {
			from = own.MilliValue()
		}
		list = append(list, input{kind: kind, field: field, unit: Thousandth, from: from, high: mostThousandths, set: func(r *hpa.Recorded, v int64) {
			rulesOf(&r.Input.HPA.Spec, up).Tolerance = resource.NewMilliQuantity(v, resource.DecimalSI)
		}})
	}
	if rules[0] != nil && rules[1] != nil {
		return list
	}
	return append(list, input{kind: Tolerance, field: "--horizontal-pod-autoscaler-tolerance", unit: Thousandth, from: flag, high: mostThousandths, set: func(r *hpa.Recorded, v int64) {
		r.Params.Tolerance = float64(v) / 1000
	}})
}

func windows(r hpa.Recorded) (list []input) {
	flag := int64(r.Params.DownscaleStabilization / time.Second)
	if r.Input.HPA.Spec.Behavior == nil {
		return []input{{kind: Window, field: "--horizontal-pod-autoscaler-downscale-stabilization", unit: Seconds, from: flag, high: max(flag, mostWindow), set: func(r *hpa.Recorded, v int64) {
			r.Params.DownscaleStabilization = time.Duration(v) * time.Second
		}}}
	}
	for _, way := range []struct {
		up    bool
		field string
		unset int64
	}{{true, "behavior.scaleUp.stabilizationWindowSeconds", 0}, {false, "behavior.scaleDown.stabilizationWindowSeconds", flag}} {
		rules := rulesOf(&r.Input.HPA.Spec, way.up)
		if rules == nil {
			continue
		}
		from := way.unset
		if own := rules.StabilizationWindowSeconds; own != nil {
			from = int64(*own)
		}
		list = append(list, input{kind: Window, field: way.field, unit: Seconds, from: from, high: max(from, mostWindow), set: func(r *hpa.Recorded, v int64) {
			n := int32(v)
			rulesOf(&r.Input.HPA.Spec, way.up).StabilizationWindowSeconds = &n
		}})
	}
	return list
}

func policies(r hpa.Recorded, up bool) (list []input) {
	rules := rulesOf(&r.Input.HPA.Spec, up)
	if rules == nil {
		return nil
	}
	way := "scaleDown"
	if up {
		way = "scaleUp"
	}
	for i, p := range rules.Policies {
		at := "behavior." + way + ".policies[" + strconv.Itoa(i) + "]."
		unit := Count
		if p.Type == autoscalingv2.PercentScalingPolicy {
			unit = Percent
		}
		list = append(list, input{kind: PolicyValue, field: at + "value", unit: unit, from: int64(p.Value), low: 1, high: 4*int64(p.Value) + mostPolicy, set: func(r *hpa.Recorded, v int64) {
			rulesOf(&r.Input.HPA.Spec, up).Policies[i].Value = int32(v)
		}}, input{kind: PolicyPeriod, field: at + "periodSeconds", unit: Seconds, from: int64(p.PeriodSeconds), low: 1, high: max(mostPeriod, int64(p.PeriodSeconds)), set: func(r *hpa.Recorded, v int64) {
			rulesOf(&r.Input.HPA.Spec, up).Policies[i].PeriodSeconds = int32(v)
		}})
	}
	return list
}

// ticks let time pass: what the controller remembers gets older, and everything that it
// reads stays as it is.
func ticks(r hpa.Recorded) input {
	period := max(r.Params.SyncPeriod, time.Second)
	longest := max(mostWindow*time.Second, r.Params.DownscaleStabilization)
	return input{kind: Ticks, unit: Count, high: int64(longest/period) + 1, set: func(r *hpa.Recorded, v int64) {
		passed := time.Duration(v) * period
		h := r.History.Clone()
		for i := range h.Recommendations {
			h.Recommendations[i].Time = h.Recommendations[i].Time.Add(-passed)
		}
		for _, events := range [][]hpa.ScaleEvent{h.ScaleUp, h.ScaleDown} {
			for i := range events {
				events[i].Time = events[i].Time.Add(-passed)
			}
		}
		r.History = *h
	}}
}
