package world

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

const (
	actorTimeout = 30 * time.Second       // World.Timeout's default
	pollEvery    = 10 * time.Millisecond  // machine time
	pollReal     = 200 * time.Millisecond // on a cluster that others may use too
	pollPod      = 200 * time.Microsecond // for each pod, with more than largePods: reading them takes from those who make them
	timePod      = 30 * time.Millisecond  // for each pod, beyond actorTimeout
	largePods    = 100
	callGrace    = 10 * time.Second      // a call that is under way when the time is over may end
	idleFor      = 50 * time.Millisecond // without waiting writes until an actor counts as done
	settleWithin = 2 * time.Second       // for what is nice to show, never an error
)

// ErrStuck tells that an actor did not do its part in time.
var ErrStuck = errors.New("actor did not move")

// Stuck says which actor did not move and what it was waited for.
func (w *World) Stuck(actor, wanted, seen string) error {
	return fmt.Errorf("%w: %s 동안 기다렸지만 움직이지 않은 액터가 있습니다: %s. 기다린 것: %s. 지금 상태: %s. 다른 터미널에서 kubectl get events -n %s 로 이유를 확인하십시오",
		ErrStuck, w.timeout(), actor, wanted, seen, w.Namespace)
}

func (w *World) timeout() time.Duration {
	if w.Timeout > 0 {
		return w.Timeout
	}
	return actorTimeout + time.Duration(w.Crowd)*timePod
}

// Move opens the gate for one actor until done says so, and closes it again,
// also when the learner interrupts.
func (w *World) Move(ctx context.Context, actor string, done func(context.Context) (bool, error)) (err error) {
	if w.Gate != nil {
		if err := w.Gate.Open(ctx, actor); err != nil {
			return err
		}
		defer func() {
			if e := w.Gate.Close(context.WithoutCancel(ctx), actor); e != nil && err == nil {
				err = e
			}
		}()
	}
	return w.Poll(ctx, w.timeout(), done)
}

// Poll asks until done, again whenever something has moved. It returns ErrStuck when the time is over, and the
// context's own error when the learner interrupts.
func (w *World) Poll(ctx context.Context, limit time.Duration, done func(context.Context) (bool, error)) error {
	every := pollEvery
	if w.Simulation == nil {
		every = pollReal
	}
	if w.Crowd > largePods {
		every = max(every, time.Duration(w.Crowd)*pollPod)
	}
	call, cancel := context.WithTimeout(ctx, limit+callGrace)
	defer cancel()
	waiting, over := context.WithTimeout(ctx, limit)
	defer over()
	for {
		beats, err := w.beats(call)
		if err != nil {
			return cmp.Or(ctx.Err(), err)
		}
		if ok, err := done(call); ok || err != nil {
			return cmp.Or(ctx.Err(), err)
		}
		if err := w.rest(waiting, every, beats); waiting.Err() != nil {
			return cmp.Or(ctx.Err(), ErrStuck)
		} else if err != nil {
			return err
		}
	}
}

// Waits reports whether the actor has a write that the gate holds.
func (w *World) Waits(ctx context.Context, actor string) (bool, error) {
	if w.Gate == nil {
		return false, nil
	}
	waiting, err := w.Gate.Waiting(ctx)
	return hasActor(waiting, actor), err
}

func hasActor(waiting []trace.Waiting, actor string) bool {
	return slices.ContainsFunc(waiting, func(x trace.Waiting) bool { return x.Actor == actor })
}

// AwaitWaiting gives the next actor the time to come to the gate, so that the
// frame shows it. That it does not come is no error.
func (w *World) AwaitWaiting(ctx context.Context, actor string) error {
	if w.Gate == nil {
		return nil
	}
	return w.Settle(ctx, func(ctx context.Context) (bool, error) { return w.Waits(ctx, actor) })
}

// landWide waits for the answers to what the controller of nodes has written, which no gate
// holds, where a loop tells it.
func (w *World) landWide(ctx context.Context) error {
	if len(w.Wide) == 0 || ctx.Err() != nil {
		return nil
	}
	return w.land(ctx, trace.ActorNodeLifecycle)
}

// AwaitHeld gives an actor the time to come to the gate with n writes of a verb.
func (w *World) AwaitHeld(ctx context.Context, actor, verb string, n int) error {
	return w.AwaitHeldFor(ctx, settleWithin, actor, verb, n)
}

// AwaitHeldFor is AwaitHeld with a time of its own.
func (w *World) AwaitHeldFor(ctx context.Context, limit time.Duration, actor, verb string, n int) error {
	if w.Gate == nil || n == 0 {
		return nil
	}
	return w.SettleFor(ctx, limit, func(ctx context.Context) (bool, error) {
		waiting, err := w.Gate.Waiting(ctx)
		held := 0
		for _, x := range waiting {
			if x.Actor == actor && x.Verb == verb {
				held++
			}
		}
		return held >= n, err
	})
}

// Settle polls for a short while and forgives when it is over.
func (w *World) Settle(ctx context.Context, done func(context.Context) (bool, error)) error {
	return w.SettleFor(ctx, settleWithin, done)
}

// SettleFor is Settle with a time of its own.
func (w *World) SettleFor(ctx context.Context, limit time.Duration, done func(context.Context) (bool, error)) error {
	err := w.Poll(ctx, limit, done)
	if errors.Is(err, ErrStuck) {
		return nil
	}
	return err
}

// Drain lets an actor do what it already waits for, though nothing was scaled:
// the learner deleted a pod, for example.
func (w *World) Drain(ctx context.Context, actor string) error {
	err := w.Move(ctx, actor, w.idle(actor))
	if err != nil && !errors.Is(err, ErrStuck) {
		return err
	}
	return w.land(ctx, actor)
}

// idle is for a poll: it is done when the actor has not come to the gate for a while, and
// no write of its is under way.
func (w *World) idle(actor string) func(context.Context) (bool, error) {
	var quiet <-chan time.Time
	return func(ctx context.Context) (bool, error) {
		waiting, err := w.Waits(ctx, actor)
		if err != nil {
			return false, err
		}
		landed, err := w.landed(ctx, actor)
		if waiting || !landed || quiet == nil {
			quiet = time.After(idleFor)
		}
		select {
		case <-quiet:
			return true, err
		default:
			return false, err
		}
	}
}

// landed tells that every write of the actor is answered that the gate has let through.
func (w *World) landed(ctx context.Context, actor string) (bool, error) {
	if w.Flights == nil {
		return true, nil
	}
	n, err := w.Flights.Flying(ctx, actor)
	return n == 0, err
}

// land waits, behind a closed gate, for the answers to what the actor has written. The
// effect of a write is seen in the API before its answer is recorded, which would then be
// told in another's step.
func (w *World) land(ctx context.Context, actor string) error {
	return w.Settle(ctx, func(ctx context.Context) (bool, error) { return w.landed(ctx, actor) })
}

// OpenAll opens the gate for every actor; the returned function closes it.
func (w *World) OpenAll(ctx context.Context) (func() error, error) {
	actors := []string{trace.ActorDeployment, trace.ActorReplicaSet, trace.ActorStatefulSet, trace.ActorScheduler, trace.ActorKubelet}
	shut := func() error {
		var errs []error
		for _, a := range actors {
			errs = append(errs, w.Gate.Close(context.WithoutCancel(ctx), a))
		}
		for _, a := range actors {
			errs = append(errs, w.land(ctx, a))
		}
		return errors.Join(errs...)
	}
	if w.Gate == nil {
		return func() error { return nil }, nil
	}
	for _, a := range actors {
		if err := w.Gate.Open(ctx, a); err != nil {
			return nil, errors.Join(err, shut())
		}
	}
	return shut, nil
}
