package lab

import (
	"errors"
	"fmt"
	"time"

	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/vpa"
)

// notes say what is in force on this cluster and why.
func (s *realSite) notes(period time.Duration) []string {
	notes := []string{fmt.Sprintf("실제 클러스터입니다. 시간과 노드와 부하가 모두 실제이므로, 한 패스에 %s씩 걸리고 숫자가 수업의 설명과 조금씩 다를 수 있습니다.", view.Duration(period)),
		"디플로이먼트 컨트롤러부터 kubelet까지의 액터는 멈춰 세울 수 없습니다. 실제로 움직인 것을 지켜본 기록을 그때의 시각과 함께 하나씩 보여 드립니다."}
	if s.cluster.Holds {
		notes = append(notes, fmt.Sprintf("부하는 수업을 기다립니다. 시나리오의 시간표는 패스마다 %s씩 나아가고, 읽으시는 동안에는 그 자리에 머무릅니다.", view.Duration(period)))
	}
	switch {
	case s.vpaState != nil:
		return append(notes, s.vpaNotes()...)
	case s.Loop.Observes:
		return append(notes, "이번에는 HPA를 그대로 만들어, 클러스터의 HPA 컨트롤러가 움직이게 합니다. stepscale의 엔진은 읽고 예측할 뿐 레플리카 수를 쓰지 않습니다.")
	}
	notes = append(notes, fmt.Sprintf("부하나 파드가 바뀐 직후의 패스는 Metrics Server가 바뀐 뒤의 값을 온전히 잴 때까지(길면 %s쯤) 더 기다립니다.", view.Duration(settling)))
	switch s.mode {
	case hpa.ModeAlone:
		return append(notes, "이 클러스터의 HPA 컨트롤러는 꺼 두었으므로 HPA는 이 엔진만 움직입니다. "+s.cluster.Host.terms().stays)
	case hpa.ModeDrive:
		return append(notes, "이 클러스터의 HPA 컨트롤러는 끌 수 없습니다. 두 엔진이 같은 레플리카 수를 쓰지 않도록 HPA 오브젝트를 만들지 않고, 엔진이 시나리오의 HPA를 읽습니다(drive). kubectl get hpa에는 아무것도 없습니다.")
	}
	return append(notes, "이 클러스터의 HPA 컨트롤러는 끌 수 없습니다. HPA 오브젝트는 있지만 selectPolicy를 Disabled로, 범위를 1~1000000으로 바꾸어 컨트롤러가 레플리카 수를 쓰지 않게 했습니다(disarmed). 진짜 spec은 "+hpa.AnnotationArmed+" 주석에 있고, HPA의 status는 클러스터의 컨트롤러가 쓴 것이므로 믿지 마십시오.")
}

const policyDoes = "새 파드에 추천을 넣는 것은 API 서버 자신입니다(MutatingAdmissionPolicy). 요청량만 적고 제한은 바꾸지 않으며, 추천이 제한보다 크면 제한까지만 적습니다."

// sharedAdmissions say who gives new pods their size on somebody else's cluster, whose
// API server cannot call this machine.
var sharedAdmissions = map[vpa.Admission]string{
	vpa.AdmissionPolicy:  "이 클러스터의 API 서버는 이 컴퓨터의 웹훅을 부를 수 없습니다. 대신 강사가 정책을 설치해 두었습니다. " + policyDoes,
	vpa.AdmissionCluster: "이 클러스터의 API 서버는 이 컴퓨터의 웹훅을 부를 수 없습니다. 새 파드에 추천을 넣는 것은 클러스터 안에 설치된 업스트림의 Admission Controller이고, stepscale은 지켜보기만 합니다.",
	vpa.AdmissionBoth:    "이 클러스터에는 새 파드에 추천을 넣는 것이 둘 있습니다: stepscale class install의 정책과 업스트림의 Admission Controller. 추천이 생기면 3단계에서 파드를 dry-run으로 만들어 확인하고, 둘 다 움직이면 정책이 이 VPA를 건너뛰게 합니다.",
	vpa.AdmissionNone:    "이 클러스터의 API 서버는 이 컴퓨터의 웹훅을 부를 수 없고, 새 파드에 추천을 넣어 줄 컴포넌트도 없습니다. 쿠버네티스 1.36부터는 강사가 stepscale class install로 정책을 설치하면 됩니다.",
	vpa.AdmissionUnknown: "새 파드에 추천을 넣는 것이 무엇인지 볼 권한이 없습니다. 추천이 생기면 3단계에서 파드를 dry-run으로 만들어 확인합니다.",
}

// ownAdmissions say it on a cluster of ours.
var ownAdmissions = map[vpa.Admission]string{
	vpa.AdmissionWebhook: "새 파드에 추천을 넣는 것은 이 프로세스 안의 업스트림 Admission Controller입니다. 클러스터의 API 서버가 이 컴퓨터의 웹훅을 부릅니다.",
	vpa.AdmissionPolicy:  policyDoes,
	vpa.AdmissionNone:    "이 버전의 쿠버네티스에는 정책으로 대신할 방법도 없어(1.36부터) 축출하지 않습니다.",
}

// vpaNotes say who gives new pods their size, and how pods are changed.
func (s *realSite) vpaNotes() []string {
	var notes []string
	admissions := ownAdmissions
	if s.vpaState.Shared {
		admissions = sharedAdmissions
	}
	if s.vpaState.Unreachable != nil {
		notes = append(notes, "API 서버가 이 컴퓨터의 웹훅에 닿지 못했습니다(방화벽이나 rootless Docker가 막는 일이 많습니다): "+saidBy(s.vpaState.Unreachable))
	}
	if s.vpaState.PolicyLeaves && !s.vpaState.Shared {
		notes = append(notes, "이 클러스터에는 stepscale class install의 정책도 있습니다. 한 파드를 둘이 고치지 않도록, 이 수업의 VPA는 정책이 건너뜁니다.")
	}
	switch {
	case s.vpaState.Unlabelled:
		notes = append(notes, fmt.Sprintf("새 파드에 추천을 넣는 정책이 있지만, 네임스페이스 %s에 레이블이 없어 적용되지 않습니다. 강사에게 부탁해 주십시오: kubectl label namespace %s stepscale.io/managed=true", s.Namespace(), s.Namespace()))
	case s.vpaState.Deployed(): // or it is a step of the lesson to find it out
		notes = append(notes, admissions[s.vpaState.Admission])
	}
	if s.vpaState.Unchecked {
		notes = append(notes, "다른 VPA Updater가 이 클러스터에 있는지 볼 권한이 없습니다. 있다면 수업의 파드를 먼저 바꿀 수 있습니다.")
	}
	switch {
	case !s.vpaState.Shared:
		return append(notes, s.cluster.Host.terms().stays)
	case s.vpaState.Mode() == vpav1.UpdateModeInPlaceOrRecreate:
		return append(notes, "VPA는 파드를 그 자리에서 먼저 조정하고(pods/resize), 안 되면 축출합니다.")
	case s.vpaState.Mode() == vpav1.UpdateModeRecreate:
		text := "VPA는 시나리오에 적힌 대로, 원문의 4)~7)처럼 파드를 축출합니다(recreate). 추천을 넣어 줄 것이 확인되지 않으면 축출하지 않습니다."
		if !s.budget {
			text += " 그 자리에서 먼저 조정하게 하시려면 --vpa-update in-place를 적어 주십시오."
		}
		return append(notes, text)
	}
	return notes
}

// saidBy is what a known error says in Korean, with its cause.
func saidBy(err error) string {
	var u *problem.Error
	if !errors.As(problem.OfCluster(err), &u) {
		return err.Error()
	}
	if u.Cause != nil {
		return u.What + ": " + u.Cause.Error()
	}
	return u.What
}
