package cli

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
	"github.com/stepscale/stepscale/scenarios"
)

// sim is what a lesson needs of the embedded cluster, in this process or in
// the background.
type sim interface {
	world.Simulation
	driver
	observer
}

// driver holds the clock and the gate.
type driver interface {
	Now() time.Time
	Since(time.Time) time.Duration
	Hold(ctx context.Context, namespace string) error
	Release(ctx context.Context, namespace string) error
	Open(ctx context.Context, actor string) error
	Close(ctx context.Context, actor string) error
}

// observer sees what the actors do.
type observer interface {
	Waiting(context.Context) ([]trace.Waiting, error)
	Calls(context.Context) ([]trace.Call, error)
	Watches(context.Context) ([]trace.Watch, error)
	KubeletMetrics(ctx context.Context, node string) (string, error)
}

// connection is a running cluster.
type connection struct {
	state   state.Dir
	sim     sim // nil on a cluster with nodes, load and time of its own
	config  *rest.Config
	info    clusters.Info
	setLoad func(namespace string, s *scenarios.Scenario) error // nil without sim
	close   func() error
	down    string // the command that removes the cluster, where it stays

	owner     string       // tells our objects from others' on a cluster that is not ours alone
	signer    state.Signer // proves there that they are ours
	namespace string       // that somebody made for us; empty to make one
	mode      hpa.Mode     // how to do beside the cluster's own HPA controller
	image     string       // of the workload, on live clusters
	inPlace   bool         // a VPA resizes pods in place first, on clusters of others

	// deniedVPA is what the caller may not do of what a VPA lesson does there.
	deniedVPA func(ctx context.Context, namespace string) ([]string, error)

	listen func(context.Context) (net.Listener, net.IP, error) // what the API server reaches; nil: loopback
	reach  func(ctx context.Context, url string) error         // asks from there
	reaper *reaper                                             // on clusters that are not ours; nil before the first write
	left   bool                                                // something could not be removed
}

// live tells that nothing is simulated.
func (c *connection) live() bool { return c.sim == nil }

func (c *connection) clock() clock.PassiveClock {
	if c.live() {
		return clock.RealClock{}
	}
	return c.sim
}

// clusterDir is where the embedded cluster keeps its run directories.
func (a *app) clusterDir() (string, error) {
	dir, err := a.state.Path(embeddedDir)
	if err != nil {
		return "", &problem.Error{What: "상태 디렉터리를 알 수 없습니다", Cause: err,
			Hint: "STEPSCALE_STATE_DIR 환경 변수에 쓸 수 있는 디렉터리를 지정해 주십시오."}
	}
	return dir, nil
}

const embeddedDir = "embedded"

// connectEmbedded attaches to the background cluster, or starts one in this process.
func (a *app) connectEmbedded(ctx context.Context, progress func(phase string, took time.Duration)) (*connection, error) {
	dir, err := a.clusterDir()
	if err != nil {
		return nil, err
	}
	background := &raising{dir: dir, progress: progress}
	switch info, err := background.await(ctx); {
	case err == nil:
		return a.attach(ctx, dir, info)
	case !errors.Is(err, embedded.ErrNotRunning):
		return nil, backgroundError(dir, err)
	}
	a.divert(filepath.Dir(dir))
	cluster := embedded.New(embedded.Options{Dir: dir, Progress: progress, Failed: func(err error) {
		if a.abort != nil {
			a.abort(endedError(filepath.Dir(dir), err))
		}
	}})
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return nil, startError(dir, err)
	}
	return &connection{
		state: a.state, sim: cluster, config: cfg, info: cluster.Info(),
		setLoad: func(ns string, s *scenarios.Scenario) error { return cluster.SetLoad(ns, scenarioLoad{s}) },
		close:   func() error { return downError(cluster.Down(context.WithoutCancel(ctx))) },
	}, nil
}

func (a *app) attach(ctx context.Context, dir string, info clusters.Info) (*connection, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", info.Kubeconfig)
	if err != nil {
		return nil, err
	}
	cfg.QPS = -1
	remote := embedded.NewRemote(embedded.Socket(dir))
	if err := remote.Attach(ctx); err != nil {
		return nil, backgroundError(dir, err)
	}
	return &connection{
		state: a.state, sim: remote, config: cfg, info: info, close: remote.Disconnect,
		setLoad: func(ns string, s *scenarios.Scenario) error { return remote.SetLoad(ctx, ns, s.Raw) },
	}, nil
}

// recorded are the calls and watches of the cluster's actors and of this process. Where
// nobody else can be recorded, sim is nil.
type recorded struct {
	sim   sim
	local *clusters.Recorder
}

func (r recorded) Calls(ctx context.Context) (calls []trace.Call, err error) {
	if r.sim != nil {
		calls, err = r.sim.Calls(ctx)
	}
	return append(calls, r.local.Take()...), err
}

func (r recorded) Watches(ctx context.Context) (open []trace.Watch, err error) {
	if r.sim != nil {
		open, err = r.sim.Watches(ctx)
	}
	return append(open, r.local.Watches()...), err
}
