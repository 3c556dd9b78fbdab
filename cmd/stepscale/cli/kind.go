package cli

import (
	"context"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
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

// clusterArg is the cluster that a command names; embedded when it names none.
func clusterArg(given []string, name string) (string, error) {
	which := clusterEmbedded
	if len(given) > 0 {
		which = given[0]
	}
	switch {
	case which != clusterEmbedded && which != clusterKind:
		return "", problem.Usage("모르는 클러스터입니다: "+which, "embedded 또는 kind를 적어 주십시오.")
	case which == clusterEmbedded && name != "":
		return "", problem.Usage("--name은 kind와 함께 씁니다.", "예: stepscale cluster up kind --name "+name)
	}
	return which, nil
}

// kindUp makes a kind cluster ready for lessons; nothing when which names none.
func (a *app) kindUp(ctx context.Context, which, name string) error {
	if which != clusterKind {
		return nil
	}
	screen := view.New(a.out)
	c, err := a.connectKind(ctx, target{name: name}, (&startup{screen: screen}).Phase)
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
	screen := view.New(a.out)
	cluster, err := a.kindCluster(name, (&startup{screen: screen}).Phase)
	if err != nil {
		return err
	}
	if !cluster.Ours() {
		screen.Note("stepscale이 만든 kind 클러스터 " + cluster.Info().Name + "은(는) 없습니다. 지운 것이 없습니다.")
		return nil
	}
	if err := cluster.Down(ctx); err != nil {
		return problem.OfCluster(err)
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
