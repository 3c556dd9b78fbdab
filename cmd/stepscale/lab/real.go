package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	metricsclient "k8s.io/metrics/pkg/client/clientset/versioned"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/engine/world"
)

// RealTimeout is how long a part of a real cluster may take: nodes may have to pull
// images, or to be made.
const RealTimeout = 5 * time.Minute

// Real is a cluster with nodes, load and time of its own.
type Real struct {
	Config *rest.Config
	Info   clusters.Info
	Host   Host
	Image  string    // of the workload
	Locks  state.Dir // holds namespaces against the other processes of this installation
	Waits  Waits
	Holds  bool // the load waits for the lesson: its timeline goes on with the passes, not with the time

	left bool // something could not be removed
}

// Waits shows what takes real time.
type Waits interface {
	// Pause lets real time pass.
	Pause(context.Context, time.Duration) error
	// Busy shows what is being done, until done is called.
	Busy(what string) (done func())
}

// Host says on what terms we are on a real cluster: it is our own (Own), or somebody
// else's (Guest).
type Host interface {
	consent
	tenancy
}

// consent is asked for before the first write.
type consent interface {
	// permit refuses a loop for which the caller lacks the permissions.
	permit(context.Context, Loop) error
	// agree asks whether these objects may be written, kind/name, and pods started.
	agree(ctx context.Context, writes []string, d demand) error
}

// tenancy is what holds as long as we are there.
type tenancy interface {
	terms() terms
	equipVPA(*vpa.State)
	// leave is called at the end; removed tells that nothing of ours is left.
	leave(removed bool) error
}

// terms are those on which we are on a cluster.
type terms struct {
	mode      hpa.Mode     // how to do beside the cluster's own HPA controller
	signer    state.Signer // see Access
	namespace string
	full      string // what else helps where the nodes are full
	stays     string // what is to be known of what stays
}

// Access is that of a cluster on the terms of its host.
func (c *Real) Access() Access {
	t := c.Host.terms()
	return Access{Config: c.Config, Info: c.Info, Clock: clock.RealClock{}, Signer: t.signer, Namespace: t.namespace,
		Pods: Patience{Every: time.Second, Within: RealTimeout, Full: t.full}}
}

// Close leaves the cluster.
func (c *Real) Close() error { return c.Host.leave(!c.left) }

func (c *Real) site(s *Stage) site {
	return &realSite{Stage: s, cluster: c, mode: s.Loop.mode(c.Host.terms().mode), seen: make(chan struct{})}
}

type realSite struct {
	*Stage
	cluster *Real
	mode    hpa.Mode
	witness *witness
	seen    chan struct{} // closed when the witness has seen enough

	given        *autoscalingv2.HorizontalPodAutoscaler // of the scenario, where it is not applied
	targetLabels map[string]string                      // of the target's pods
	budget       bool                                   // the scenario has a PodDisruptionBudget
	metrics      metricsclient.Interface
	pace         pace
	sampled      sampled
}

// admit asks nobody about what is refused anyway.
func (s *realSite) admit(ctx context.Context) error {
	if err := errors.Join(s.Loop.PlayableLive(s.Scenario), s.cluster.Host.permit(ctx, s.Loop)); err != nil {
		return err
	}
	d, err := demandOf(s.Scenario)
	if err != nil {
		return err
	}
	return s.cluster.Host.agree(ctx, writes(s.Loop, s.mode, s.Scenario), d)
}

func (s *realSite) lock(namespace string) (io.Closer, bool, error) {
	return s.cluster.Locks.LockNamespace(s.cluster.Info.Name, namespace)
}

// fit makes an object of a scenario one for a cluster where nothing is simulated.
func (s *realSite) fit(obj *unstructured.Unstructured) (bool, error) {
	switch obj.GetKind() {
	case "Deployment":
		return true, s.runWorkload(obj)
	case kindHPA:
		return s.besideManaged(obj)
	case "PodDisruptionBudget":
		s.budget = true
	}
	return true, nil
}

// besideManaged keeps the HPA from the cluster's own controller.
func (s *realSite) besideManaged(obj *unstructured.Unstructured) (bool, error) {
	if s.mode == hpa.ModeAlone {
		return true, nil
	}
	h := &autoscalingv2.HorizontalPodAutoscaler{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, h); err != nil {
		return false, err
	}
	if s.mode == hpa.ModeDrive {
		s.given, s.unapplied = h, true
		return false, nil
	}
	disarmed, err := hpa.Disarm(h)
	if errors.Is(err, hpa.ErrScalesToZero) {
		return false, &problem.Error{What: fmt.Sprintf("HPA %s 0개까지 줄일 수 있어 무장 해제할 수 없습니다", korean.Topic(h.Name)), Code: problem.ExitUsage,
			Hint: "0개에서 깨우는 일은 클러스터의 컨트롤러가 behavior와 상관없이 합니다. --hpa-mode drive로 실행해 주십시오."}
	}
	if err != nil {
		return false, err
	}
	u, err := toUnstructured(disarmed)
	if err == nil {
		obj.Object = u.Object
	}
	return true, err
}

// begin starts what a real cluster needs for a loop: somebody who watches, and the
// first value of the metrics API.
func (s *realSite) begin(ctx context.Context) error {
	var err error
	if s.witness, err = newWitness(ctx, s.seen, s.cluster.Config, s.Namespace()); err != nil {
		return &problem.Error{What: "파드와 레플리카셋을 지켜볼 수 없습니다", Where: s.Namespace(), Cause: err,
			Hint: "stepscale doctor에 같은 --eks나 --context와 -n을 적어 모자라는 권한을 확인해 주십시오."}
	}
	if s.metrics, err = metricsclient.NewForConfig(s.cluster.Config); err != nil {
		return err
	}
	if ahead, err := s.Skew(ctx); err == nil { // what is not known is taken to be right
		s.pace.ahead = ahead
	}
	begin := time.Now()
	done := s.cluster.Waits.Busy("Metrics Server가 파드를 처음 재기를 기다립니다")
	err = s.awaitMetrics(ctx)
	if done(); err != nil {
		return err
	}
	s.Phases.Phase("첫 메트릭", time.Since(begin))
	return nil
}

func (s *realSite) end(ctx context.Context, remove func(context.Context) error) error {
	close(s.seen)
	err := remove(ctx)
	s.cluster.left = s.cluster.left || err != nil
	return err
}

func (s *realSite) equip(w *world.World) {
	w.Witness, w.Pause, w.Timeout = s.witness, s.pause, RealTimeout
	w.Recorder = ourselves{&s.calls}
}

// probe has nothing to do: time passes by itself.
func (s *realSite) probe(context.Context) error { return nil }

func (s *realSite) equipHPA(state *hpa.State) {
	state.Pause, state.Mode, state.Given = s.untilMeasured, s.mode, s.given
}

// frames begin the load with the first step, and not while the learner reads what
// comes before it.
func (s *realSite) frames(ctx context.Context, frames iter.Seq2[trace.Frame, error]) iter.Seq2[trace.Frame, error] {
	return func(yield func(trace.Frame, error) bool) {
		for {
			done := s.cluster.Waits.Busy("부하를 시작합니다")
			err := s.startLoad(ctx)
			if done(); err == nil {
				break
			}
			if !yield(trace.Frame{Pass: 1, At: time.Now(), Err: err.Error()}, err) || ctx.Err() != nil {
				return
			}
		}
		frames(yield)
	}
}

// startLoad makes the generator, whose timeline begins with it.
func (s *realSite) startLoad(ctx context.Context) error {
	for _, obj := range s.loadObjects() {
		u, err := toUnstructured(obj)
		if err != nil {
			return err
		}
		if err := s.objects.apply(ctx, u); err != nil {
			return err
		}
	}
	err := s.waitRunning(ctx)
	s.begun = time.Now()
	s.noteChange(s.pace.now())
	return err
}

func (s *realSite) describe(info *engine.Info) {
	info.Period = s.period()
	info.Notes = s.notes(info.Period)
}

// period is how long a pass takes.
func (s *realSite) period() time.Duration {
	if s.vpaState != nil {
		return s.vpaState.Params.Interval
	}
	params, err := s.hpaParams()
	if err != nil { // the scenario's flags were checked
		params = hpa.DefaultParams()
	}
	return params.SyncPeriod
}
