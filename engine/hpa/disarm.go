package hpa

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/utils/ptr"
)

// AnnotationArmed holds the true spec of a disarmed HPA as JSON.
const AnnotationArmed = "stepscale.io/armed-spec"

// widest is a range that no workload of a lesson leaves. The controller brings
// replicas back into the range before it looks at the behavior, so that Disabled
// alone does not keep it from writing (horizontal.go, reconcileAutoscaler).
const widest = 1_000_000

// ErrScalesToZero tells that an HPA cannot be disarmed: one that has scaled to
// zero is woken to one pod whatever its behavior says.
var ErrScalesToZero = errors.New("an HPA that scales to zero cannot be disarmed")

// Disarm returns the HPA as an object that the cluster's own controller reads and
// never scales by: selectPolicy Disabled both ways, the range as wide as can be, and
// the true spec in an annotation. The controller still writes the status.
func Disarm(hpa *autoscalingv2.HorizontalPodAutoscaler) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	if _, armed := hpa.Annotations[AnnotationArmed]; armed {
		return hpa.DeepCopy(), nil
	}
	if ptr.Deref(hpa.Spec.MinReplicas, 1) < 1 || conditionTrue(hpa.Status.Conditions, autoscalingv2.ScaledToZero) {
		return nil, ErrScalesToZero
	}
	spec, err := json.Marshal(hpa.Spec)
	if err != nil {
		return nil, fmt.Errorf("encode spec: %w", err)
	}
	d := hpa.DeepCopy()
	d.Annotations = maps.Clone(d.Annotations)
	if d.Annotations == nil {
		d.Annotations = map[string]string{}
	}
	d.Annotations[AnnotationArmed] = string(spec)
	d.Spec.MinReplicas, d.Spec.MaxReplicas = ptr.To[int32](1), widest
	off := func() *autoscalingv2.HPAScalingRules {
		return &autoscalingv2.HPAScalingRules{SelectPolicy: ptr.To(autoscalingv2.DisabledPolicySelect)}
	}
	d.Spec.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: off(), ScaleDown: off()}
	return d, nil
}

// Rearm gives a disarmed HPA its true spec back. One that somebody has armed
// meanwhile keeps theirs.
func Rearm(hpa *autoscalingv2.HorizontalPodAutoscaler) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	r := hpa.DeepCopy()
	delete(r.Annotations, AnnotationArmed)
	spec, ok, err := armedSpec(hpa)
	if err != nil {
		return nil, err
	}
	if ok && disabled(hpa) {
		r.Spec = spec
	}
	return r, nil
}

// armedSpec is the true spec of a disarmed HPA; false when it has none.
func armedSpec(hpa *autoscalingv2.HorizontalPodAutoscaler) (spec autoscalingv2.HorizontalPodAutoscalerSpec, ok bool, err error) {
	text, ok := hpa.Annotations[AnnotationArmed]
	if !ok {
		return spec, false, nil
	}
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		return spec, false, fmt.Errorf("annotation %s of HPA %s: %w", AnnotationArmed, hpa.Name, err)
	}
	return spec, true, nil
}

// disabled tells that no policy lets the cluster's controller scale.
func disabled(hpa *autoscalingv2.HorizontalPodAutoscaler) bool {
	off := func(r *autoscalingv2.HPAScalingRules) bool {
		return r != nil && ptr.Deref(r.SelectPolicy, "") == autoscalingv2.DisabledPolicySelect
	}
	b := hpa.Spec.Behavior
	return b != nil && off(b.ScaleUp) && off(b.ScaleDown)
}

// harmless tells that the cluster's controller has no way left to scale.
func harmless(hpa *autoscalingv2.HorizontalPodAutoscaler) bool {
	return disabled(hpa) && hpa.Spec.MaxReplicas == widest && ptr.Deref(hpa.Spec.MinReplicas, 0) == 1
}
