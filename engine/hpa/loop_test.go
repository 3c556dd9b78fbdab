package hpa

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

func TestStepsAreTheContract(t *testing.T) {
	ids := func(steps []engine.Step[State]) []trace.StepID {
		var list []trace.StepID
		for _, s := range steps {
			if s.Ref == "" || s.Actor == "" || s.Do == nil {
				t.Errorf("step %s: ref, actor and function are required", s.ID)
			}
			list = append(list, s.ID)
		}
		return list
	}
	for _, c := range []struct {
		got, want []trace.StepID
	}{
		{ids(Steps()), []trace.StepID{
			"hpa/1-metrics/scrape", "hpa/1-metrics/query", "hpa/2-replicas/group", "hpa/2-replicas/ratio",
			"hpa/2-replicas/tolerance", "hpa/2-replicas/proposal", "hpa/2-replicas/stabilize", "hpa/2-replicas/limit",
			"hpa/3-scale/update", "hpa/4-deployment/replicaset", "hpa/5-pods/create", "hpa/5-pods/bind", "hpa/5-pods/run",
		}},
		{ids(ArchitectureSteps()), []trace.StepID{
			"hpa-architecture/1-replicaset", "hpa-architecture/2-deployment", "hpa-architecture/3-metrics",
			"hpa-architecture/4-watch", "hpa-architecture/5-metrics-server",
		}},
		{ids(IntroSteps()), []trace.StepID{"intro/1-horizontal", "intro/2-vertical", "intro/3-autoscalers"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("steps\n got %v\nwant %v", c.got, c.want)
		}
	}
}

func TestAboutLesson(t *testing.T) {
	for _, c := range []struct {
		actor, path string
		want        bool
	}{
		{ActorDeployment, "/apis/apps/v1/namespaces/shop/replicasets/web-1", true},
		{ActorDeployment, "/apis/apps/v1/namespaces/shopping/replicasets/web-1", false},
		{ActorReplicaSet, "/apis/apps/v1/namespaces/kube-system/replicasets/dns", false},
		{ActorMetrics, "/nodes/sim-node-1/metrics/resource", true},
		{ActorKubelet, "/api/v1/nodes/sim-node-1/status", false},
		{ActorHPA, "/apis/apps/v1", false},
		{ActorLearner, "/apis", true},
	} {
		if got := aboutLesson(trace.Call{Actor: c.actor, Path: c.path}, "shop"); got != c.want {
			t.Errorf("%s %s: got %v", c.actor, c.path, got)
		}
	}
}

// gateLog is a gate that notes what was asked of it.
type gateLog struct {
	log     []string
	waiting []trace.Waiting
	polls   int
}

func (g *gateLog) Open(_ context.Context, actor string) error {
	g.log = append(g.log, "open "+actor)
	return nil
}

func (g *gateLog) Close(ctx context.Context, actor string) error {
	g.log = append(g.log, "close "+actor)
	return ctx.Err()
}

func (g *gateLog) Waiting(context.Context) ([]trace.Waiting, error) {
	if g.polls++; g.polls > 3 {
		g.waiting = nil
	}
	return g.waiting, nil
}

func TestMoveClosesTheGate(t *testing.T) {
	never := func(context.Context) (bool, error) { return false, nil }
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		done   func(context.Context) (bool, error)
		cancel bool
		want   error
	}{
		"done":      {done: func(context.Context) (bool, error) { return true, nil }},
		"stuck":     {done: never, want: errStuck},
		"interrupt": {done: never, cancel: true, want: context.Canceled},
		"fault":     {done: func(context.Context) (bool, error) { return false, broken }, want: broken},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.cancel {
				cancel()
			}
			g := &gateLog{}
			s := &State{Gate: g, Timeout: 30 * time.Millisecond}
			if err := s.move(ctx, ActorKubelet, c.done); !errors.Is(err, c.want) {
				t.Errorf("got error %v, want %v", err, c.want)
			}
			if want := []string{"open kubelet", "close kubelet"}; !slices.Equal(g.log, want) {
				t.Errorf("gate: got %v, want %v", g.log, want)
			}
		})
	}
}

func TestDrainEndsWhenTheActorIsQuiet(t *testing.T) {
	g := &gateLog{waiting: []trace.Waiting{{Actor: ActorReplicaSet, Verb: "POST"}}}
	s := &State{Gate: g, Timeout: 5 * time.Second}
	if err := s.drain(t.Context(), ActorReplicaSet); err != nil {
		t.Fatal(err)
	}
	if want := 3 + quietPolls; g.polls != want {
		t.Errorf("polls: got %d, want %d", g.polls, want)
	}
}

func TestOpenAllClosesAll(t *testing.T) {
	g := &gateLog{}
	shut, err := (&State{Gate: g}).openAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := shut(); err != nil {
		t.Fatal(err)
	}
	if len(g.log) != 8 {
		t.Errorf("four actors opened and closed, got %v", g.log)
	}
	if shut, err = (&State{}).openAll(t.Context()); err != nil || shut() != nil {
		t.Errorf("without a gate: %v", err)
	}
}

func TestFrameCarriesCallsAndWaiting(t *testing.T) {
	s := &State{started: true, Namespace: "shop", Gate: &gateLog{waiting: []trace.Waiting{{Actor: ActorScheduler}}}, Recorder: &calls{
		{{Actor: ActorHPA, Verb: "GET", Path: "/apis/apps/v1/namespaces/shop/deployments/old"}, {Actor: ActorKubelet, Verb: "PATCH", Path: "/api/v1/namespaces/shop/pods/late/status"}},
		{{Actor: ActorHPA, Verb: "GET", Path: "/apis/apps/v1/namespaces/shop/deployments/web/scale"}, {Actor: ActorKubelet, Verb: "PUT", Path: "/api/v1/nodes/n"}},
	}}
	table := framed([]engine.Step[State]{{ID: "x", Do: func(context.Context, *State, *trace.Frame) error { return nil }}})
	var f trace.Frame
	if err := table[0].Do(t.Context(), s, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Calls) != 2 || f.Calls[0].Verb != "PATCH" || f.Calls[1].Verb != "GET" {
		t.Errorf("calls: got %v", f.Calls)
	}
	if !hasActor(f.Waiting, ActorScheduler) {
		t.Errorf("waiting: got %v", f.Waiting)
	}
}

// calls hands over one batch each time it is asked.
type calls [][]trace.Call

func (c *calls) Calls(context.Context) ([]trace.Call, error) {
	if len(*c) == 0 {
		return nil, nil
	}
	batch := (*c)[0]
	*c = (*c)[1:]
	return batch, nil
}

func TestFault(t *testing.T) {
	refused := &url.Error{Op: "Get", URL: "https://127.0.0.1:1", Err: errors.New("connection refused")}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("no metrics returned from resource metrics API"), false},
		{refused, true},
		{errors.Join(errors.New("unable to fetch metrics"), refused), true},
		{context.Canceled, true},
	} {
		if got := isFault(c.err); got != c.want {
			t.Errorf("%v: got %v", c.err, got)
		}
	}
	if err := fault(refused); !errors.Is(err, refused) || err.Error() == refused.Error() {
		t.Errorf("a fault is explained and kept: %v", err)
	}
}
