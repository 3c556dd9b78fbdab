package problem

import (
	"errors"

	"github.com/stepscale/stepscale/clusters/kind"
)

// ofKind is what a learner can do about each reason.
var ofKind = map[kind.Reason]words{
	kind.NoEngine:       {"컨테이너 엔진을 찾지 못했습니다", "docker, podman, nerdctl 가운데 하나를 설치하고 실행해 주십시오. 임베디드 클러스터에는 필요하지 않습니다."},
	kind.EngineDown:     {"컨테이너 엔진이 답하지 않습니다", "Docker Desktop이나 docker 데몬을 켜 주십시오. 권한 오류라면 사용자를 docker 그룹에 넣고 다시 로그인해 주십시오."},
	kind.BadName:        {"kind 클러스터의 이름으로 쓸 수 없습니다", "--name에는 영어 소문자, 숫자, 점, 붙임표만 쓰고, 소문자나 숫자로 시작해 주십시오."},
	kind.NameTaken:      {"같은 이름의 kind 클러스터가 이미 있습니다", "stepscale이 만든 것이 아니어서 건드리지 않았습니다. kind get clusters로 확인하시고, 지워도 되는 것이면 kind delete cluster로 지워 주십시오."},
	kind.NoImage:        {"이미지를 내려받지 못했습니다", "네트워크를 확인해 주십시오. 인터넷이 없는 곳에서는 다른 컴퓨터에서 docker save로 저장한 이미지를 docker load로 넣어 두고 다시 실행하시면 됩니다. 노드에 넣는 것은 stepscale이 합니다."},
	kind.NoMetrics:      {"Metrics Server가 답하지 않습니다", "kubectl get pods -n kube-system -l k8s-app=metrics-server로 이유를 확인하신 뒤 다시 실행해 주십시오."},
	kind.NoMemory:       {"메모리가 모자랍니다", "Docker에 4 GB 이상을 주고 다시 실행해 주십시오. 임베디드 클러스터는 500 MB면 됩니다."},
	kind.NodeFailed:     {"노드 컨테이너에서 쿠버네티스를 시작하지 못했습니다", "cgroup v2인지, inotify 한도(fs.inotify.max_user_instances)가 충분한지 확인해 주십시오. https://kind.sigs.k8s.io/docs/user/known-issues/"},
	kind.HalfMade:       {"만들다 만 kind 클러스터가 있습니다", "한 번 더 실행하시면 지우고 새로 만듭니다."},
	kind.NotReady:       {"노드가 준비되지 않았습니다", "docker ps로 노드 컨테이너가 실행 중인지, kubectl describe node로 이유를 확인해 주십시오."},
	kind.TwoControllers: {"클러스터의 HPA 컨트롤러가 켜져 있습니다", "HPA 컨트롤러가 둘이면 서로 고쳐 쓰게 되므로 실행하지 않습니다. 클러스터를 지우고 다시 만들어 주십시오."},
	kind.Unreachable:    {"노드가 이 컴퓨터에 닿지 않습니다", "방화벽(ufw, firewalld)이나 rootless Docker가 막는 일이 많습니다. 그대로 두셔도 됩니다. VPA의 웹훅을 부를 수 없으므로, 대신 API 서버가 MutatingAdmissionPolicy로 파드를 고칩니다."},
}

// KindHint is what a learner can do about the reason.
func KindHint(r kind.Reason) string { return ofKind[r].hint }

func kindError(e *kind.Error) error {
	w, known := ofKind[e.Reason]
	if !known {
		return e
	}
	if e.Image != "" {
		w.what += " (" + e.Image + ")"
	}
	cause := e.Err
	if e.Output != "" {
		cause = errors.New(e.Output)
	}
	if e.Logs != "" {
		w.hint = "노드가 남긴 기록을 위의 경로에 저장해 두었습니다. " + w.hint
	}
	return &Error{What: w.what, Where: e.Logs, Hint: w.hint, Cause: cause}
}
