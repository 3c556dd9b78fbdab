package lab

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
	"github.com/stepscale/stepscale/engine/hpavpa"
	"github.com/stepscale/stepscale/engine/karpenter"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/engine/world"
)

// newWorld is what every loop meets of the cluster; controller is the actor whose
// own calls the loop makes.
func (s *Stage) newWorld(controller string) (world.World, error) {
	w := world.World{Namespace: s.Namespace(), Clock: s.objects.access.Clock}
	s.site.equip(&w)
	var err error
	if w.Controller, err = world.NewClients(s.identity(controller)); err != nil {
		return w, err
	}
	if w.Learner, err = world.NewClients(s.identity(trace.ActorLearner)); err != nil {
		return w, err
	}
	w.Observer, err = world.NewClients(s.objects.access.Config)
	return w, err
}

// identity is a client configuration whose calls are recorded as the actor's.
func (s *Stage) identity(actor string) *rest.Config {
	cfg := rest.CopyConfig(s.objects.access.Config)
	cfg.UserAgent = actor
	cfg.Wrap(s.calls.Wrap(actor))
	return cfg
}

func (s *Stage) forHPA(context.Context) (*hpa.State, error) {
	controller := trace.ActorHPA
	if s.Loop.Observes { // which is somebody else, and the calls are the learner's look
		controller = trace.ActorLearner
	}
	params, err := s.hpaParams()
	if err != nil {
		return nil, err
	}
	w, err := s.newWorld(controller)
	state := &hpa.State{World: w, HPA: s.Scenario.HPA, Params: params}
	s.site.equipHPA(state)
	return state, err
}

// forBeside has upstream's controller beside ours.
func (s *Stage) forBeside(ctx context.Context) (*referee.Beside, error) {
	state, err := s.forHPA(ctx)
	if err != nil {
		return nil, err
	}
	beside := &referee.Beside{State: *state}
	s.closers = append(s.closers, beside.Close)
	return beside, nil
}

// forDeployedVPA deploys the VPA, where the steps do not do it themselves.
func (s *Stage) forDeployedVPA(ctx context.Context) (*vpa.State, error) {
	state, err := s.forVPA(ctx)
	if err != nil {
		return nil, err
	}
	if err := state.Deploy(ctx); err != nil {
		return nil, deployError(ctx, err)
	}
	return state, nil
}

func (s *Stage) forBoth(ctx context.Context) (*hpavpa.State, error) {
	h, err := s.forHPA(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.forDeployedVPA(ctx)
	if err != nil {
		return nil, err
	}
	v.Params.Skip = hpavpa.QuarterDay
	return &hpavpa.State{HPA: h, VPA: v, Target: s.Scenario.Target}, nil
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

// forVPA is closed with the stage.
func (s *Stage) forVPA(context.Context) (*vpa.State, error) {
	if err := vpa.Drivable(); err != nil {
		return nil, err
	}
	params, err := s.vpaParams()
	if err != nil {
		return nil, err
	}
	w, err := s.newWorld(vpa.ActorRecommender)
	state := &vpa.State{
		World: w, VPA: s.Scenario.VPA, Objects: s.vpas, Params: params, Begun: s.begun, Identity: s.component,
		Past: func(elapsed time.Duration, pods []*corev1.Pod, now time.Time) map[string]map[string]vpa.Usage {
			past := map[string]map[string]vpa.Usage{}
			for pod, containers := range s.Scenario.Uses(elapsed, pods, now) {
				past[pod] = map[string]vpa.Usage{}
				for name, u := range containers {
					past[pod][name] = vpa.Usage{CPU: int64(u.CPU), Memory: u.Memory}
				}
			}
			return past
		},
	}
	s.site.equipVPA(state)
	s.vpaState = state
	s.closers = append(s.closers, state.Close)
	return state, err
}

// forKarpenter has Karpenter deployed, on a cluster whose nodes come and go.
func (s *Stage) forKarpenter(ctx context.Context) (*karpenter.State, error) {
	w, err := s.newWorld(karpenter.ActorKarpenter)
	if err != nil {
		return nil, err
	}
	w.Wide = karpenter.Wide
	state := &karpenter.State{World: w, Pool: s.Scenario.Karpenter, Target: s.Scenario.Target, Objects: s.pools, Identity: func(actor string) *rest.Config {
		if actor == "" {
			return rest.CopyConfig(s.objects.access.Config)
		}
		return s.identity(actor)
	}}
	s.closers = append(s.closers, state.Close)
	return state, state.Deploy(ctx)
}

// forDisruption has Karpenter deployed, with a node of its own that it may take away.
func (s *Stage) forDisruption(ctx context.Context) (*karpenter.State, error) {
	state, err := s.forKarpenter(ctx)
	if err != nil {
		return nil, err
	}
	if err := state.Prepare(ctx); err != nil {
		return nil, err
	}
	state.Begin = karpenter.DisruptionPass
	return state, nil
}

// component is the client configuration of a component that is not in the
// cluster: upstream's service account, its calls recorded. Without a name they
// are nobody's, and not recorded. On somebody else's cluster it is the caller.
func (s *Stage) component(actor string) *rest.Config {
	switch {
	case actor == "":
		return rest.CopyConfig(s.objects.access.Config)
	case actor == trace.ActorLearner, s.objects.access.shared():
		return s.identity(actor)
	}
	cfg := s.identity(actor)
	cfg.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:kube-system:" + actor,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"},
	}
	return cfg
}
