package lab

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/engine/world"
	"github.com/stepscale/stepscale/scenarios"
)

// Simulation is what moves and holds an embedded cluster, in this process or in the
// background.
type Simulation interface {
	clock.PassiveClock
	world.Simulation
	world.Pulse
	world.Gate
	world.Flights
	world.Recorder
	world.Watches
	namespaces
	kubelets
	mishaps
	machinery
}

// namespaces are held at the gate, or let go.
type namespaces interface {
	Hold(ctx context.Context, namespace string) error
	Release(ctx context.Context, namespace string) error
}

// mishaps go wrong on the cluster when they are told to.
type mishaps interface {
	Disturb(ctx context.Context, d embedded.Disturbance) error
}

// kubelets tell what their /metrics/resource would.
type kubelets interface {
	KubeletMetrics(ctx context.Context, node string) (string, error)
}

// Loader lets a scenario's timeline drive the simulated kubelets.
type Loader interface {
	Load(ctx context.Context, namespace string, s *scenarios.Scenario) error
}

// Simulated is a cluster whose time, nodes and load are simulated.
type Simulated struct {
	Simulation Simulation
	Loader     Loader
	Config     *rest.Config
	Info       clusters.Info
}

// Access is that of a cluster which one process uses at a time.
func (c *Simulated) Access() Access {
	return Access{Config: c.Config, Info: c.Info, Clock: c.Simulation, Pods: Patience{Every: 20 * time.Millisecond, Within: time.Minute}}
}

// Close has nothing to give back.
func (c *Simulated) Close() error { return nil }

func (c *Simulated) site(s *Stage) site { return &simulatedSite{Stage: s, cluster: c} }

type simulatedSite struct {
	*Stage
	cluster *Simulated
	agenda  *agenda
}

func (s *simulatedSite) admit(context.Context) error { return nil }

func (s *simulatedSite) lock(string) (io.Closer, bool, error) {
	return io.NopCloser(nil), true, nil // the cluster has one user at a time
}

func (s *simulatedSite) fit(*unstructured.Unstructured) (bool, error) { return true, nil }

// begin lets the Metrics Server have its first look, so that the first pass
// finds a value, holds the actors back, and begins the load.
func (s *simulatedSite) begin(ctx context.Context) error {
	if err := s.cluster.Simulation.Advance(ctx, world.MetricResolution); err != nil {
		return err
	}
	if err := s.cluster.Simulation.Scrape(ctx); err != nil {
		return err
	}
	if err := s.cluster.Simulation.Hold(ctx, s.Namespace()); err != nil {
		return err
	}
	return s.cluster.Loader.Load(ctx, s.Namespace(), s.Scenario)
}

func (s *simulatedSite) end(ctx context.Context, remove func(context.Context) error) error {
	return errors.Join(s.cluster.Simulation.Release(ctx, s.Namespace()), remove(ctx))
}

func (s *simulatedSite) equip(w *world.World) {
	sim := s.cluster.Simulation
	all := everybody{sim, &s.calls}
	w.Wall = clock.RealClock{}
	if s.agenda == nil { // one for every world of a loop
		s.agenda = newAgenda(s.Stage, sim)
	}
	w.Simulation, w.Timeline, w.Gate, w.Kubelet = s.agenda, s.agenda, sim, kubeletView{sim}
	w.Flights, w.Recorder, w.Watches, w.Pulse, w.Machines = sim, all, all, sim, sim
}

// probe lets time pass for pods that are asked before they are ready.
func (s *simulatedSite) probe(ctx context.Context) error {
	return s.cluster.Simulation.Advance(ctx, time.Second)
}

func (s *simulatedSite) equipHPA(*hpa.State) {}
func (s *simulatedSite) equipVPA(*vpa.State) {}

// frames come with the load, which begins with the first of them.
func (s *simulatedSite) frames(_ context.Context, frames iter.Seq2[trace.Frame, error]) iter.Seq2[trace.Frame, error] {
	return frames
}

func (s *simulatedSite) loadChanged() bool {
	now := s.elapsed()
	before := now - time.Second // virtual time moves in whole passes
	return s.Scenario.Offered(now) != s.Scenario.Offered(before) || slices.ContainsFunc(s.Scenario.Series(), func(x scenarios.Series) bool {
		return x.Amount.At(now) != x.Amount.At(before)
	})
}

func (s *simulatedSite) describe(info *engine.Info) {
	info.Simulated = true
	if len(s.Scenario.Nodes()) > 0 {
		info.Notes = append(info.Notes, "노드는 시뮬레이션입니다. 인스턴스 타입의 크기와 시간당 가격은 AWS가 us-east-1에서 공개한 것이고(온디맨드, 2026년 1월), kubelet의 몫을 빼는 계산은 EKS의 것입니다.")
	}
	if len(s.Scenario.Groups) > 0 {
		info.Notes = append(info.Notes, "클러스터 오토스케일러는 업스트림의 규칙("+clusterautoscaler.Source+")을 옮겨 적은 stepscale의 엔진입니다. 모듈로 가져다 쓸 수 없기 때문입니다. 파드가 노드에 들어가는지는 업스트림 스케줄러의 코드가 판정합니다.")
	}
	if len(s.Scenario.Series()) > 0 {
		info.Notes = append(info.Notes, "CPU와 메모리가 아닌 메트릭은 시뮬레이션입니다. 시나리오에 적힌 값을 stepscale의 어댑터가 custom.metrics.k8s.io와 external.metrics.k8s.io에서 답합니다. 실제 클러스터에서는 prometheus-adapter나 KEDA가 하는 일입니다.")
	}
}

// kubeletView reads the simulated kubelets without the API server's proxy.
type kubeletView struct{ kubelets }

func (k kubeletView) Read(ctx context.Context, node, namespace, pod string) ([]string, error) {
	body, err := k.KubeletMetrics(ctx, node)
	return hpa.PodLines(body, namespace, pod), err
}

// everybody are the cluster's actors and this process, whose calls and watches are told.
type everybody struct {
	actors Simulation
	ours   *clusters.Recorder
}

func (e everybody) Calls(ctx context.Context) ([]trace.Call, error) {
	calls, err := e.actors.Calls(ctx)
	return append(calls, e.ours.Take()...), err
}

func (e everybody) Watches(ctx context.Context) ([]trace.Watch, error) {
	open, err := e.actors.Watches(ctx)
	return append(open, e.ours.Watches()...), err
}

// ourselves is this process alone, where nobody else's calls can be recorded.
type ourselves struct{ *clusters.Recorder }

func (o ourselves) Calls(context.Context) ([]trace.Call, error)    { return o.Take(), nil }
func (o ourselves) Watches(context.Context) ([]trace.Watch, error) { return o.Recorder.Watches(), nil }
