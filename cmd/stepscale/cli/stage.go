package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/engine/world"
	"github.com/stepscale/stepscale/scenarios"
)

const (
	applyTimeout = time.Minute
	liveTimeout  = 5 * time.Minute // nodes may have to pull images, or to be made
	fieldManager = "stepscale"
)

// clusterStage is a scenario on a cluster with a loop in hand.
type clusterStage struct {
	conn         *connection
	scenario     *scenarios.Scenario
	namespace    string
	namespaceUID types.UID // of one that we made
	mode         hpa.Mode
	watched      bool // the cluster's own controller drives
	kube         kubernetes.Interface
	dynamic      dynamic.Interface
	mapper       meta.RESTMapper
	local        clusters.Recorder // the calls of this process
	witness      *clusters.Witness // on live clusters
	lock         *os.File          // holds the namespace against other processes, on live clusters
	made         []madeObject
	targetLabels map[string]string                      // of the target's pods, on live clusters
	given        *autoscalingv2.HorizontalPodAutoscaler // of the scenario, where it is not applied
	session      *engine.Session
	pause        func(context.Context, time.Duration) error // on live clusters
	busy         func(what string) (done func())            // shows what is being done
	vpas         []*vpav1.VerticalPodAutoscaler             // of the scenario, not applied yet
	budget       bool                                       // the scenario has a PodDisruptionBudget
	vpa          *vpa.State                                 // of the loops that have one
	closers      []func(context.Context) error              // what the loop started
	begun        time.Time                                  // loop time at which the load began
	looked       time.Duration                              // how long after it the last pass began to look, on live clusters
}

// openStage starts or finds the cluster, applies the scenario, and takes the
// loop in hand. The function it returns puts everything back.
func (a *app) openStage(ctx context.Context, loop, scenario string, out Phases) (Stage, func() error, error) {
	l, ok := loops[loop]
	if !ok {
		return nil, nil, problem.Usage(fmt.Sprintf("루프 %q을(를) 모릅니다", loop), "쓸 수 있는 루프: "+strings.Join(a.loopNames(), ", "))
	}
	if l.Observes && !a.target.attached() {
		return nil, nil, problem.Usage(fmt.Sprintf("루프 %s에는 스스로 움직이는 HPA 컨트롤러가 필요합니다.", loop), "--eks 이름이나 --context 이름을 적어 주십시오. 임베디드와 kind 클러스터의 HPA는 stepscale의 엔진만 움직입니다.")
	}
	s, err := scenarios.Load(a.scenarios, scenario)
	if err != nil {
		return nil, nil, problem.OfScenario(err)
	}
	if lacks := l.lacks(s); lacks != "" {
		return nil, nil, problem.Usage(fmt.Sprintf("루프 %s에는 %s가 필요합니다: 시나리오 %s에는 없습니다", loop, lacks, scenario),
			fmt.Sprintf("scenario.yaml에 %s: 를 적은 시나리오를 고르시거나, 이 시나리오에 맞는 루프를 --loop로 적어 주십시오: %s", strings.ToLower(lacks), strings.Join(playableWith(s), ", ")))
	}
	if a.conn == nil {
		if a.conn, err = a.connect(ctx, out.Phase); err != nil {
			return nil, nil, err
		}
	}
	if a.conn.live() {
		if err := errors.Join(checkLive(loop, l, s), a.checkPermissions(ctx, l)); err != nil {
			return nil, nil, err
		}
		if err := a.consent(ctx, l, s); err != nil {
			return nil, nil, err
		}
	}
	stage := &clusterStage{conn: a.conn, scenario: s, pause: a.pause, busy: a.busy, mode: a.conn.mode, watched: l.Observes}
	if l.Observes {
		stage.mode = hpa.ModeAlone // the HPA is applied as it is; our steps only read it
	}
	begin := time.Now()
	out.Phase("시나리오 "+s.Name, 0)
	if err := stage.prepare(ctx, l, out); err != nil {
		return nil, nil, errors.Join(err, stage.close(ctx))
	}
	out.Phase("시나리오 "+s.Name, time.Since(begin))
	return stage, func() error { return stage.close(ctx) }, nil
}

// disconnect gives the cluster back, or takes it down if it is ours.
func (a *app) disconnect() error {
	if a.conn == nil {
		return nil
	}
	defer func() { a.conn = nil }()
	var err error
	if a.conn.reaper != nil {
		err = a.conn.reaper.leave(!a.conn.left)
	}
	return errors.Join(err, a.conn.close())
}

func (s *clusterStage) Session() *engine.Session { return s.session }

func (s *clusterStage) Info() play.Info {
	kinds := "hpa,deploy,rs,pod"
	switch {
	case len(s.vpas) > 0:
		kinds = "vpa,deploy,rs,pod"
	case s.given != nil:
		kinds = "deploy,rs,pod"
	}
	lines := []string{export("KUBECONFIG", s.conn.info.Kubeconfig), export("NS", s.namespace), "kubectl get " + kinds + " -n $NS"}
	return play.Info{Kubectl: lines, Simulated: !s.conn.live(), Notes: s.notes(), Period: s.period()}
}

// LoadChanged compares the load at the next pass with that of the pass just run.
func (s *clusterStage) LoadChanged() bool {
	if s.conn.live() {
		return s.willChange()
	}
	step := time.Second // virtual time moves in whole passes
	elapsed := s.conn.clock().Since(s.begun)
	return s.scenario.Offered(elapsed) != s.scenario.Offered(elapsed-step)
}

// Skew is asked when credentials were refused, so it sends none.
func (s *clusterStage) Skew(ctx context.Context) (time.Duration, error) {
	return clusters.Skew(ctx, rest.AnonymousClientConfig(s.conn.config), clock.RealClock{})
}

// prepare applies the scenario, waits until it runs and is measured, and takes
// the loop in hand.
func (s *clusterStage) prepare(ctx context.Context, l loop, out Phases) error {
	var err error
	if s.kube, err = kubernetes.NewForConfig(s.conn.config); err != nil {
		return err
	}
	if err := s.fits(ctx); err != nil {
		return err
	}
	if err := s.apply(ctx); err != nil {
		return err
	}
	if err := s.waitRunning(ctx); err != nil {
		return err
	}
	begin := s.simulate
	if s.conn.live() {
		begin = func(ctx context.Context) error { return s.goLive(ctx, out) }
	}
	if err := begin(ctx); err != nil {
		return err
	}
	s.begun = s.conn.clock().Now()
	frames, err := l.begin(ctx, s)
	if err != nil {
		return err
	}
	if s.conn.live() {
		frames = s.loaded(ctx, frames)
	}
	s.session = engine.NewSession(frames)
	return nil
}

// loaded begins the load with the first step, and not while the learner reads what
// comes before it.
func (s *clusterStage) loaded(ctx context.Context, frames iter.Seq2[trace.Frame, error]) iter.Seq2[trace.Frame, error] {
	return func(yield func(trace.Frame, error) bool) {
		for {
			done := s.busy("부하를 시작합니다")
			err := s.startLoad(ctx)
			if done(); err == nil {
				break
			}
			if !yield(trace.Frame{Pass: 1, At: s.conn.clock().Now(), Err: err.Error()}, err) || ctx.Err() != nil {
				return
			}
		}
		frames(yield)
	}
}

// simulate lets the Metrics Server have its first look, so that the first pass
// finds a value, holds the actors back, and begins the load.
func (s *clusterStage) simulate(ctx context.Context) error {
	if err := s.conn.sim.Advance(ctx, hpa.DefaultParams().SyncPeriod); err != nil {
		return err
	}
	if err := s.conn.sim.Scrape(ctx); err != nil {
		return err
	}
	if err := s.conn.sim.Hold(ctx, s.namespace); err != nil {
		return err
	}
	return s.conn.setLoad(s.namespace, s.scenario)
}

// world is what every loop meets of the cluster; controller is the actor whose
// own calls the loop makes.
func (s *clusterStage) world(controller string) (world.World, error) {
	seen := recorded{s.conn.sim, &s.local}
	w := world.World{Namespace: s.namespace, Clock: s.conn.clock(), Recorder: seen}
	if s.conn.live() {
		w.Witness, w.Pause, w.Timeout = s.witness, s.pause, liveTimeout
	} else {
		w.Simulation, w.Gate, w.Kubelet = s.conn.sim, s.conn.sim, kubeletView{s.conn.sim}
		w.Watches = seen
	}
	var err error
	if w.Controller, err = world.NewClients(s.identity(controller)); err != nil {
		return w, err
	}
	if w.Learner, err = world.NewClients(s.identity(trace.ActorLearner)); err != nil {
		return w, err
	}
	w.Observer, err = world.NewClients(s.conn.config)
	return w, err
}

// identity is a client configuration whose calls are recorded as the actor's.
func (s *clusterStage) identity(actor string) *rest.Config {
	cfg := rest.CopyConfig(s.conn.config)
	cfg.UserAgent = actor
	cfg.Wrap(s.local.Wrap(actor))
	return cfg
}

// close ends the loop and removes the scenario.
func (s *clusterStage) close(ctx context.Context) error {
	if aborted(ctx) == nil {
		ctx = context.WithoutCancel(ctx)
	}
	if s.session != nil {
		s.session.Close()
	}
	if s.kube == nil || s.namespace == "" {
		return s.unlock()
	}
	var errs []error
	if !s.conn.live() {
		errs = append(errs, s.conn.sim.Release(ctx, s.namespace))
	}
	for _, c := range s.closers {
		errs = append(errs, c(ctx))
	}
	err := errors.Join(append(errs, s.remove(ctx))...)
	s.conn.left = s.conn.left || err != nil
	return errors.Join(err, s.unlock())
}
