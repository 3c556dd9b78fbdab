package hpa

import (
	"fmt"
	"slices"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Result is the outcome so far. After the limit stage it is complete, but for
// what the scale write itself adds: see Rescaled.
func (d *Decision) Result() Result {
	desired := d.outcome()
	reported := desired
	if d.failed {
		reported = d.before.DesiredReplicas
	}
	return Result{
		Desired: desired, Rescale: d.rescale, Reason: d.reason, Err: d.err,
		Status: d.status(reported), Events: slices.Clone(d.events),
	}
}

// outcome is the number of replicas that the target is to have.
func (d *Decision) outcome() int32 {
	if d.rescale {
		return d.desired
	}
	return d.current
}

// Rescaled completes the decision after the scale was written, or after that
// has failed. It must be called at most once, and only if Rescale was true.
func (d *Decision) Rescaled(err error) Result {
	desired := d.desired
	if err != nil {
		d.event(corev1.EventTypeWarning, "FailedRescale", fmt.Sprintf("New size: %d; reason: %s; error: %v", desired, d.reason, err))
		d.condition(autoscalingv2.AbleToScale, corev1.ConditionFalse, "FailedUpdateScale", fmt.Sprintf("the HPA controller was unable to update the target scale: %v", err))
		r := d.Result()
		r.Status, r.Err = d.status(d.before.DesiredReplicas), err
		return r
	}
	d.condition(autoscalingv2.AbleToScale, corev1.ConditionTrue, "SucceededRescale", fmt.Sprintf("the HPA controller was able to update the target scale to %d", desired))
	d.event(corev1.EventTypeNormal, "SuccessfulRescale", fmt.Sprintf("New size: %d; reason: %s", desired, d.reason))
	d.history.storeScaleEvent(d.hpa.Spec.Behavior, d.current, desired, d.in.Now)
	if d.current > 0 && desired == 0 && d.low == 0 && scalesFromZero(d.hpa) {
		d.condition(autoscalingv2.ScaledToZero, corev1.ConditionTrue, "ScaledToZero", "the HPA controller scaled the workload to zero")
	} else {
		d.condition(autoscalingv2.ScaledToZero, corev1.ConditionFalse, "NotScaledToZero", "the HPA controller did not scale the workload to zero")
	}
	r := d.Result()
	now := metav1.NewTime(d.in.Now)
	r.Status.LastScaleTime = &now
	return r
}

// status mirrors horizontal.go, setStatus, with the HPAGeneration gate on as in v1.37.
func (d *Decision) status(desired int32) autoscalingv2.HorizontalPodAutoscalerStatus {
	generation := d.hpa.Generation
	return autoscalingv2.HorizontalPodAutoscalerStatus{
		ObservedGeneration: &generation,
		LastScaleTime:      d.before.LastScaleTime,
		CurrentReplicas:    d.current,
		DesiredReplicas:    desired,
		CurrentMetrics:     d.statuses,
		Conditions:         slices.Clone(d.conditions),
	}
}

// condition mirrors horizontal.go, setConditionInList, in our clock.
func (d *Decision) condition(kind autoscalingv2.HorizontalPodAutoscalerConditionType, status corev1.ConditionStatus, reason, message string) {
	d.conditions = conditionSet(d.conditions, autoscalingv2.HorizontalPodAutoscalerCondition{
		Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(d.in.Now),
	})
}

// conditionTypes are as many as a decision can set: ScalingActive to ScaledToZero.
const conditionTypes = 4

// conditionsOf are the HPA's, with room for those that it has not got yet.
func conditionsOf(hpa *autoscalingv2.HorizontalPodAutoscaler) []autoscalingv2.HorizontalPodAutoscalerCondition {
	before := hpa.Status.Conditions
	return append(make([]autoscalingv2.HorizontalPodAutoscalerCondition, 0, max(len(before), conditionTypes)), before...)
}

func conditionTrue(list []autoscalingv2.HorizontalPodAutoscalerCondition, kind autoscalingv2.HorizontalPodAutoscalerConditionType) bool {
	for _, c := range list {
		if c.Type == kind {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (d *Decision) event(kind, reason, message string) {
	d.events = append(d.events, Event{Type: kind, Reason: reason, Message: message})
}
