package cli

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"time"

	"github.com/stepscale/stepscale/clusters/kind"
	"github.com/stepscale/stepscale/clusters/workload"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
)

// kindPhases are the library's words for what it does, by their beginning.
var kindPhases = []struct{ begins, korean string }{
	{kind.AllowingCgroupV1, "cgroup v1 호스트: kubelet에 failCgroupV1: false"},
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

// connectKind makes the cluster or finds it, with the Metrics Server in it and the
// workload on its nodes. It stays when the lesson is over.
func (d deps) connectKind(ctx context.Context, t target, phases lab.Phases) (running, error) {
	cluster, err := d.kindCluster(t.name, phases)
	if err != nil {
		return running{}, err
	}
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return running{}, problem.OfCluster(err)
	}
	down := kindCommand("stepscale cluster down kind", t.name)
	c := &lab.Real{Config: cfg, Info: cluster.Info(), Host: lab.Own{Nodes: cluster, Down: down}, Image: t.image, Locks: d.state, Waits: d.waits, Holds: t.holds}
	if c.Image == "" {
		c.Image = workload.Image
		err := phase(phases, "워크로드 이미지", func() error {
			return cluster.LoadImage(ctx, c.Image, func() ([]byte, error) { return workloadImage(ctx, runtime.GOARCH) })
		})
		if err != nil {
			return running{}, errors.Join(imageError(err), &keptError{down})
		}
	}
	if err := phase(phases, "Metrics Server", func() error { return cluster.InstallMetrics(ctx, cfg, lab.RealTimeout) }); err != nil {
		return running{}, errors.Join(problem.OfCluster(err), &keptError{down})
	}
	return running{Cluster: c, down: func() error { return nil }, kept: down}, nil
}

// phase tells of something that takes a while.
func phase(phases lab.Phases, name string, do func() error) error {
	begin := time.Now()
	phases.Phase(name, 0)
	if err := do(); err != nil {
		return err
	}
	phases.Phase(name, time.Since(begin))
	return nil
}

// kindCluster is the kind cluster of that name, which need not exist.
func (d deps) kindCluster(name string, phases lab.Phases) (*kind.Cluster, error) {
	dir, err := d.state.Path("kind")
	if err != nil {
		return nil, err
	}
	return kind.New(kind.Options{Name: name, Dir: dir, Progress: inKorean(phases)}), nil
}

// inKorean tells of the library's phases.
func inKorean(phases lab.Phases) func(string, time.Duration) {
	return func(phase string, took time.Duration) { phases.Phase(kindPhase(phase), took) }
}

// kindUp makes a kind cluster ready for lessons; nothing when which names none.
func (d deps) kindUp(ctx context.Context, which, name string) error {
	if which != clusterKind {
		return nil
	}
	screen := view.New(d.out)
	c, err := d.connectKind(ctx, target{name: name}, &startup{screen: screen})
	screen.Erase()
	if err != nil {
		return err
	}
	screen.Done("클러스터가 켜져 있습니다: " + c.Access().Info.Name + ", 쿠버네티스 " + c.Access().Info.Version)
	showKubeconfig(screen, c.Access().Info.Kubeconfig)
	screen.Note("수업: " + kindCommand("stepscale learn hpa --cluster kind", name))
	return nil
}

func (d deps) kindDown(ctx context.Context, which, name string) error {
	if which != clusterKind {
		return nil
	}
	screen := view.New(d.out)
	cluster, err := d.kindCluster(name, &startup{screen: screen})
	if err != nil {
		return err
	}
	if !cluster.Ours() {
		screen.Note("stepscale이 만든 kind 클러스터 " + korean.Topic(cluster.Info().Name) + " 없습니다. 지운 것이 없습니다.")
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
