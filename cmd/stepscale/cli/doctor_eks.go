package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/korean"
)

// lessonPods is what the largest lesson of a real cluster may come to: the HPA's
// maximum, and the pod that makes the load.
const lessonPods = 11

// lessonPodCPU is the request of each.
var lessonPodCPU = resource.MustParse("100m")

func eksFindings(name string, r attached.Report) []finding {
	who := r.Username
	if r.Identity != "" {
		who += " (" + r.Identity + ")"
	}
	found := []finding{
		{"클러스터", statusOK, name + ", 쿠버네티스 " + r.Version, ""},
		{"신원", statusOK, who, ""},
		clockFinding(r.Skew), access(r), accessVPA(r), nodes(r),
		served("Metrics Server", r.Metrics, statusFail, "metrics.k8s.io에 답이 없습니다", metricsHint(r)),
		served("VPA", r.VPA, statusWarn, "설치되어 있지 않습니다", "HPA 수업에는 필요하지 않습니다."),
		served("MutatingAdmissionPolicy", r.Policies, statusWarn, "admissionregistration.k8s.io/v1에 없습니다", "1.36부터 기본입니다. 그 전 버전에서는 새 파드에 VPA의 추천을 넣을 웹훅을 클러스터 안에 두어야 합니다."),
	}
	if r.Fence != nil {
		found = append(found, fence(*r.Fence))
	}
	return found
}

// fence is not a lesson's need: it keeps students from the rest of the cluster.
func fence(f attached.Fence) finding {
	const name, hint = "네임스페이스의 울타리", "강사가 stepscale class namespace로 만든 네임스페이스에는 모두 있습니다."
	switch {
	case len(f.Missing) > 0:
		return finding{name, statusWarn, "없는 것: " + strings.Join(f.Missing, ", "), "학생이 노드나 다른 사람의 파드에 손댈 수 있습니다. " + hint}
	case len(f.Unseen) > 0:
		return finding{name, statusWarn, "볼 권한이 없어 확인하지 못한 것: " + strings.Join(f.Unseen, ", "), hint}
	}
	return finding{name, statusOK, "파드 보안(restricted), ResourceQuota, LimitRange, NetworkPolicy, 정책 stepscale-student가 있습니다", ""}
}

func clockFinding(skew time.Duration) finding {
	f := finding{"시각", statusOK, "API 서버와 맞습니다", ""}
	if skew.Abs() < problem.SkewWarn {
		return f
	}
	f.Status, f.Detail = statusWarn, strings.TrimSpace(problem.ClockIs(skew))
	f.Hint = "컴퓨터의 시각 동기화(NTP)를 켜 주십시오. 5분 넘게 틀리면 AWS가 서명을 받지 않고, 15분 넘게 틀리면 토큰이 거절되며, 인증서도 만료된 것으로 보일 수 있습니다."
	if skew.Abs() >= problem.SkewFail {
		f.Status = statusFail
	}
	return f
}

// onEKS tells by what a cluster says of itself: it may have been named by a context.
func onEKS(r attached.Report) bool { return r.Identity != "" || strings.Contains(r.Version, "-eks-") }

// grant says whom to ask for permissions.
func grant(r attached.Report) string {
	const ask = "강사가 stepscale class install을 실행하고, 만들어진 ClusterRole stepscale-student를 네임스페이스에서 이 신원에 묶어 주면 됩니다."
	if onEKS(r) {
		return "AmazonEKSEditPolicy로는 모자랍니다. " + ask
	}
	return ask
}

// metricsHint says who brings a Metrics Server.
func metricsHint(r attached.Report) string {
	if onEKS(r) {
		return "EKS에는 처음부터 들어 있지 않습니다. 강사가 aws eks create-addon --addon-name metrics-server로 설치해야 합니다."
	}
	return "클러스터를 관리하는 분이 Metrics Server(kubernetes-sigs/metrics-server)를 설치해야 합니다. 설치되어 있다면 kubectl get apiservice v1beta1.metrics.k8s.io로 이유를 볼 수 있습니다."
}

func access(r attached.Report) finding {
	if r.NoNamespace {
		return finding{"권한", statusFail, "그런 네임스페이스가 없습니다", "kubectl get namespaces로 이름을 확인해 주십시오. --namespace 없이 실행하시면 새로 만들 권한이 있는지 확인합니다."}
	}
	if len(r.Denied) == 0 {
		return finding{"권한", statusOK, "HPA 수업에 필요한 권한이 모두 있습니다", ""}
	}
	what := "없는 권한: " + strings.Join(r.Denied, "; ")
	if slices.ContainsFunc(r.Denied, func(d string) bool { return strings.HasSuffix(d, " namespaces") }) {
		what = "네임스페이스를 만들 권한이 없습니다. 강사가 만들어 준 네임스페이스가 있으면 --namespace로 적어 주십시오. " + what
	}
	return finding{"권한", statusFail, what, grant(r)}
}

func accessVPA(r attached.Report) finding {
	const name = "VPA 수업의 권한"
	if r.NoNamespace {
		return finding{name, statusWarn, "네임스페이스가 없어 확인하지 못했습니다", "--namespace의 이름을 확인해 주십시오."}
	}
	if len(r.DeniedVPA) == 0 {
		return finding{name, statusOK, "모두 있습니다", ""}
	}
	return finding{name, statusWarn, "없는 권한: " + strings.Join(r.DeniedVPA, "; "), "VPA 수업에만 필요합니다. " + grant(r)}
}

func nodes(r attached.Report) finding {
	const name = "노드"
	switch {
	case r.NodesDenied:
		return finding{name, statusWarn, "노드를 볼 권한이 없어 용량을 알 수 없습니다", "nodes의 list 권한이 있으면 용량까지 확인해 드립니다."}
	case r.Nodes == 0:
		return finding{name, statusFail, "파드를 받을 수 있는 노드가 없습니다", "노드 그룹의 크기를 확인해 주십시오."}
	}
	all := fmt.Sprintf("%d개, 할당할 수 있는 CPU %s, 메모리 %s", r.Nodes, cores(r.CPU), gibibytes(r.Memory))
	if r.PodsDenied {
		return finding{name, statusWarn, all + ". 이미 쓰는 것을 볼 권한이 없어 남은 것은 알 수 없습니다", "모든 네임스페이스의 pods를 list하는 권한이 있으면 남은 용량까지 확인해 드립니다."}
	}
	f := finding{name, statusOK, fmt.Sprintf("%s. 그 가운데 남은 것은 CPU %s, 메모리 %s이고, CPU %s 요청하는 파드가 %d개 더 들어갑니다", all, cores(r.FreeCPU), gibibytes(r.FreeMemory), korean.Object(lessonPodCPU.String()), r.Room), ""}
	if r.Room < lessonPods {
		f.Status = statusWarn
		f.Hint = fmt.Sprintf("가장 큰 수업에는 이런 파드가 %d개 들어갈 자리가 필요합니다. 모자라면 파드가 Pending에 머뭅니다. 노드를 늘리시거나, 노드를 스스로 늘리는 클러스터인지 확인해 주십시오.", lessonPods)
	}
	return f
}

func cores(q resource.Quantity) string { return fmt.Sprintf("%.1f", q.AsApproximateFloat64()) }

func gibibytes(q resource.Quantity) string {
	return fmt.Sprintf("%.1fGi", q.AsApproximateFloat64()/(1<<30))
}

func served(name string, is bool, otherwise, detail, hint string) finding {
	if is {
		return finding{name, statusOK, "있습니다", ""}
	}
	return finding{name, otherwise, detail, hint}
}
