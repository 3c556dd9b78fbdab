package hpa_test

import (
	"fmt"
	"math/rand/v2"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func randomMetric(rng *rand.Rand) autoscalingv2.MetricSpec {
	if rng.IntN(2) == 0 {
		return randomNamedMetric(rng)
	}
	name := corev1.ResourceCPU
	if rng.IntN(4) == 0 {
		name = corev1.ResourceMemory
	}
	target := autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To(int32(20 + rng.IntN(130)))}
	if rng.IntN(3) == 0 {
		q := resource.MustParse(fmt.Sprintf("%dm", 50+rng.IntN(300)))
		target = autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: &q}
	}
	if rng.IntN(3) == 0 {
		return autoscalingv2.MetricSpec{Type: autoscalingv2.ContainerResourceMetricSourceType, ContainerResource: &autoscalingv2.ContainerResourceMetricSource{
			Name: name, Container: "app", Target: target,
		}}
	}
	return autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{Name: name, Target: target}}
}

// randomNamedMetric is a Pods, Object or External metric. A few have a target that
// does not fit their type, or a selector that does not parse.
func randomNamedMetric(rng *rand.Rand) autoscalingv2.MetricSpec {
	id := autoscalingv2.MetricIdentifier{Name: fmt.Sprintf("requests-%d", rng.IntN(3))}
	switch rng.IntN(12) {
	case 0, 1, 2:
		id.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"path": "x"}}
	case 3:
		id.Selector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "path", Operator: "Sideways"}}}
	}
	q := resource.MustParse(fmt.Sprintf("%dm", 50+rng.IntN(300)))
	average := autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: &q}
	target := average
	if rng.IntN(2) == 0 {
		target = autoscalingv2.MetricTarget{Type: autoscalingv2.ValueMetricType, Value: &q}
	}
	if rng.IntN(15) == 0 {
		target.Value, target.AverageValue = nil, nil
	}
	switch rng.IntN(3) {
	case 0:
		return autoscalingv2.MetricSpec{Type: autoscalingv2.PodsMetricSourceType, Pods: &autoscalingv2.PodsMetricSource{Metric: id, Target: average}}
	case 1:
		return autoscalingv2.MetricSpec{Type: autoscalingv2.ObjectMetricSourceType, Object: &autoscalingv2.ObjectMetricSource{
			Metric: id, Target: target, DescribedObject: autoscalingv2.CrossVersionObjectReference{APIVersion: "networking.k8s.io/v1", Kind: "Ingress", Name: "front"},
		}}
	}
	return autoscalingv2.MetricSpec{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{Metric: id, Target: target}}
}

func randomBehavior(rng *rand.Rand) *autoscalingv2.HorizontalPodAutoscalerBehavior {
	if rng.IntN(3) == 0 {
		return nil
	}
	b := &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: randomRules(rng), ScaleDown: randomRules(rng)}
	if b.ScaleUp.StabilizationWindowSeconds == nil { // the API server fills in the way up only
		b.ScaleUp.StabilizationWindowSeconds = ptr.To[int32](0)
	}
	return b
}

func randomRules(rng *rand.Rand) *autoscalingv2.HPAScalingRules {
	r := &autoscalingv2.HPAScalingRules{SelectPolicy: ptr.To([]autoscalingv2.ScalingPolicySelect{
		autoscalingv2.MaxChangePolicySelect, autoscalingv2.MaxChangePolicySelect, autoscalingv2.MinChangePolicySelect, autoscalingv2.DisabledPolicySelect,
	}[rng.IntN(4)])}
	if rng.IntN(2) == 0 {
		r.StabilizationWindowSeconds = ptr.To(int32(15 * rng.IntN(12)))
	}
	if rng.IntN(3) == 0 {
		r.Tolerance = resource.NewMilliQuantity(int64(rng.IntN(400)), resource.DecimalSI)
	}
	for range 1 + rng.IntN(3) {
		kind := autoscalingv2.PodsScalingPolicy
		if rng.IntN(2) == 0 {
			kind = autoscalingv2.PercentScalingPolicy
		}
		r.Policies = append(r.Policies, autoscalingv2.HPAScalingPolicy{Type: kind, Value: int32(1 + rng.IntN(100)/(1+rng.IntN(20))), PeriodSeconds: int32(15 * (1 + rng.IntN(8)))})
	}
	return r
}
