// Package why says what it would have taken for a decision of the HPA to come out
// otherwise. Nothing is derived from the rules: every answer was found by deciding again,
// with one input changed and everything else as it was.
package why

import (
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/otherwise"
)

// Kind names an input of a decision.
type Kind string

// The inputs that are changed, one at a time.
const (
	Usage        Kind = "usage"        // of a metric, all pods that count alike
	Target       Kind = "target"       // of a metric
	MinReplicas  Kind = "minReplicas"  // spec
	MaxReplicas  Kind = "maxReplicas"  // spec
	Tolerance    Kind = "tolerance"    // of both ways: the controller's flag
	ToleranceUp  Kind = "toleranceUp"  // spec.behavior.scaleUp.tolerance, or the flag in its place
	ToleranceLow Kind = "toleranceLow" // spec.behavior.scaleDown.tolerance, likewise
	ReadyPods    Kind = "readyPods"    // pods whose values count
	Window       Kind = "window"       // the stabilization window, in seconds
	PolicyValue  Kind = "policyValue"  // of a rate policy
	PolicyPeriod Kind = "policyPeriod" // of a rate policy, in seconds
	Ticks        Kind = "ticks"        // that go by while everything else stays as it is
)

// Change is the smallest change of one input in one direction that gives another number
// of replicas: one unit less gives the number that was decided.
type Change struct {
	Kind    Kind   `json:"input"`
	Field   string `json:"field,omitempty"` // of the HPA's spec, or the controller's flag
	Metric  string `json:"metric,omitempty"`
	Unit    Unit   `json:"unit"`
	From    int64  `json:"from"` // in the unit
	To      int64  `json:"to"`
	Desired int32  `json:"desiredReplicas"` // that it gives

	input input
}

// Unit is what an input is counted in.
type Unit string

// The units.
const (
	Percent    Unit = "%"
	Milli      Unit = "milli" // of a core, or of whatever a metric counts
	Bytes      Unit = "bytes"
	Count      Unit = "count"
	Seconds    Unit = "seconds"
	Thousandth Unit = "thousandth" // of a ratio
)

// Answer is why a decision came out as it did.
type Answer struct {
	Current int32    `json:"currentReplicas"`
	Desired int32    `json:"desiredReplicas"`
	Failed  string   `json:"error,omitempty"` // of the metrics
	Held    *Held    `json:"held,omitempty"`
	Changes []Change `json:"changes"`
	Tried   []Tried  `json:"tried"` // between which bounds it was looked for

	Now    time.Time     `json:"at"`     // loop time of the decision
	Period time.Duration `json:"period"` // nanoseconds from one decision to the next
}

// Tried is an input with the least and the greatest value that was tried.
type Tried struct {
	Kind   Kind   `json:"input"`
	Field  string `json:"field,omitempty"`
	Metric string `json:"metric,omitempty"`
	Unit   Unit   `json:"unit"`
	Low    int64  `json:"low"`
	High   int64  `json:"high"`
}

// Held is the recommendation from before that a decision was held at.
type Held struct {
	Replicas int32         `json:"replicas"`
	At       time.Time     `json:"at"`     // when it was last made
	Window   time.Duration `json:"window"` // nanoseconds
	Up       bool          `json:"up"`     // it held back an increase
}

// Of decides a recorded decision again and again until it knows.
func Of(r hpa.Recorded) Answer {
	base := decide(r)
	a := Answer{Current: r.Input.SpecReplicas, Desired: base.Desired, Held: heldAt(r), Changes: []Change{}, Tried: []Tried{}, Now: r.Input.Now, Period: r.Params.SyncPeriod}
	if base.Err != nil {
		a.Failed = base.Err.Error()
	}
	for _, in := range inputs(r, base.Desired) {
		a.Tried = append(a.Tried, Tried{Kind: in.kind, Field: in.field, Metric: in.metric, Unit: in.unit, Low: in.low, High: in.high})
		for _, bound := range []int64{in.low, in.high} {
			if to, ok := otherwise.Nearest(in.from, bound, otherwise.Halves, func(v int64) bool { return decide(in.with(r, v)).Desired != base.Desired }); ok {
				a.Changes = append(a.Changes, Change{
					Kind: in.kind, Field: in.field, Metric: in.metric, Unit: in.unit, From: in.from, To: to,
					Desired: decide(in.with(r, to)).Desired, input: in,
				})
			}
		}
	}
	return a
}

// Try decides with the input of a change at another value.
func (c Change) Try(r hpa.Recorded, value int64) int32 { return decide(c.input.with(r, value)).Desired }

func decide(r hpa.Recorded) hpa.Result { return hpa.Decide(r.Params, r.Input, r.History.Clone()) }

// heldAt is the recommendation that the stabilization window holds the decision at; nil
// where it holds nothing.
func heldAt(r hpa.Recorded) *Held {
	d := hpa.NewDecision(r.Params, r.Input, r.History.Clone())
	told := map[string]string{}
	for _, stage := range []hpa.Stage{hpa.StageGroup, hpa.StageRatio, hpa.StageTolerance, hpa.StageProposal, hpa.StageStabilize} {
		for _, f := range d.Run(stage).Facts() {
			told[f.Name] = f.Value
		}
	}
	proposed, stabilized := number(told["metricDesiredReplicas"]), number(told["stabilizedReplicas"])
	if told["stabilizedReplicas"] == "" || proposed == stabilized {
		return nil
	}
	h := &Held{Replicas: stabilized, Up: proposed > stabilized}
	h.Window, _ = time.ParseDuration(told["stabilizationWindow"])
	for _, past := range r.History.Recommendations {
		if past.Replicas == stabilized && past.Time.After(h.At) && !past.Time.Before(r.Input.Now.Add(-h.Window)) {
			h.At = past.Time
		}
	}
	if h.At.IsZero() { // held at the current size, by others that are on its far side
		return nil
	}
	return h
}

// rulesOf are those of one way; nil where the HPA has none of its own.
func rulesOf(spec *autoscalingv2.HorizontalPodAutoscalerSpec, up bool) *autoscalingv2.HPAScalingRules {
	switch {
	case spec.Behavior == nil:
		return nil
	case up:
		return spec.Behavior.ScaleUp
	}
	return spec.Behavior.ScaleDown
}
