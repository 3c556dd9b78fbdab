package cli

import (
	"context"
	"errors"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/scenarios"
)

const embeddedDir = "embedded"

// clusterDir is where the embedded cluster keeps its run directories.
func (d deps) clusterDir() (string, error) {
	dir, err := d.state.Path(embeddedDir)
	if err != nil {
		return "", &problem.Error{What: "상태 디렉터리를 알 수 없습니다", Cause: err,
			Hint: "STEPSCALE_STATE_DIR 환경 변수에 쓸 수 있는 디렉터리를 지정해 주십시오."}
	}
	return dir, nil
}

// connectEmbedded attaches to the background cluster, or starts one in this process.
func (d deps) connectEmbedded(ctx context.Context, phases lab.Phases) (running, error) {
	dir, err := d.clusterDir()
	if err != nil {
		return running{}, err
	}
	background := &raising{dir: dir, phases: phases}
	switch info, err := background.await(ctx); {
	case err == nil:
		return inBackground(ctx, dir, info)
	case !errors.Is(err, embedded.ErrNotRunning):
		return running{}, backgroundError(dir, err)
	}
	d.divert(filepath.Dir(dir))
	cluster := embedded.New(embedded.Options{Dir: dir, Progress: phases.Phase, Failed: func(err error) { d.abort(endedError(filepath.Dir(dir), err)) }})
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return running{}, startError(dir, err)
	}
	info := cluster.Info()
	kubeconfig, unlink := linkKubeconfig(dir, info.Kubeconfig)
	info.Kubeconfig = kubeconfig
	return running{Cluster: &lab.Simulated{Simulation: cluster, Loader: localLoad{cluster}, Config: cfg, Info: info},
		down: func() error { return errors.Join(unlink(), downError(cluster.Down(context.WithoutCancel(ctx)))) }}, nil
}

// inBackground attaches to the cluster that another process runs.
func inBackground(ctx context.Context, dir string, info clusters.Info) (running, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", info.Kubeconfig)
	if err != nil {
		return running{}, err
	}
	cfg.QPS = -1
	remote := embedded.NewRemote(embedded.Socket(dir))
	if err := remote.Attach(ctx); err != nil {
		return running{}, backgroundError(dir, err)
	}
	return running{Cluster: &lab.Simulated{Simulation: remote, Loader: remoteLoad{remote}, Config: cfg, Info: info}, down: remote.Disconnect}, nil
}

// localLoad hands a scenario's load to the cluster in this process.
type localLoad struct{ cluster *embedded.Cluster }

func (l localLoad) Load(ctx context.Context, namespace string, s *scenarios.Scenario) error {
	return l.cluster.SetLoad(ctx, namespace, lab.NewLoad(s))
}

// remoteLoad sends it, as it is written, to the one in the background.
type remoteLoad struct{ remote *embedded.Remote }

func (l remoteLoad) Load(ctx context.Context, namespace string, s *scenarios.Scenario) error {
	return l.remote.SetLoad(ctx, namespace, s.Raw)
}
