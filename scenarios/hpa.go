package scenarios

import (
	"slices"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// hpa checks the numbers of a HorizontalPodAutoscaler.
func (r *reader) hpa(o object) {
	h, ok := o.value.(*autoscalingv2.HorizontalPodAutoscaler)
	if !ok {
		return
	}
	least := int32(1)
	if h.Spec.MinReplicas != nil {
		least = *h.Spec.MinReplicas
	}
	switch {
	case least < 0:
		r.add(o.line("spec", "minReplicas"), "1 이상의 수를 적어 주십시오.", "minReplicas가 0보다 작습니다: %d", least)
	case least == 0 && !scalesToZero(h):
		r.add(o.line("spec", "minReplicas"), "1 이상의 수를 적거나 Object 또는 External 메트릭을 추가해 주십시오.",
			"minReplicas 0은 Object나 External 메트릭이 있을 때만 쓸 수 있습니다.")
	}
	switch most := h.Spec.MaxReplicas; {
	case most < 1:
		r.add(o.line("spec", "maxReplicas"), "maxReplicas에 1 이상의 수를 적어 주십시오.", "maxReplicas가 1보다 작습니다: %d", most)
	case least > most:
		r.add(o.line("spec", "maxReplicas"), "maxReplicas를 minReplicas 이상으로 적어 주십시오.", "maxReplicas(%d)가 minReplicas(%d)보다 작습니다.", most, least)
	}
}

// scalesToZero tells whether a metric is left when there are no pods. Without
// one the API server refuses minReplicas 0.
func scalesToZero(h *autoscalingv2.HorizontalPodAutoscaler) bool {
	return slices.ContainsFunc(h.Spec.Metrics, func(m autoscalingv2.MetricSpec) bool {
		return m.Type == autoscalingv2.ObjectMetricSourceType || m.Type == autoscalingv2.ExternalMetricSourceType
	})
}
