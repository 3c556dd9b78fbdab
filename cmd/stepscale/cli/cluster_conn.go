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

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/embedded"
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
	Held(context.Context) ([]clusters.Held, error)
	Calls(context.Context) ([]clusters.Call, error)
	Watches(context.Context) ([]clusters.Watch, error)
	KubeletMetrics(ctx context.Context, node string) (string, error)
}

// connection is a running cluster.
type connection struct {
	sim     sim // nil on a cluster with nodes, load and time of its own
	config  *rest.Config
	info    clusters.Info
	setLoad func(namespace string, s *scenarios.Scenario) error // nil without sim
	close   func() error
	down    string // the command that removes the cluster, where it stays

	owner     string   // tells our objects from others' on a cluster that is not ours alone
	namespace string   // that somebody made for us; empty to make one
	mode      hpa.Mode // how to do beside the cluster's own HPA controller
	image     string   // of the workload, on live clusters
	inPlace   bool     // a VPA resizes pods in place first, on clusters of others

	// deniedVPA is what the caller may not do of what a VPA lesson does there.
	deniedVPA func(ctx context.Context, namespace string) ([]string, error)

	listen func(context.Context) (net.Listener, net.IP, error) // what the API server reaches; nil: loopback
	reach  func(ctx context.Context, url string) error         // asks from there
	guard  *guard                                              // on clusters that are not ours; nil before the first write
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
func clusterDir() (string, error) {
	dir, err := stateDir()
	if err != nil {
		return "", &userError{what: "상태 디렉터리를 알 수 없습니다", cause: err,
			hint: "STEPSCALE_STATE_DIR 환경 변수에 쓸 수 있는 디렉터리를 지정해 주십시오."}
	}
	return filepath.Join(dir, "embedded"), nil
}

func socketIn(dir string) string { return filepath.Join(dir, "cluster.sock") }

// connectEmbedded attaches to the background cluster, or starts one in this process;
// abort is called when that one comes to an end by itself.
func connectEmbedded(ctx context.Context, progress func(phase string, took time.Duration), abort func(error)) (*connection, error) {
	dir, err := clusterDir()
	if err != nil {
		return nil, err
	}
	if remote, err := embedded.Dial(socketIn(dir)); err == nil {
		return attach(remote)
	}
	divertStderr(filepath.Dir(dir))
	cluster := embedded.New(embedded.Options{Dir: dir, Progress: progress, Failed: func(err error) {
		if abort != nil {
			abort(endedError(filepath.Dir(dir), err))
		}
	}})
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return nil, startError(dir, err)
	}
	return &connection{
		sim: cluster, config: cfg, info: cluster.Info(),
		setLoad: func(ns string, s *scenarios.Scenario) error { return cluster.SetLoad(ns, scenarioLoad{s}) },
		close:   func() error { return downError(cluster.Down(context.WithoutCancel(ctx))) },
	}, nil
}

func attach(remote *embedded.Remote) (*connection, error) {
	if err := remote.Attach(); err != nil {
		_ = remote.Disconnect()
		if errors.Is(err, embedded.ErrBusy) {
			return nil, &userError{what: "백그라운드 클러스터를 다른 stepscale이 이미 쓰고 있습니다",
				hint: "시간과 게이트는 하나뿐이어서 한 번에 한 수업만 쓸 수 있습니다. 다른 터미널의 수업을 마치고 다시 실행해 주십시오."}
		}
		return nil, err
	}
	info, err := remote.Info()
	if err != nil {
		return nil, err
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", info.Kubeconfig)
	if err != nil {
		return nil, err
	}
	cfg.QPS = -1
	return &connection{
		sim: remote, config: cfg, info: info, close: remote.Disconnect,
		setLoad: func(ns string, s *scenarios.Scenario) error { return remote.SetLoad(ns, s.Raw) },
	}, nil
}

// scenarioLoad lets a scenario's timeline drive the simulated kubelets.
type scenarioLoad struct{ *scenarios.Scenario }

func (l scenarioLoad) Usage(elapsed time.Duration, pods []*corev1.Pod, now time.Time) map[string]embedded.Usage {
	list := make([]scenarios.Pod, 0, len(pods))
	for _, p := range pods {
		pod := scenarios.Pod{Name: p.Name, Ready: world.IsReady(p), CPULimit: cpuLimit(p)}
		if p.Status.StartTime != nil {
			pod.Age = now.Sub(p.Status.StartTime.Time)
			pod.ContainerAge = pod.Age
		}
		for _, c := range p.Status.ContainerStatuses {
			if c.State.Running != nil { // a container that was killed is younger than its pod
				pod.ContainerAge = min(pod.ContainerAge, now.Sub(c.State.Running.StartedAt.Time))
			}
		}
		list = append(list, pod)
	}
	cpu := l.Scenario.Usage(elapsed, list)
	usage := make(map[string]embedded.Usage, len(list))
	for _, p := range list {
		usage[p.Name] = embedded.Usage{CPU: cpu[p.Name], Memory: l.Memory(elapsed, p)}
	}
	return usage
}

// cpuLimit adds up the limits of the containers; 0 when one has none.
func cpuLimit(p *corev1.Pod) int64 {
	var sum int64
	for _, c := range p.Spec.Containers {
		limit := c.Resources.Limits.Cpu().MilliValue()
		if limit == 0 {
			return 0
		}
		sum += limit
	}
	return sum
}

// gateView and the two below show the cluster as the loop wants to see it.
type gateView struct{ sim }

func (g gateView) Waiting(ctx context.Context) ([]trace.Waiting, error) {
	held, err := g.Held(ctx)
	waiting := make([]trace.Waiting, len(held))
	for i, h := range held {
		waiting[i] = trace.Waiting(h)
	}
	return waiting, err
}

// callView joins the calls of the cluster's actors with those of this process.
type callView struct {
	sim   sim
	local *clusters.Recorder
}

func (v callView) Calls(ctx context.Context) ([]trace.Call, error) {
	calls, err := v.sim.Calls(ctx)
	var all []trace.Call
	for _, c := range append(calls, v.local.Take()...) {
		all = append(all, trace.Call(c))
	}
	return all, err
}

// kubeletView reads the simulated kubelets without the API server's proxy.
type kubeletView struct{ sim }

func (k kubeletView) Read(ctx context.Context, node, namespace, pod string) ([]string, error) {
	body, err := k.KubeletMetrics(ctx, node)
	return hpa.PodLines(body, namespace, pod), err
}

type watchView struct {
	sim   sim
	local *clusters.Recorder
}

func (v watchView) Watches(ctx context.Context) ([]world.Watch, error) {
	watches, err := v.sim.Watches(ctx)
	var all []world.Watch
	for _, w := range append(watches, v.local.Watches()...) {
		all = append(all, world.Watch(w))
	}
	return all, err
}

// localView are the calls and watches of this process alone, where nobody else can
// be recorded.
type localView struct{ local *clusters.Recorder }

func (v localView) Calls(context.Context) ([]trace.Call, error) {
	var all []trace.Call
	for _, c := range v.local.Take() {
		all = append(all, trace.Call(c))
	}
	return all, nil
}

func (v localView) Watches(context.Context) ([]world.Watch, error) {
	var all []world.Watch
	for _, w := range v.local.Watches() {
		all = append(all, world.Watch(w))
	}
	return all, nil
}

type witnessView struct{ *clusters.Witness }

func (v witnessView) Sightings() []world.Sighting {
	var all []world.Sighting
	for _, s := range v.Take() {
		all = append(all, world.Sighting(s))
	}
	return all
}
