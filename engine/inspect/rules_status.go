package inspect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/korean"
)

const (
	// settled is how long a controller may take to write what it has seen: a sync period
	// of 15 s, and three more for one that is busy.
	settled = time.Minute
	// longAtMax is how long a target may be at its maximum before it counts as stuck there.
	longAtMax = 15 * time.Minute
	// turns is how often a target is scaled up, and down, within an hour, when it flaps.
	turns = 3
)

func disabledAtZero(_ *Snapshot, h *HPA) *Finding {
	if h.Target == nil || h.Target.Scale.Spec.Replicas != 0 {
		return nil
	}
	if c := h.condition(autoscalingv2.ScaledToZero); c != nil && c.Status == corev1.ConditionTrue {
		return nil // the controller did it, and scales up again
	}
	f := &Finding{What: "대상의 레플리카가 0이어서 HPA가 꺼져 있습니다(ScalingDisabled). 부하가 와도 늘리지 않습니다.",
		Evidence: []Line{observed("scale의 spec.replicas 0, ScaledToZero 컨디션 없음(HPA가 줄인 것이 아닙니다)")},
		Fix:      fmt.Sprintf("다시 켜시려면 대상의 레플리카를 1 이상으로 바꾸십시오. 그다음부터는 HPA가 %d~%d개에서 움직입니다.", h.minReplicas(), h.Spec.MaxReplicas),
		Command:  fmt.Sprintf("kubectl get hpa %s -n %s", h.Name, h.Namespace)}
	f.failing(h)
	return f
}

// staleStatus finds an HPA that no controller looks at.
func staleStatus(s *Snapshot, h *HPA) *Finding {
	old := func(t time.Time) bool { return !t.IsZero() && s.Now.Sub(t) > settled }
	f := &Finding{What: "컨트롤러가 이 HPA를 보고 있지 않습니다. status가 지금의 대상과 다릅니다.",
		Fix:     "kube-controller-manager의 HPA 컨트롤러가 도는지, 다른 HPA들의 status도 낡았는지 확인하십시오. EKS라면 컨트롤 플레인 로그(controllerManager)를 켜서 보십시오.",
		Command: fmt.Sprintf("kubectl get hpa %s -n %s -o yaml --show-managed-fields", h.Name, h.Namespace)}
	if len(h.Status.Conditions) == 0 {
		if !old(h.CreationTimestamp.Time) {
			return nil
		}
		f.Evidence = append(f.Evidence, observed("만든 지 %s, 그런데 status에 컨디션이 하나도 없습니다", korean.Age(s.Now.Sub(h.CreationTimestamp.Time))))
		return f
	}
	if seen := h.Status.ObservedGeneration; seen != nil && *seen < h.Generation {
		if at := specWritten(h.ManagedFields); old(at) {
			f.Evidence = append(f.Evidence, observed("status.observedGeneration %d, metadata.generation %d. spec을 고친 지 %s", *seen, h.Generation, korean.Age(s.Now.Sub(at))))
			return f
		}
	}
	if h.Target == nil || h.Target.Scale.Spec.Replicas == h.Status.CurrentReplicas || h.Target.Scale.Spec.Replicas == h.Status.DesiredReplicas {
		return nil
	}
	if by, at := replicasOwner(h.Target.Meta.ManagedFields); old(at) {
		f.Evidence = append(f.Evidence, observed("scale의 spec.replicas %d개(%s %s 전에 씀), status는 %d개라고 말합니다", h.Target.Scale.Spec.Replicas, korean.Subject(by), korean.Age(s.Now.Sub(at)), h.Status.CurrentReplicas))
		return f
	}
	return nil
}

// specWritten is when somebody last wrote something that is no status.
func specWritten(fields []metav1.ManagedFieldsEntry) (last time.Time) {
	for _, m := range fields {
		if m.Subresource == "" && m.Time != nil && m.Time.After(last) {
			last = m.Time.Time
		}
	}
	return last
}

// owns tells whether the entry has spec.replicas.
func owns(m metav1.ManagedFieldsEntry) bool {
	var fields struct {
		Spec map[string]json.RawMessage `json:"f:spec"`
	}
	if m.FieldsV1 == nil || json.Unmarshal(m.FieldsV1.GetRawBytes(), &fields) != nil {
		return false
	}
	_, yes := fields.Spec["f:replicas"]
	return yes
}

// replicasOwner is who wrote spec.replicas last, and when.
func replicasOwner(fields []metav1.ManagedFieldsEntry) (by string, at time.Time) {
	for _, m := range fields {
		if owns(m) && m.Time != nil && m.Time.After(at) {
			by, at = m.Manager, m.Time.Time
		}
	}
	return by, at
}

// atMax finds a target that wants more than its maximum, and has for long.
func atMax(s *Snapshot, h *HPA) *Finding {
	c := h.condition(autoscalingv2.ScalingLimited)
	if h.Target == nil || h.Target.Scale.Spec.Replicas != h.Spec.MaxReplicas || h.minReplicas() == h.Spec.MaxReplicas ||
		c == nil || c.Status != corev1.ConditionTrue || c.Reason != "TooManyReplicas" {
		return nil
	}
	since := c.LastTransitionTime.Time
	if t := h.Status.LastScaleTime; t != nil && t.After(since) {
		since = t.Time
	}
	if s.Now.Sub(since) < longAtMax {
		return nil
	}
	f := &Finding{What: fmt.Sprintf("%s 넘게 maxReplicas %d개에 머물며 더 늘리지 못합니다.", korean.Age(s.Now.Sub(since)), h.Spec.MaxReplicas),
		Evidence: []Line{observed("ScalingLimited=True TooManyReplicas, %s 전부터", korean.Age(s.Now.Sub(since)))},
		Fix:      "maxReplicas를 늘리시거나(할당량과 노드의 자리도 함께), 파드 하나가 더 많이 처리하게 하십시오.",
		Command:  fmt.Sprintf("kubectl get hpa %s -n %s", h.Name, h.Namespace)}
	if d := s.decide(h); d.Skipped == "" && d.Proposed > h.Spec.MaxReplicas {
		f.Evidence = append(f.Evidence, recomputed("지금 메트릭이 원하는 것은 %d개", d.Proposed))
	}
	return f
}

// flapping counts the controller's own events of the last hour.
func flapping(s *Snapshot, h *HPA) *Finding {
	up, down := int32(0), int32(0)
	var lines []Line
	for _, e := range s.Events {
		if e.Reason != "SuccessfulRescale" || e.InvolvedObject.Name != h.Name || e.InvolvedObject.Namespace != h.Namespace || s.Now.Sub(e.LastTimestamp.Time) > time.Hour {
			continue
		}
		n := max(e.Count, 1)
		if s.Now.Sub(e.FirstTimestamp.Time) > time.Hour {
			n = 1 // how many of them are within the hour is not told
		}
		switch {
		case strings.Contains(e.Message, "above target"):
			up += n
		case strings.Contains(e.Message, "below target"):
			down += n
		default:
			continue
		}
		lines = append(lines, observed("%s 전 %d번: %s", korean.Age(s.Now.Sub(e.LastTimestamp.Time)), n, e.Message))
	}
	if up < turns || down < turns {
		return nil
	}
	return &Finding{What: fmt.Sprintf("한 시간 안에 %d번 늘리고 %d번 줄였습니다.", up, down), Evidence: lines,
		Fix:     "behavior.scaleDown.stabilizationWindowSeconds를 부하가 오르내리는 주기보다 길게 하시거나, 목표를 낮추어 여유를 두십시오.",
		Command: fmt.Sprintf("kubectl get events -n %s --field-selector involvedObject.kind=HorizontalPodAutoscaler,involvedObject.name=%s", h.Namespace, h.Name)}
}

// windowTooLong finds a window that holds the target back right now.
func windowTooLong(s *Snapshot, h *HPA) *Finding {
	c := h.condition(autoscalingv2.AbleToScale)
	if h.Target == nil || c == nil || h.Spec.Behavior == nil {
		return nil
	}
	current, d := h.Target.Scale.Spec.Replicas, s.decide(h)
	if d.Skipped != "" || d.Err != nil {
		return nil
	}
	var window int32
	var direction, cost string
	const hour = 3600
	b := h.Spec.Behavior
	switch {
	case c.Reason == "ScaleUpStabilized" && d.Proposed > current && b.ScaleUp != nil && b.ScaleUp.StabilizationWindowSeconds != nil:
		window, direction, cost = *b.ScaleUp.StabilizationWindowSeconds, "scaleUp", "부하는 지금 있는데 파드가 모자랍니다"
	case c.Reason == "ScaleDownStabilized" && d.Proposed*2 <= current && b.ScaleDown != nil && b.ScaleDown.StabilizationWindowSeconds != nil && *b.ScaleDown.StabilizationWindowSeconds >= hour/2:
		window, direction, cost = *b.ScaleDown.StabilizationWindowSeconds, "scaleDown", "절반보다 많은 파드가 남아돕니다"
	default:
		return nil
	}
	return &Finding{What: fmt.Sprintf("%s의 안정화 구간 %d초가 %d개로 가는 것을 막고 있습니다. %s.", direction, window, d.Proposed, cost),
		Evidence: []Line{observed("AbleToScale %s: %s", c.Reason, c.Message), observed("behavior.%s.stabilizationWindowSeconds %d", direction, window),
			recomputed("지금 메트릭이 원하는 것은 %d개, 레플리카는 %d개", d.Proposed, current), unknown("언제부터 이랬는지. 지난 제안은 컨트롤러의 메모리에만 있습니다")},
		Fix:     fmt.Sprintf("behavior.%s.stabilizationWindowSeconds를 줄이십시오(기본값은 늘릴 때 0초, 줄일 때 300초).", direction),
		Command: fmt.Sprintf("kubectl get hpa %s -n %s -o jsonpath='{.spec.behavior}'", h.Name, h.Namespace)}
}

// appliers are the managers that write the same manifest again and again with an Update,
// and not with server-side apply.
var appliers = []string{"helm", "argocd-controller", "argocd-application-controller", "Terraform", "HashiCorp"}

// replicasInManifest finds who sets replicas back each time that a manifest is applied.
// That somebody owns the field after an Update is evidence only where it is not the
// default: of an Update the API server counts defaults as written.
func replicasInManifest(_ *Snapshot, h *HPA) *Finding {
	if h.Target == nil {
		return nil
	}
	meta, target := h.Target.Meta, strings.ToLower(h.Spec.ScaleTargetRef.Kind)+" "+h.Spec.ScaleTargetRef.Name
	f := &Finding{What: "매니페스트를 적용할 때마다 spec.replicas가 HPA의 결정을 덮어씁니다.",
		Fix:     "매니페스트에서 spec.replicas를 지우십시오. 서버 사이드 적용이라면 지우고 다시 적용하시면 됩니다. 클라이언트 사이드 적용이라면 지우는 첫 적용이 1로 되돌리므로, kubectl apply edit-last-applied로 먼저 그 줄을 지우십시오.",
		Command: fmt.Sprintf("kubectl get %s -n %s -o yaml --show-managed-fields", target, h.Namespace)}
	var applied struct {
		Spec struct {
			Replicas *int32 `json:"replicas"`
		} `json:"spec"`
	}
	if json.Unmarshal([]byte(meta.Annotations[corev1.LastAppliedConfigAnnotation]), &applied) == nil && applied.Spec.Replicas != nil {
		f.Evidence = append(f.Evidence, observed("주석 %s에 spec.replicas: %d", corev1.LastAppliedConfigAnnotation, *applied.Spec.Replicas))
	}
	for _, m := range meta.ManagedFields {
		again := m.Operation == metav1.ManagedFieldsOperationApply ||
			slices.Contains(appliers, m.Manager) && h.Target.Scale.Spec.Replicas != 1
		if again && m.Subresource == "" && owns(m) {
			f.Evidence = append(f.Evidence, observed("managedFields: spec.replicas의 주인은 %s(%s)입니다", m.Manager, m.Operation))
		}
	}
	if len(f.Evidence) == 0 {
		return nil
	}
	return f
}
