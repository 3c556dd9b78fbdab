package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/stepscale/stepscale/clusters/kind"
	"github.com/stepscale/stepscale/cmd/stepscale/tui"
)

// kindPhases are the library's words for what it does, by their beginning.
var kindPhases = []struct{ begins, korean string }{
	{"Ensuring node image", "노드 이미지"},
	{"Preparing nodes", "노드 컨테이너"},
	{"Configuring the external load balancer", "로드 밸런서"},
	{"Writing configuration", "kubeadm 설정"},
	{"Starting control-plane", "컨트롤 플레인"},
	{"Installing CNI", "파드 네트워크(CNI)"},
	{"Installing StorageClass", "스토리지클래스"},
	{"Joining worker nodes", "워커 노드"},
}

func kindPhase(phase string) string {
	for _, p := range kindPhases {
		if rest, ok := strings.CutPrefix(phase, p.begins); ok {
			return p.korean + rest
		}
	}
	return phase
}

// kindReasons is what a learner can do about each.
var kindReasons = map[kind.Reason]struct{ what, hint string }{
	kind.NoEngine:       {"컨테이너 엔진을 찾지 못했습니다", "docker, podman, nerdctl 가운데 하나를 설치하고 실행해 주십시오. 임베디드 클러스터에는 필요하지 않습니다."},
	kind.EngineDown:     {"컨테이너 엔진이 답하지 않습니다", "Docker Desktop이나 docker 데몬을 켜 주십시오. 권한 오류라면 사용자를 docker 그룹에 넣고 다시 로그인해 주십시오."},
	kind.BadName:        {"kind 클러스터의 이름으로 쓸 수 없습니다", "--name에는 영어 소문자, 숫자, 점, 붙임표만 쓰고, 소문자나 숫자로 시작해 주십시오."},
	kind.NameTaken:      {"같은 이름의 kind 클러스터가 이미 있습니다", "stepscale이 만든 것이 아니어서 건드리지 않았습니다. kind get clusters로 확인하시고, 지워도 되는 것이면 kind delete cluster로 지워 주십시오."},
	kind.NoImage:        {"이미지를 내려받지 못했습니다", "네트워크를 확인해 주십시오. 인터넷이 없는 곳에서는 다른 컴퓨터에서 docker save로 저장한 이미지를 docker load로 넣어 두고 다시 실행하시면 됩니다. 노드에 넣는 것은 stepscale이 합니다."},
	kind.NoMetrics:      {"메트릭 서버가 답하지 않습니다", "kubectl get pods -n kube-system -l k8s-app=metrics-server로 이유를 확인하신 뒤 다시 실행해 주십시오."},
	kind.NoMemory:       {"메모리가 모자랍니다", "Docker에 4 GB 이상을 주고 다시 실행해 주십시오. 임베디드 클러스터는 500 MB면 됩니다."},
	kind.NodeFailed:     {"노드 컨테이너에서 쿠버네티스를 시작하지 못했습니다", "cgroup v2인지, inotify 한도(fs.inotify.max_user_instances)가 충분한지 확인해 주십시오. https://kind.sigs.k8s.io/docs/user/known-issues/"},
	kind.HalfMade:       {"만들다 만 kind 클러스터가 있습니다", "한 번 더 실행하시면 지우고 새로 만듭니다."},
	kind.NotReady:       {"노드가 준비되지 않았습니다", "docker ps로 노드 컨테이너가 실행 중인지, kubectl describe node로 이유를 확인해 주십시오."},
	kind.TwoControllers: {"클러스터의 HPA 컨트롤러가 켜져 있습니다", "HPA 컨트롤러가 둘이면 서로 고쳐 쓰게 되므로 실행하지 않습니다. 클러스터를 지우고 다시 만들어 주십시오."},
	kind.Unreachable:    {"노드가 이 컴퓨터에 닿지 않습니다", "방화벽(ufw, firewalld)이나 rootless Docker가 막는 일이 많습니다. 그대로 두셔도 됩니다. VPA의 웹훅을 부를 수 없으므로, 대신 API 서버가 MutatingAdmissionPolicy로 파드를 고칩니다."},
}

// clusterError says in Korean what a provider says with a known cause. Others come
// back as they are.
func clusterError(err error) error {
	var e *kind.Error
	if !errors.As(err, &e) {
		return err
	}
	r := kindReasons[e.Reason]
	if e.Image != "" {
		r.what += " (" + e.Image + ")"
	}
	cause := e.Err
	if e.Output != "" {
		cause = errors.New(e.Output)
	}
	return &userError{what: r.what, hint: r.hint, cause: cause}
}

// clusterArg is the cluster that a command names; embedded when it names none.
func clusterArg(given []string, name string) (string, error) {
	which := clusterEmbedded
	if len(given) > 0 {
		which = given[0]
	}
	switch {
	case which != clusterEmbedded && which != clusterKind:
		return "", usageError("모르는 클러스터입니다: "+which, "embedded 또는 kind를 적어 주십시오.")
	case which == clusterEmbedded && name != "":
		return "", usageError("--name은 kind와 함께 씁니다.", "예: stepscale cluster up kind --name "+name)
	}
	return which, nil
}

// kindUp makes a kind cluster ready for lessons; nothing when which names none.
func (a *app) kindUp(ctx context.Context, which, name string) error {
	if which != clusterKind {
		return nil
	}
	screen := tui.New(a.out)
	c, err := a.connectKind(ctx, place{name: name}, (&startup{screen: screen}).Phase)
	screen.Erase()
	if err != nil {
		return err
	}
	screen.Done("클러스터가 켜져 있습니다: " + c.info.Name + ", 쿠버네티스 " + c.info.Version)
	showKubeconfig(screen, c.info.Kubeconfig)
	screen.Note("수업: " + kindCommand("stepscale learn hpa --cluster kind", name))
	return nil
}

func (a *app) kindDown(ctx context.Context, which, name string) error {
	if which != clusterKind {
		return nil
	}
	screen := tui.New(a.out)
	cluster, err := kindCluster(name, (&startup{screen: screen}).Phase)
	if err != nil {
		return err
	}
	if !cluster.Ours() {
		screen.Note("stepscale이 만든 kind 클러스터 " + cluster.Info().Name + "은(는) 없습니다. 지운 것이 없습니다.")
		return nil
	}
	if err := cluster.Down(ctx); err != nil {
		return clusterError(err)
	}
	screen.Done("kind 클러스터를 지웠습니다.")
	return nil
}

// kindCommand is a command line for the kind cluster of that name.
func kindCommand(line, name string) string {
	if name == "" {
		return line
	}
	return line + " --name " + name
}
