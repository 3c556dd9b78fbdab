package whatif

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/stepscale/stepscale/engine/hpa"
)

// Live sets everything in an HPA that is about to be written to a cluster. A controller that
// runs already keeps its flags, so that they are no part of it. The error is a *SetError.
func (e *Edit) Live(p hpa.Params, object *autoscalingv2.HorizontalPodAutoscaler) error {
	for _, s := range e.sets {
		if isFlag(s.key) {
			return &SetError{s.text, "이미 실행 중인 컨트롤러의 플래그는 바꿀 수 없습니다", "HPA의 필드를 적어 주십시오. 예: target=70, maxReplicas=6"}
		}
	}
	r := hpa.Recorded{Params: p, Input: hpa.Input{Now: object.CreationTimestamp.Time, HPA: object}}
	if err := e.apply(&r); err != nil {
		return err
	}
	object.Spec = r.Input.HPA.Spec
	return nil
}
