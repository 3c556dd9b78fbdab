package referee

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/controller/util/selectors"
)

// SetRivals makes these the HPAs that select the same pods. They scale nothing:
// their metric has no answer. They have scaled to zero before, so that they ask for it,
// and are known to select the pods, at any number of replicas.
func (u *Upstream) SetRivals(object *autoscalingv2.HorizontalPodAutoscaler, rivals []selectors.Key) error {
	tracker, gvr := u.client.Tracker(), autoscalingv2.SchemeGroupVersion.WithResource("horizontalpodautoscalers")
	wanted := map[string]bool{}
	for _, r := range rivals {
		wanted[r.Name] = r.Name != object.Name
	}
	for name := range u.rivals {
		if wanted[name] {
			continue
		}
		if err := tracker.Delete(gvr, object.Namespace, name); err != nil {
			return err
		}
		delete(u.rivals, name)
	}
	for name, is := range wanted {
		if !is || u.rivals[name] {
			continue
		}
		if err := tracker.Create(gvr, rivalOf(object, name), object.Namespace); err != nil {
			return err
		}
		u.rivals[name] = true
	}
	return nil
}

func rivalOf(object *autoscalingv2.HorizontalPodAutoscaler, name string) *autoscalingv2.HorizontalPodAutoscaler {
	unanswered := autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
		Name: corev1.ResourceName("no-answer-for-" + name), Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(1))},
	}}
	return &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: object.Namespace, Generation: 1},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: object.Spec.ScaleTargetRef, MinReplicas: new(int32(1)), MaxReplicas: 1<<31 - 1,
			Metrics: []autoscalingv2.MetricSpec{unanswered},
		},
		Status: autoscalingv2.HorizontalPodAutoscalerStatus{Conditions: []autoscalingv2.HorizontalPodAutoscalerCondition{
			{Type: autoscalingv2.ScaledToZero, Status: corev1.ConditionTrue},
		}},
	}
}
