package hpa

import (
	"errors"
	"fmt"
	"sync/atomic"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Stage is a part of the decision that a learner can look at by itself.
type Stage string

// The stages, in the order in which they run.
const (
	StageGroup     Stage = "group"     // which pods count
	StageRatio     Stage = "ratio"     // usage against target
	StageTolerance Stage = "tolerance" // is the difference worth acting on
	StageProposal  Stage = "proposal"  // how many replicas each metric asks for, and the most of them
	StageStabilize Stage = "stabilize" // what recent recommendations say
	StageLimit     Stage = "limit"     // policies, minReplicas, maxReplicas
)

var stages = []struct {
	name Stage
	run  func(*Decision)
}{
	{StageGroup, (*Decision).group},
	{StageRatio, (*Decision).ratio},
	{StageTolerance, (*Decision).tolerance},
	{StageProposal, (*Decision).proposal},
	{StageStabilize, (*Decision).stabilize},
	{StageLimit, (*Decision).limit},
}

// Stages are all of them, in order.
func Stages() (all []Stage) {
	for _, s := range stages {
		all = append(all, s.name)
	}
	return all
}

// Decision is one reconcile of one HPA, from what was read to what is to be
// written (horizontal.go, reconcileAutoscaler). It is pure: the same Params,
// Input and History give the same Result.
type Decision struct {
	params  Params
	in      Input
	history *History

	hpa     *autoscalingv2.HorizontalPodAutoscaler
	before  autoscalingv2.HorizontalPodAutoscalerStatus
	current int32 // replicas in the scale's spec
	low     int32 // minReplicas with its default
	zeroed  bool  // the controller itself scaled to zero before

	metrics  []*metric
	requests []podRequests
	skipped  string // why the stages have nothing to do
	told     Telling
	silent   bool // nothing is told

	events     []Event
	conditions []autoscalingv2.HorizontalPodAutoscalerCondition // the HPA's own, which grow into the result's
	statuses   []autoscalingv2.MetricStatus
	failed     bool  // no replica count: the whole decision has failed
	err        error // of the metrics; the scaling may go on with the others

	proposed   int32 // by the metrics
	stabilized int32
	desired    int32
	reason     string
	rescale    bool
}

// NewDecision begins a decision. The history is updated while it runs; the input
// is not, though the result's status shares parts of it.
func NewDecision(p Params, in Input, h *History) *Decision {
	d := &Decision{
		params: p, in: in, history: h, hpa: in.HPA, before: in.HPA.Status, conditions: conditionsOf(in.HPA),
		current: in.SpecReplicas, low: minReplicas(in.HPA), rescale: true,
	}
	d.condition(autoscalingv2.AbleToScale, corev1.ConditionTrue, "SucceededGetScale", "the HPA controller was able to get the target's current scale")
	if h.Recommendations == nil {
		h.Recommendations = []Recommendation{{Replicas: d.current, Time: in.Now}}
	}
	d.shortcut()
	if d.skipped == "" && d.validSelector() {
		d.metrics = make([]*metric, len(d.hpa.Spec.Metrics))
		for i, spec := range d.hpa.Spec.Metrics {
			d.metrics[i] = newMetric(i, spec, in)
		}
		d.statuses = make([]autoscalingv2.MetricStatus, len(d.metrics))
	}
	return d
}

// Decide runs all stages without collecting facts.
func Decide(p Params, in Input, h *History) Result { return decided(p, in, h).Result() }

// DecideAndWrite is Decide and the scale write, if there is one: refused is what
// the API server says to it, nil when it takes it.
func DecideAndWrite(p Params, in Input, h *History, refused error) Result {
	d := decided(p, in, h)
	if r := d.Result(); !r.Rescale {
		return r
	}
	return d.Rescaled(refused)
}

func decided(p Params, in Input, h *History) *Decision {
	d := NewDecision(p, in, h)
	d.silent = true
	for _, s := range stages {
		if d.skipped == "" {
			s.run(d)
		}
	}
	return d
}

// Run executes one stage and returns what it tells. Stages must be run in order.
func (d *Decision) Run(stage Stage) Telling {
	if d.told == nil {
		d.told = make(Telling, 0, 2*len(stages)+len(stages)*len(d.metrics))
	}
	before := len(d.told)
	if d.skipped != "" {
		d.fact("skipped", d.skipped, "")
		if stage == StageLimit {
			d.intFact("desiredReplicas", d.outcome(), "")
		}
		return d.told[before:]
	}
	for _, s := range stages {
		if s.name == stage {
			s.run(d)
		}
	}
	return d.told[before:]
}

// shortcut settles the cases that upstream decides without any metric.
func (d *Decision) shortcut() {
	d.zeroed = scaledToZero(d.hpa)
	switch {
	case d.current == 0:
		if wantsMetrics(d.hpa, d.current) {
			return
		}
		d.desired, d.rescale = 0, false
		d.condition(autoscalingv2.ScalingActive, corev1.ConditionFalse, "ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
		d.skipped = "레플리카가 0이어서 HPA가 꺼져 있습니다(ScalingDisabled). 메트릭을 보지 않습니다."
	case d.current > d.hpa.Spec.MaxReplicas:
		d.desired, d.reason = d.hpa.Spec.MaxReplicas, "Current number of replicas above Spec.MaxReplicas"
		d.skipped = fmt.Sprintf("현재 레플리카 %d개가 maxReplicas %d보다 많아 메트릭을 보지 않고 바로 %d개로 줄입니다.", d.current, d.desired, d.desired)
	case d.current < d.low:
		d.desired, d.reason = d.low, "Current number of replicas below Spec.MinReplicas"
		d.skipped = fmt.Sprintf("현재 레플리카 %d개가 minReplicas %d보다 적어 메트릭을 보지 않고 바로 %d개로 늘립니다.", d.current, d.low, d.low)
	}
}

// validSelector mirrors validateAndParseSelector.
func (d *Decision) validSelector() bool {
	if d.in.Selector == "" {
		d.event(corev1.EventTypeWarning, "SelectorRequired", "selector is required")
		d.condition(autoscalingv2.ScalingActive, corev1.ConditionFalse, "InvalidSelector", "the HPA target's scale is missing a selector")
		d.fail(fmt.Errorf("selector is required"))
		return false
	}
	if err := parses(d.in.Selector); err != nil {
		msg := fmt.Sprintf("couldn't convert selector into a corresponding internal selector object: %v", err)
		d.event(corev1.EventTypeWarning, "InvalidSelector", msg)
		d.condition(autoscalingv2.ScalingActive, corev1.ConditionFalse, "InvalidSelector", msg)
		d.fail(errors.New(msg))
		return false
	}
	if len(d.in.Rivals) > 1 {
		msg := fmt.Sprintf("pods by selector %v are controlled by more than one HPA (e.g. %v)", d.in.Selector, d.in.Rivals[:2]) // upstream looks no further
		d.event(corev1.EventTypeWarning, "AmbiguousSelector", msg)
		d.condition(autoscalingv2.ScalingActive, corev1.ConditionFalse, "AmbiguousSelector", msg)
		d.fail(errors.New(msg))
		return false
	}
	return true
}

// parsed is the last selector that parsed: a loop asks about the same one at
// every tick, and parsing it is a third of a small decision.
var parsed atomic.Pointer[string]

func parses(selector string) error {
	if last := parsed.Load(); last != nil && *last == selector {
		return nil
	}
	_, err := labels.Parse(selector)
	if err == nil {
		parsed.Store(&selector)
	}
	return err
}

// fail ends the decision without a replica count: nothing is scaled, and the
// status keeps its old desiredReplicas.
func (d *Decision) fail(err error) {
	d.failed, d.err, d.rescale = true, err, false
	d.event(corev1.EventTypeWarning, "FailedComputeMetricsReplicas", err.Error())
	d.skipped = "메트릭을 계산하지 못해 이번에는 레플리카 수를 바꾸지 않습니다: " + err.Error()
}

// wantsMetrics is false where upstream decides without any metric: the target
// was switched off by hand, or is outside of the HPA's bounds.
func wantsMetrics(hpa *autoscalingv2.HorizontalPodAutoscaler, current int32) bool {
	low := minReplicas(hpa)
	if current == 0 {
		return scaledToZero(hpa) && (low != 0 || scalesFromZero(hpa))
	}
	return current >= low && current <= hpa.Spec.MaxReplicas
}

// minReplicas is the lower bound with its default.
func minReplicas(hpa *autoscalingv2.HorizontalPodAutoscaler) int32 {
	if hpa.Spec.MinReplicas == nil {
		return 1
	}
	return *hpa.Spec.MinReplicas
}

// scaledToZero tells that the controller itself took the last pod away.
func scaledToZero(hpa *autoscalingv2.HorizontalPodAutoscaler) bool {
	return conditionTrue(hpa.Status.Conditions, autoscalingv2.ScaledToZero)
}

// scalesFromZero mirrors hasObjectOrExternalMetrics.
func scalesFromZero(hpa *autoscalingv2.HorizontalPodAutoscaler) bool {
	for _, m := range hpa.Spec.Metrics {
		if m.Type == autoscalingv2.ObjectMetricSourceType || m.Type == autoscalingv2.ExternalMetricSourceType {
			return true
		}
	}
	return false
}
