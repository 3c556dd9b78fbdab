package hpa

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/stepscale/stepscale/engine/trace"
)

const (
	actorTimeout = 30 * time.Second       // State.Timeout's default
	pollEvery    = 10 * time.Millisecond  // machine time
	pollLarge    = 100 * time.Millisecond // with more pods than largePods
	largePods    = 100
	quietPolls   = 5               // polls without waiting writes until an actor counts as done
	settleWithin = 2 * time.Second // for what is nice to show, never an error
)

// errStuck tells that an actor did not do its part in time.
var errStuck = errors.New("actor did not move")

// stuck says which actor did not move and what it was waited for.
func (s *State) stuck(actor, wanted, seen string) error {
	return fmt.Errorf("%w: %s 동안 기다렸지만 움직이지 않은 액터가 있습니다: %s. 기다린 것: %s. 지금 상태: %s. 다른 터미널에서 kubectl get events -n %s 로 이유를 확인하십시오",
		errStuck, s.timeout(), actor, wanted, seen, s.Namespace)
}

func (s *State) timeout() time.Duration {
	if s.Timeout > 0 {
		return s.Timeout
	}
	return actorTimeout
}

// move opens the gate for one actor until done says so, and closes it again,
// also when the learner interrupts.
func (s *State) move(ctx context.Context, actor string, done func(context.Context) (bool, error)) (err error) {
	if s.Gate != nil {
		if err := s.Gate.Open(ctx, actor); err != nil {
			return err
		}
		defer func() {
			if e := s.Gate.Close(context.WithoutCancel(ctx), actor); e != nil && err == nil {
				err = e
			}
		}()
	}
	return s.poll(ctx, s.timeout(), done)
}

// poll asks until done. It returns errStuck when the time is over, and the
// context's own error when the learner interrupts.
func (s *State) poll(ctx context.Context, limit time.Duration, done func(context.Context) (bool, error)) error {
	every := pollEvery
	if max(len(s.pass.known), int(s.pass.desired)) > largePods {
		every = pollLarge
	}
	err := wait.PollUntilContextTimeout(ctx, every, limit, true, done)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if wait.Interrupted(err) {
		return errStuck
	}
	return err
}

// waits reports whether the actor has a write that the gate holds.
func (s *State) waits(ctx context.Context, actor string) (bool, error) {
	if s.Gate == nil {
		return false, nil
	}
	waiting, err := s.Gate.Waiting(ctx)
	return hasActor(waiting, actor), err
}

func hasActor(waiting []trace.Waiting, actor string) bool {
	for _, w := range waiting {
		if w.Actor == actor {
			return true
		}
	}
	return false
}

// awaitWaiting gives the next actor the time to come to the gate, so that the
// frame shows it. That it does not come is no error.
func (s *State) awaitWaiting(ctx context.Context, actor string) error {
	if s.Gate == nil {
		return nil
	}
	return s.settle(ctx, func(ctx context.Context) (bool, error) { return s.waits(ctx, actor) })
}

// settle polls for a short while and forgives when it is over.
func (s *State) settle(ctx context.Context, done func(context.Context) (bool, error)) error {
	err := s.poll(ctx, settleWithin, done)
	if errors.Is(err, errStuck) {
		return nil
	}
	return err
}

// drain lets an actor do what it already waits for, though nothing was scaled:
// the learner deleted a pod, for example.
func (s *State) drain(ctx context.Context, actor string) error {
	quiet := 0
	err := s.move(ctx, actor, func(ctx context.Context) (bool, error) {
		waiting, err := s.waits(ctx, actor)
		if quiet++; waiting {
			quiet = 0
		}
		return quiet >= quietPolls, err
	})
	if errors.Is(err, errStuck) {
		return nil
	}
	return err
}

// awaitCalls waits until the recorder handed over at least n calls that match:
// the effect of a call is seen in the API before its answer is recorded.
func (s *State) awaitCalls(ctx context.Context, n int, match func(trace.Call) bool) error {
	if s.Recorder == nil || s.Gate == nil || n == 0 {
		return nil
	}
	return s.settle(ctx, func(ctx context.Context) (bool, error) {
		if err := s.takeCalls(ctx); err != nil {
			return false, err
		}
		seen := 0
		for _, c := range s.calls {
			if isWrite(c) && match(c) {
				seen++
			}
		}
		return seen >= n, nil
	})
}

// openAll opens the gate for every actor; the returned function closes it.
func (s *State) openAll(ctx context.Context) (func() error, error) {
	actors := []string{ActorDeployment, ActorReplicaSet, ActorScheduler, ActorKubelet}
	shut := func() error {
		var errs []error
		for _, a := range actors {
			errs = append(errs, s.Gate.Close(context.WithoutCancel(ctx), a))
		}
		return errors.Join(errs...)
	}
	if s.Gate == nil {
		return func() error { return nil }, nil
	}
	for _, a := range actors {
		if err := s.Gate.Open(ctx, a); err != nil {
			return nil, errors.Join(err, shut())
		}
	}
	return shut, nil
}
