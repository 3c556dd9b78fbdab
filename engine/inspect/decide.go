package inspect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
)

// Decision is what the engine makes of what was read about one HPA.
type Decision struct {
	Desired  int32 // replicas, if the controller remembers only what the status tells
	Proposed int32 // replicas that the metrics ask for, with nothing remembered and before policies; Desired where they ask for nothing
	// Alternatives are the replicas that it may come to, whatever the controller remembers; more
	// than one where a single look does not decide.
	Alternatives []int32
	Facts        []trace.Fact // of the calculation
	Err          error        // of the metrics
	Skipped      string       // why there is no decision, in Korean; then nothing else is set
}

// decide computes the HPA's decision again, from one look.
func (s *Snapshot) decide(h *HPA) Decision {
	switch {
	case len(h.Unknown) > 0:
		return Decision{Skipped: "이 엔진(쿠버네티스 1.37의 autoscaling/v2)이 모르는 필드가 있습니다: " + strings.Join(h.Unknown, ", ")}
	case h.Target == nil:
		return Decision{Skipped: "대상의 scale을 읽지 못했습니다."}
	case s.Unread[KindPods] != "":
		return Decision{Skipped: "파드를 읽지 못했습니다: " + s.Unread[KindPods]}
	}
	p, in := hpa.DefaultParams(), s.input(h)
	if err := (&hpa.Recorded{Params: p, Input: in}).Validate(); err != nil {
		return Decision{Skipped: "읽은 값으로는 결정을 계산할 수 없습니다: " + err.Error()}
	}
	d := hpa.NewDecision(p, in, hpa.Supposed(p, in))
	var made Decision
	for _, stage := range hpa.Stages() {
		made.Facts = append(made.Facts, d.Run(stage).Facts()...)
	}
	r := d.Result()
	made.Desired, made.Proposed, made.Err = r.Desired, r.Desired, r.Err
	made.Alternatives = hpa.Alternatives(p, in)
	for _, f := range made.Facts {
		if f.Name == "metricDesiredReplicas" {
			_, _ = fmt.Sscan(f.Value, &made.Proposed)
		}
	}
	return made
}

// input is everything that one decision reads.
func (s *Snapshot) input(h *HPA) hpa.Input {
	object := h.HorizontalPodAutoscaler.DeepCopy()
	object.ManagedFields = nil
	scale := h.Target.Scale
	in := hpa.Input{Now: s.Now, HPA: object, SpecReplicas: scale.Spec.Replicas, StatusReplicas: scale.Status.Replicas, Selector: scale.Status.Selector, Metrics: h.Metrics, Pods: s.podsOf(h)}
	in.Rivals = s.rivals(h, in.Pods)
	return in
}

// condition is the HPA's condition of that type; nil where it has none.
func (h *HPA) condition(kind autoscalingv2.HorizontalPodAutoscalerConditionType) *autoscalingv2.HorizontalPodAutoscalerCondition {
	for i := range h.Status.Conditions {
		if h.Status.Conditions[i].Type == kind {
			return &h.Status.Conditions[i]
		}
	}
	return nil
}

// lines are what is known about one HPA, and what is not.
func (s *Snapshot) lines(h *HPA, d Decision) []Line {
	var all []Line
	if h.Target != nil {
		all = append(all, observed("레플리카 %d개 (범위 %d~%d), 파드 %d개", h.Target.Scale.Spec.Replicas, h.minReplicas(), h.Spec.MaxReplicas, len(s.podsOf(h))))
	} else {
		all = append(all, unknown("대상 %s의 scale: %s", h.target(), reason(h.TargetErr)))
	}
	if len(h.Status.Conditions) > 0 {
		text := fmt.Sprintf("컨트롤러의 마지막 결정(status.desiredReplicas): %d개", h.Status.DesiredReplicas)
		if t := h.Status.LastScaleTime; t != nil {
			text += fmt.Sprintf(", 마지막으로 크기를 바꾼 지 %s", korean.Age(s.Now.Sub(t.Time)))
		}
		all = append(all, observed("%s", text))
	} else {
		all = append(all, unknown("컨트롤러의 마지막 결정: status에 아직 아무것도 없습니다"))
	}
	for _, c := range h.Status.Conditions {
		if telling(c) {
			all = append(all, observed("%s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message))
		}
	}
	return append(all, s.decisionLines(h, d)...)
}

func (s *Snapshot) decisionLines(h *HPA, d Decision) []Line {
	if d.Skipped != "" {
		return []Line{unknown("결정을 다시 계산하지 못했습니다. %s", d.Skipped)}
	}
	var all []Line
	current := h.Target.Scale.Spec.Replicas
	switch {
	case len(d.Alternatives) > 1:
		all = append(all, unknown("결정: %s. 컨트롤러가 메모리에 담아 둔 지난 제안과 크기 변경에 달려 있습니다. 지켜보시면 알 수 있습니다: stepscale observe %s -n %s", either(d.Alternatives), h.Name, h.Namespace))
	case d.Err != nil && d.Desired == current:
		all = append(all, recomputed("결정: %d개 그대로. 메트릭을 계산하지 못합니다: %v", current, d.Err))
	case d.Desired == current:
		all = append(all, recomputed("결정: %d개 그대로", current))
	default:
		all = append(all, recomputed("결정: %d개 → %d개", current, d.Desired))
	}
	if d.Err != nil {
		return all
	}
	if d.Proposed != d.Desired {
		text := "메트릭이 원하는 것은 %d개이고, 안정화와 한도를 거치면 %d개입니다"
		if len(d.Alternatives) > 1 {
			text = "메트릭이 원하는 것은 %d개이고, 컨트롤러가 status에 적은 것만 기억한다면 %d개입니다"
		}
		all = append(all, recomputed(text, d.Proposed, d.Desired))
	}
	if len(h.Status.Conditions) > 0 && !slices.Contains(d.Alternatives, h.Status.DesiredReplicas) {
		all = append(all, recomputed("마지막 결정 %d개와 다릅니다. 그 뒤에 바뀐 값을 읽었습니다", h.Status.DesiredReplicas))
	}
	return all
}

// either lists replica counts of which one holds: "2개나 4개".
func either(all []int32) string {
	var parts []string
	for _, n := range all {
		parts = append(parts, fmt.Sprintf("%d개", n))
	}
	return strings.Join(parts, "나 ")
}

// telling is a condition that says more than that all is well.
func telling(c autoscalingv2.HorizontalPodAutoscalerCondition) bool {
	switch c.Type {
	case autoscalingv2.AbleToScale:
		return c.Status != "True" || c.Reason == "ScaleDownStabilized" || c.Reason == "ScaleUpStabilized"
	case autoscalingv2.ScalingActive:
		return c.Status != "True"
	case autoscalingv2.ScalingLimited, autoscalingv2.ScaledToZero:
		return c.Status == "True"
	}
	return false
}

func reason(err error) string {
	if err == nil {
		err = errors.New("읽지 못했습니다")
	}
	return err.Error()
}
