package lab

import (
	"cmp"
	"context"
	"slices"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/clusters/manifest"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
	"github.com/stepscale/stepscale/scenarios"
)

// agenda lets the scenario's events happen as virtual time comes to their moments. It
// moves time itself, so that an event stands where it is written and not at the end of a
// step. It is a world.Simulation and a world.Timeline.
type agenda struct {
	Simulation
	stage    *Stage
	due      []appointment // in the order of time
	happened []trace.Event
	hands    map[string]hand // by actor
}

// An appointment is an event, or the end of one.
type appointment struct {
	at time.Duration // since the load began
	do func(context.Context) ([]trace.Event, error)
}

// hand are the clients with which an actor writes.
type hand struct {
	kube      kubernetes.Interface
	manifests manifest.Client
}

func newAgenda(s *Stage, sim Simulation) *agenda {
	a := &agenda{Simulation: sim, stage: s, hands: map[string]hand{}}
	for _, e := range s.Scenario.Events() {
		a.add(e.At, func(ctx context.Context) ([]trace.Event, error) { return a.begin(ctx, e) })
	}
	return a
}

func (a *agenda) add(at time.Duration, do func(context.Context) ([]trace.Event, error)) {
	a.due = append(a.due, appointment{at, do})
	slices.SortStableFunc(a.due, func(x, y appointment) int { return cmp.Compare(x.at, y.at) })
}

// Advance moves time as the cluster does, and stops at every event. What starting pods
// took is part of d there, so that time may have come less far than was asked for.
func (a *agenda) Advance(ctx context.Context, d time.Duration) error {
	for d > 0 {
		if err := a.happen(ctx); err != nil {
			return err
		}
		part := d
		if len(a.due) > 0 {
			part = min(d, a.due[0].at-a.stage.elapsed())
		}
		if err := a.Simulation.Advance(ctx, part); err != nil {
			return err
		}
		d -= part
	}
	return a.happen(ctx)
}

// happen lets everything happen whose moment has come. What a fault of the machine kept
// from happening is still due.
func (a *agenda) happen(ctx context.Context) error {
	for len(a.due) > 0 && a.due[0].at <= a.stage.elapsed() {
		next := a.due[0]
		events, err := next.do(ctx)
		if err != nil {
			return err
		}
		a.due = a.due[1:] // still the first: what it added comes later
		a.happened = append(a.happened, events...)
	}
	return nil
}

// Happened tells what has happened since it was last asked.
func (a *agenda) Happened() []trace.Event {
	events := a.happened
	a.happened = nil
	return events
}

// hand are the clients of an actor, whose calls are recorded as its own.
func (a *agenda) hand(actor string) (hand, error) {
	if h, ok := a.hands[actor]; ok {
		return h, nil
	}
	cfg := a.stage.identity(actor)
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return hand{}, err
	}
	manifests, err := manifest.NewClient(cfg)
	if err == nil {
		a.hands[actor] = hand{kube, manifests}
	}
	return hand{kube, manifests}, err
}

// told is the event as a frame has it. An answer of the API server that says no is part
// of it; a fault of the machine is not, and is returned.
func (a *agenda) told(e scenarios.Event, what, object, detail string, err error) (trace.Event, error) {
	if world.IsFault(err) {
		return trace.Event{}, err
	}
	event := trace.Event{At: a.stage.objects.access.Clock.Now(), Actor: e.Actor, What: what, Object: object, Detail: detail}
	if err != nil {
		event.Err = err.Error()
	}
	return event, nil
}
