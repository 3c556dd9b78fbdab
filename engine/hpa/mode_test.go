package hpa

import (
	"errors"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func armed() *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Annotations: map[string]string{"team": "shop"}},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			MinReplicas:    ptr.To[int32](2), MaxReplicas: 10,
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleDown: &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: ptr.To[int32](60)}},
		},
	}
}

func TestDisarmAndRearm(t *testing.T) {
	d, err := Disarm(armed())
	if err != nil {
		t.Fatal(err)
	}
	if !harmless(d) || d.Annotations["team"] != "shop" {
		t.Errorf("disarmed: %+v", d)
	}
	if again, err := Disarm(d); err != nil || !equality.Semantic.DeepEqual(again, d) {
		t.Errorf("disarmed twice: %+v, %v", again, err)
	}
	r, err := Rearm(d)
	if err != nil || !equality.Semantic.DeepEqual(r, armed()) {
		t.Errorf("armed again: %+v, %v", r, err)
	}
	if r, err = Rearm(r); err != nil || !equality.Semantic.DeepEqual(r, armed()) {
		t.Errorf("armed twice: %+v, %v", r, err)
	}
	d.Spec.Behavior = nil // somebody's kubectl apply
	if harmless(d) {
		t.Error("an HPA without the rules is taken for disarmed")
	}
	if r, err = Rearm(d); err != nil || r.Spec.MaxReplicas != widest || r.Annotations[AnnotationArmed] != "" {
		t.Errorf("what somebody wrote meanwhile is theirs: %+v, %v", r, err)
	}
	d.Annotations[AnnotationArmed] = "{"
	if _, err = Rearm(d); err == nil {
		t.Error("a broken annotation is no error")
	}
}

// TestDisarmRefusesZero: the one way in which a disarmed HPA still scales.
func TestDisarmRefusesZero(t *testing.T) {
	zero := armed()
	zero.Spec.MinReplicas = ptr.To[int32](0)
	slept := armed()
	slept.Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{{Type: autoscalingv2.ScaledToZero, Status: corev1.ConditionTrue}}
	for _, h := range []*autoscalingv2.HorizontalPodAutoscaler{zero, slept} {
		if _, err := Disarm(h); !errors.Is(err, ErrScalesToZero) {
			t.Errorf("error %v", err)
		}
	}
}
