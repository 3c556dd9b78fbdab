package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/hpa"
)

// attach finds a cluster that somebody else runs.
func (d deps) attach(ctx context.Context, t target) (running, error) {
	signer, err := d.state.Signer()
	if err != nil {
		return running{}, err
	}
	cluster := t.open()
	cfg, err := cluster.Up(ctx)
	if err != nil && t.seated {
		return running{}, seatError(err)
	}
	if err != nil {
		return running{}, problem.OfCluster(err)
	}
	cfg.QPS, cfg.Burst = 50, 100 // others use it too
	info := cluster.Info()
	if info.Kubeconfig, err = kubectlFor(d.state, cluster, t.attach); err != nil {
		return running{}, err
	}
	if t.image == "" {
		return running{}, problem.Usage("CPU를 쓸 워크로드의 이미지를 알 수 없습니다.",
			"stepscale image로 만들어 클러스터가 닿는 레지스트리(예: ECR)에 올리고 --image로 적어 주십시오. 한 번만 하면 됩니다.")
	}
	guest := &lab.Guest{Target: t.guest(), Info: info, State: d.state, Signer: signer, Mode: hpa.Mode(t.mode), InPlace: t.vpaUpdate == updateInPlace,
		Permissions: cluster, Asker: d.asker(t.yes)}
	return running{Cluster: &lab.Real{Config: cfg, Info: info, Host: guest, Image: t.image, Locks: d.state, Waits: d.waits, Holds: t.holds},
		down: func() error { return cluster.Down(ctx) }}, nil
}

// kubectlFor is the KUBECONFIG of the learner's second terminal. No credential is
// written: for EKS a plugin makes tokens, and for a context a file of ours says only
// which one it is, before the files that have it.
func kubectlFor(home state.Dir, cluster lab.Foreign, o lab.Attachment) (string, error) {
	dir, err := home.Path()
	if err != nil {
		return "", err
	}
	if named, ok := cluster.(*eks.Cluster); ok {
		self, err := os.Executable()
		if err != nil {
			return "", err
		}
		file := filepath.Join(dir, "eks", cluster.Info().Name)
		return file, named.WriteKubeconfig(file, self)
	}
	files := clientcmd.NewDefaultClientConfigLoadingRules().Precedence
	if o.Kubeconfig != "" {
		files = []string{o.Kubeconfig}
	}
	file := filepath.Join(dir, "contexts", state.FileName(o.Context))
	err = clientcmd.WriteToFile(api.Config{CurrentContext: o.Context}, file)
	return strings.Join(append([]string{file}, files...), string(filepath.ListSeparator)), err
}
