package cli

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/clusters/kind"
	"github.com/stepscale/stepscale/clusters/workload"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/hpa"
)

// connect starts or finds the cluster that the learner named.
func (a *app) connect(ctx context.Context, progress func(phase string, took time.Duration)) (*connection, error) {
	switch {
	case a.target.attached():
		return a.attachTo(ctx, a.target)
	case a.target.cluster == clusterKind:
		return a.connectKind(ctx, a.target, progress)
	}
	return a.connectEmbedded(ctx, progress)
}

// connectKind makes the cluster or finds it, with the Metrics Server in it and the
// workload on its nodes. It stays when the lesson is over.
func (a *app) connectKind(ctx context.Context, p target, progress func(phase string, took time.Duration)) (*connection, error) {
	cluster, err := a.kindCluster(p.name, progress)
	if err != nil {
		return nil, err
	}
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return nil, problem.OfCluster(err)
	}
	a.kept = kindCommand("stepscale cluster down kind", p.name)
	c := &connection{state: a.state, config: cfg, info: cluster.Info(), close: func() error { return nil }, mode: hpa.ModeAlone, image: p.image,
		down: a.kept, listen: cluster.Listen, reach: cluster.Reach}
	if c.image == "" {
		c.image = workload.Image
		err := phase(progress, "워크로드 이미지", func() error {
			return cluster.LoadImage(ctx, c.image, func() ([]byte, error) { return workloadImage(ctx, runtime.GOARCH) })
		})
		if err != nil {
			return nil, imageError(err)
		}
	}
	err = phase(progress, "메트릭 서버", func() error { return cluster.InstallMetrics(ctx, cfg, liveTimeout) })
	return c, problem.OfCluster(err)
}

// phase reports something that takes a while.
func phase(progress func(string, time.Duration), name string, do func() error) error {
	begin := time.Now()
	progress(name, 0)
	if err := do(); err != nil {
		return err
	}
	progress(name, time.Since(begin))
	return nil
}

// kindCluster is the kind cluster of that name, which need not exist.
func (a *app) kindCluster(name string, progress func(phase string, took time.Duration)) (*kind.Cluster, error) {
	dir, err := a.state.Path("kind")
	if err != nil {
		return nil, err
	}
	return kind.New(kind.Options{Name: name, Dir: dir, Progress: func(phase string, took time.Duration) {
		progress(kindPhase(phase), took)
	}}), nil
}

// attachTo finds a cluster that somebody else runs. Its HPA controller is taken to
// be on: nobody can look at the flags of a managed control plane.
func (a *app) attachTo(ctx context.Context, p target) (*connection, error) {
	signer, err := a.state.Signer()
	if err != nil {
		return nil, err
	}
	cluster := eks.New(p.attach)
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return nil, problem.OfCluster(err)
	}
	cfg.QPS, cfg.Burst = 50, 100 // others use it too
	kubeconfig, err := kubectlFor(a.state, cluster, p.attach)
	if err != nil {
		return nil, err
	}
	if p.image == "" {
		return nil, problem.Usage("CPU를 쓸 워크로드의 이미지를 알 수 없습니다.",
			"stepscale image로 만들어 클러스터가 닿는 레지스트리(예: ECR)에 올리고 --image로 적어 주십시오. 한 번만 하면 됩니다.")
	}
	info := cluster.Info()
	info.Kubeconfig = kubeconfig
	return &connection{
		state: a.state, config: cfg, info: info, close: func() error { return cluster.Down(ctx) },
		owner: signer.Owner(), signer: signer, namespace: p.namespace, mode: hpa.Mode(p.mode), image: p.image,
		inPlace: p.vpaUpdate != updateRecreate, deniedVPA: cluster.DeniedVPA,
	}, nil
}

// kubectlFor is the KUBECONFIG of the learner's second terminal. No credential is
// written: for EKS a plugin makes tokens, and for a context a file of ours says only
// which one it is, before the files that have it.
func kubectlFor(home state.Dir, cluster *eks.Cluster, o eks.Options) (string, error) {
	dir, err := home.Path()
	if err != nil {
		return "", err
	}
	if o.Name != "" {
		self, err := os.Executable()
		if err != nil {
			return "", err
		}
		file := filepath.Join(dir, "eks", cluster.Info().Name)
		return file, cluster.WriteKubeconfig(file, self)
	}
	files := clientcmd.NewDefaultClientConfigLoadingRules().Precedence
	if o.Kubeconfig != "" {
		files = []string{o.Kubeconfig}
	}
	file := filepath.Join(dir, "contexts", state.FileName(o.Context))
	err = clientcmd.WriteToFile(api.Config{CurrentContext: o.Context}, file)
	return strings.Join(append([]string{file}, files...), string(filepath.ListSeparator)), err
}
