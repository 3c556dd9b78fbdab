package cli

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
	"github.com/stepscale/stepscale/engine/hpavpa"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/scenarios"
)

// loop is a loop that a stage can take in hand.
type loop struct {
	engine.Definition
	begin func(ctx context.Context, s *clusterStage) (iter.Seq2[trace.Frame, error], error)
}

// loops are all that there are, with how each is begun.
var loops = byName(
	begun(hpa.Loop(), (*clusterStage).hpaState),
	begun(hpa.Architecture(), (*clusterStage).hpaState),
	begun(hpa.Intro(), (*clusterStage).hpaState),
	begun(hpa.Observe(), (*clusterStage).hpaState),
	begun(referee.Loop(), (*clusterStage).besideState),
	begun(vpa.Loop(), (*clusterStage).deployedVPA),
	begun(vpa.Architecture(), (*clusterStage).vpaState),
	begun(vpa.History(), (*clusterStage).deployedVPA),
	begun(hpavpa.Loop(), (*clusterStage).bothState),
)

func byName(all ...loop) map[string]loop {
	named := map[string]loop{}
	for _, l := range all {
		named[l.Name] = l
	}
	return named
}

func begun[S any](d engine.Defined[S], state func(*clusterStage, context.Context) (*S, error)) loop {
	return loop{d.Definition, func(ctx context.Context, s *clusterStage) (iter.Seq2[trace.Frame, error], error) {
		st, err := state(s, ctx)
		if err != nil {
			return nil, err
		}
		return d.Loop(st).Run(ctx, 1), nil
	}}
}

// playableWith names the loops for which the scenario has all.
func playableWith(s *scenarios.Scenario) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(loops)) {
		if l := loops[name]; l.lacks(s) == "" {
			names = append(names, name)
		}
	}
	return names
}

// lacks is the kind of object that a loop needs and the scenario has not; empty when it
// has all.
func (l loop) lacks(s *scenarios.Scenario) string {
	has := map[string]string{engine.NeedsHPA: s.HPA, engine.NeedsVPA: s.VPA}
	for _, kind := range l.Needs {
		if has[kind] == "" {
			return kind
		}
	}
	return ""
}

func (s *clusterStage) hpaState(context.Context) (*hpa.State, error) {
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

// besideState has upstream's controller beside ours.
func (s *clusterStage) besideState(ctx context.Context) (*referee.Beside, error) {
	state, err := s.hpaState(ctx)
	if err != nil {
		return nil, err
	}
	beside := &referee.Beside{State: *state}
	s.closers = append(s.closers, beside.Close)
	return beside, nil
}

// deployedVPA deploys the VPA, where the steps do not do it themselves.
func (s *clusterStage) deployedVPA(ctx context.Context) (*vpa.State, error) {
	state, err := s.vpaState(ctx)
	if err != nil {
		return nil, err
	}
	if err := state.Deploy(ctx); err != nil {
		return nil, deployError(ctx, err)
	}
	return state, nil
}

func (s *clusterStage) bothState(ctx context.Context) (*hpavpa.State, error) {
	h, err := s.hpaState(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.deployedVPA(ctx)
	if err != nil {
		return nil, err
	}
	v.Params.Skip = hpavpa.QuarterDay
	return &hpavpa.State{HPA: h, VPA: v, Target: s.scenario.Target}, nil
}

// deployError tells why the VPA is not deployed where a lesson can say it.
func deployError(ctx context.Context, err error) error {
	for _, known := range []error{vpa.ErrForeign, vpa.ErrTaken, vpa.ErrNoTypes} {
		if errors.Is(err, known) {
			return problem.OfStep(ctx, "", err)
		}
	}
	return err
}

// vpaState is closed with the stage.
func (s *clusterStage) vpaState(context.Context) (*vpa.State, error) {
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
