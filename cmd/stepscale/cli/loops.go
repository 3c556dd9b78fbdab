package cli

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"time"

	corev1 "k8s.io/api/core/v1"

	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/scenarios"
)

// loop is a loop that a stage can take in hand.
type loop struct {
	steps []trace.StepID
	needs func(*scenarios.Scenario) string // what the scenario lacks; empty when it has all
	live  bool                             // can be played where time cannot be moved
	// watched loops look on while the cluster's own HPA controller drives: they are
	// played where one runs, and nowhere else.
	watched bool
	vpa     bool // has the VPA's components
	begin   func(ctx context.Context, s *clusterStage) (iter.Seq2[trace.Frame, error], error)
}

// loops joins the names that lessons use with the tables of steps.
var loops = map[string]loop{
	"hpa":              hpaLoop(hpa.Steps()),
	"hpa-architecture": hpaLoop(hpa.ArchitectureSteps()),
	"hpa-observe":      watchedLoop(),
	"intro":            hpaLoop(hpa.IntroSteps()),
	"hpa-beside":       besideLoop(),
	"hpa-vpa":          bothLoop(),
	"vpa":              live(vpaLoop(vpa.Steps(), (*vpa.State).Deploy)),
	"vpa-architecture": live(vpaLoop(vpa.ArchitectureSteps(), nil)),
	"vpa-history":      vpaLoop(vpa.HistorySteps(), (*vpa.State).Deploy),
}

// factNames are the facts that a step of any loop may add.
func factNames(step trace.StepID) []string {
	if names := referee.FactNames(step); names != nil {
		return names
	}
	return vpa.FactNames(step)
}

func needsHPA(s *scenarios.Scenario) string {
	if s.HPA == "" {
		return "HPA"
	}
	return ""
}

func needsVPA(s *scenarios.Scenario) string {
	if s.VPA == "" {
		return "VPA"
	}
	return ""
}

func hpaLoop(steps []engine.Step[hpa.State]) loop {
	return loop{steps: stepIDs(steps), needs: needsHPA, live: true, begin: func(ctx context.Context, s *clusterStage) (iter.Seq2[trace.Frame, error], error) {
		state, err := s.hpaState()
		if err != nil {
			return nil, err
		}
		return hpa.NewLoop(state, steps).Run(ctx, 1), nil
	}}
}

// watchedLoop looks on while the cluster's own controller drives.
func watchedLoop() loop {
	l := hpaLoop(hpa.ObserveSteps())
	l.watched = true
	return l
}

// besideLoop runs upstream's controller beside ours.
func besideLoop() loop {
	steps := referee.Steps()
	return loop{steps: stepIDs(steps), needs: needsHPA, live: true, begin: func(ctx context.Context, s *clusterStage) (iter.Seq2[trace.Frame, error], error) {
		state, err := s.hpaState()
		if err != nil {
			return nil, err
		}
		l := engine.Loop[referee.Beside]{Steps: steps, State: &referee.Beside{State: *state}, Subject: s.namespace + "/" + s.scenario.HPA, Now: s.conn.clock().Now}
		return l.Run(ctx, 1), nil
	}}
}

func (s *clusterStage) hpaState() (*hpa.State, error) {
	controller := trace.ActorHPA
	if s.watched { // which is somebody else, and the calls are the learner's look
		controller = trace.ActorLearner
	}
	w, err := s.world(controller)
	if s.conn.live() {
		w.Pause = s.untilMeasured
	}
	return &hpa.State{World: w, HPA: s.scenario.HPA, Params: hpa.DefaultParams(), Mode: s.mode, Given: s.given}, err
}

// vpaLoop deploys the VPA first, where the steps do not do it themselves.
func vpaLoop(steps []engine.Step[vpa.State], deploy func(*vpa.State, context.Context) error) loop {
	return loop{steps: stepIDs(steps), needs: needsVPA, vpa: true, begin: func(ctx context.Context, s *clusterStage) (iter.Seq2[trace.Frame, error], error) {
		state, err := s.vpaState()
		if err != nil {
			return nil, err
		}
		if deploy != nil {
			if err := deploy(state, ctx); err != nil {
				return nil, deployError(ctx, err)
			}
		}
		return vpa.NewLoop(state, steps).Run(ctx, 1), nil
	}}
}

// live can be played where time cannot be moved.
func live(l loop) loop {
	l.live = true
	return l
}

// deployError tells why the VPA is not deployed where a lesson can say it.
func deployError(ctx context.Context, err error) error {
	for _, known := range []error{vpa.ErrForeign, vpa.ErrTaken, vpa.ErrNoTypes} {
		if errors.Is(err, known) {
			return stageError(ctx, "", err)
		}
	}
	return err
}

// vpaState is closed with the stage.
func (s *clusterStage) vpaState() (*vpa.State, error) {
	if err := vpa.Drivable(); err != nil {
		return nil, err
	}
	w, err := s.world(vpa.ActorRecommender)
	state := &vpa.State{
		World: w, VPA: s.scenario.VPA, Objects: s.vpas, Params: vpa.DefaultParams(), Begun: s.begun, Identity: s.component,
		Past: func(elapsed time.Duration, pods []*corev1.Pod, now time.Time) map[string]vpa.Usage {
			past := map[string]vpa.Usage{}
			for name, u := range (scenarioLoad{s.scenario}).Usage(elapsed, pods, now) {
				past[name] = vpa.Usage(u)
			}
			return past
		},
	}
	state.Shared, state.InPlaceFirst = s.conn.owner != "", s.conn.inPlace && !s.budget // which is about evictions
	if s.conn.live() {
		state.Watches = recorded{local: &s.local} // the components are in this process
	}
	state.Listen, state.Reach = s.conn.listen, s.conn.reach
	s.vpa = state
	s.closers = append(s.closers, state.Close)
	return state, err
}

// component is the client configuration of a component that is not in the
// cluster: upstream's service account, its calls recorded. Without a name they
// are nobody's, and not recorded. On somebody else's cluster it is the caller.
func (s *clusterStage) component(actor string) *rest.Config {
	switch {
	case actor == "":
		return rest.CopyConfig(s.conn.config)
	case actor == trace.ActorLearner, s.conn.owner != "":
		return s.identity(actor)
	}
	cfg := s.identity(actor)
	cfg.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:kube-system:" + actor,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"},
	}
	return cfg
}

// both are the two autoscalers on one Deployment, the well-known mistake.
type both struct {
	hpa *hpa.State
	vpa *vpa.State
}

// quarterDay is what a pass of both lets go by: the updater takes pods that live
// twelve hours, and nobody wants to watch that minute by minute.
const quarterDay = 6 * time.Hour

// bothLoop runs a pass of the VPA and then one sync of the HPA.
func bothLoop() loop {
	steps := append(engine.Lift(vpa.Steps(), func(b *both) *vpa.State { return b.vpa }), engine.Lift(hpa.Steps(), func(b *both) *hpa.State { return b.hpa })...)
	needs := func(s *scenarios.Scenario) string { return cmp.Or(needsHPA(s), needsVPA(s)) }
	return loop{steps: stepIDs(steps), needs: needs, begin: func(ctx context.Context, s *clusterStage) (iter.Seq2[trace.Frame, error], error) {
		h, err := s.hpaState()
		if err != nil {
			return nil, err
		}
		v, err := s.vpaState()
		if err != nil {
			return nil, err
		}
		v.Params.Skip = quarterDay
		if err := v.Deploy(ctx); err != nil {
			return nil, deployError(ctx, err)
		}
		l := engine.Loop[both]{Steps: steps, State: &both{hpa: h, vpa: v}, Subject: s.namespace + "/" + s.scenario.Target, Now: s.conn.clock().Now}
		return l.Run(ctx, 1), nil
	}}
}
