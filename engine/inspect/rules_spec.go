package inspect

import (
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/stepscale/stepscale/engine/hpa"
)

// ceiling is the most that a metric can say of a pod's utilization, which its limits set.
type ceiling struct {
	metric            autoscalingv2.MetricSpec
	limit, requested  resource.Quantity
	most, target      int64   // percent
	tolerance, needed float64 // needed: the percentage above which the target is scaled up
}

// ceilings are those of the metrics with a utilization where every container has a limit.
func (s *Snapshot) ceilings(h *HPA) []ceiling {
	spec := s.podSpec(h)
	if spec == nil || spec.Resources != nil {
		return nil // limits of the whole pod are another sum
	}
	_, up := hpa.Tolerances(hpa.DefaultParams(), h.HorizontalPodAutoscaler)
	var all []ceiling
	for _, m := range h.Spec.Metrics {
		target := percent(m)
		if target == nil {
			continue
		}
		limit, requested, ok := sums(spec, m)
		if !ok || requested.IsZero() {
			continue
		}
		all = append(all, ceiling{m, limit, requested, limit.MilliValue() * 100 / requested.MilliValue(), int64(*target), up, float64(*target) * (1 + up)})
	}
	return all
}

// sums adds limits and requests up; false where a container has none.
func sums(spec *corev1.PodSpec, m autoscalingv2.MetricSpec) (limit, requested resource.Quantity, ok bool) {
	name := corev1.ResourceName(resourceName(m))
	for c := range hpa.LongRunning(spec) {
		if m.ContainerResource != nil && m.ContainerResource.Container != c.Name {
			continue
		}
		l, limited := c.Resources.Limits[name]
		r, requests := c.Resources.Requests[name]
		if !limited || !requests {
			return limit, requested, false
		}
		limit.Add(l)
		requested.Add(r)
	}
	return limit, requested, true
}

// reachable tells whether some other metric of the HPA can scale it up.
func (s *Snapshot) reachable(h *HPA) bool {
	bounded := s.ceilings(h)
	if len(bounded) < len(h.Spec.Metrics) {
		return true
	}
	for _, c := range bounded {
		if float64(c.most) > c.needed {
			return true
		}
	}
	return false
}

func unreachableTarget(s *Snapshot, h *HPA) *Finding {
	if s.reachable(h) {
		return nil
	}
	for _, c := range s.ceilings(h) {
		if c.most <= c.target {
			return &Finding{What: fmt.Sprintf("%s 사용률은 %d%%를 넘을 수 없는데 목표가 %d%%입니다. 이 HPA는 늘리지 않습니다.", resourceName(c.metric), c.most, c.target),
				Evidence: c.evidence(), Fix: "averageUtilization을 낮추시거나 requests를 limits보다 작게 하십시오. 사용률의 기준은 limits가 아니라 requests입니다.", Command: limitsCommand(h)}
		}
	}
	return nil
}

func toleranceNeverReached(s *Snapshot, h *HPA) *Finding {
	if s.reachable(h) {
		return nil
	}
	all := s.ceilings(h)
	for _, c := range all {
		if c.most <= c.target {
			return nil // the other rule's
		}
	}
	c := all[0]
	f := &Finding{What: fmt.Sprintf("%s 사용률은 많아야 %d%%라서 허용 오차 안에 머뭅니다(%.0f%%를 넘어야 늘립니다). 이 HPA는 늘리지 않습니다.", resourceName(c.metric), c.most, c.needed),
		Evidence: append(c.evidence(), recomputed("목표 %d%% × (1 + 허용 오차 %.2f) = %.0f%%", c.target, c.tolerance, c.needed)),
		Fix:      "averageUtilization을 낮추시거나 behavior.scaleUp.tolerance를 줄이십시오.", Command: limitsCommand(h)}
	if b := h.Spec.Behavior; b == nil || b.ScaleUp == nil || b.ScaleUp.Tolerance == nil {
		f.Evidence = append(f.Evidence, unknown("컨트롤러의 --horizontal-pod-autoscaler-tolerance. 기본값 0.1로 계산했습니다"))
	}
	return f
}

func (c ceiling) evidence() []Line {
	return []Line{observed("파드 하나의 %s requests %s, limits %s", resourceName(c.metric), c.requested.String(), c.limit.String()),
		recomputed("사용률의 최댓값: %s × 100 / %s = %d%%", c.limit.String(), c.requested.String(), c.most)}
}

func limitsCommand(h *HPA) string {
	return fmt.Sprintf("kubectl get pods -n %s -l '%s' -o custom-columns='POD:.metadata.name,REQUESTS:.spec.containers[*].resources.requests,LIMITS:.spec.containers[*].resources.limits'", h.Namespace, h.Target.Scale.Status.Selector)
}

func minEqualsMax(_ *Snapshot, h *HPA) *Finding {
	if h.minReplicas() != h.Spec.MaxReplicas {
		return nil
	}
	return &Finding{What: fmt.Sprintf("minReplicas와 maxReplicas가 모두 %d입니다. 이 HPA는 레플리카 수를 바꾸지 않습니다.", h.Spec.MaxReplicas),
		Evidence: []Line{observed("spec.minReplicas %d, spec.maxReplicas %d", h.minReplicas(), h.Spec.MaxReplicas)},
		Fix:      "maxReplicas를 늘리시거나, 수를 고정하시려는 것이라면 HPA를 지우고 대상의 replicas에 적으십시오.",
		Command:  fmt.Sprintf("kubectl get hpa %s -n %s", h.Name, h.Namespace)}
}
