package world

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
)

// Part is what one actor does to a workload in a step that is its own.
type Part struct {
	Actor  string
	Done   func(Workload) bool
	Wanted func(Workload) string // for the error: what was waited for
	Seen   func(Workload) string // and what came of it
	// Unanswered tells that a write may wait for its answer when the part is done: in a
	// webhook, which another step lets go on.
	Unanswered bool
}

// Rescale is the Deployment controller's part: its newest ReplicaSet has as many replicas.
func Rescale() Part {
	return Part{
		Actor: trace.ActorDeployment,
		Done: func(w Workload) bool {
			return w.Deployment == nil || w.Newest() != nil && ReplicasOf(w.Newest()) == w.Replicas()
		},
		Wanted: func(w Workload) string {
			return fmt.Sprintf("레플리카셋의 spec.replicas가 %s 바뀌는 것", korean.By(strconv.Itoa(int(w.Replicas()))))
		},
		Seen: func(w Workload) string {
			if w.Newest() == nil {
				return "레플리카셋이 없습니다"
			}
			return fmt.Sprintf("%s의 spec.replicas는 %d입니다", w.Newest().Name, ReplicasOf(w.Newest()))
		},
	}
}

// Create is the ReplicaSet controller's part: it makes or deletes pods until done, or
// until it says that it cannot (a quota, a webhook that is down).
func Create(done func(Workload) bool, wanted func(Workload) int) Part {
	return Part{
		Actor:  trace.ActorReplicaSet,
		Done:   func(w Workload) bool { return done(w) || w.Failure() != "" },
		Wanted: func(w Workload) string { return fmt.Sprintf("파드 %d개", wanted(w)) },
		Seen:   func(w Workload) string { return fmt.Sprintf("파드 %d개", len(w.Active())) },
	}
}

// Bind is the scheduler's part: every pod has a node, or cannot have one.
func Bind() Part {
	return Part{
		Actor: trace.ActorScheduler,
		Done:  Workload.Placed,
		Wanted: func(w Workload) string {
			return fmt.Sprintf("파드 %d개 모두에 노드가 정해지는 것", len(w.Active()))
		},
		Seen: func(w Workload) string {
			bound, _ := w.Bound()
			return fmt.Sprintf("%d개에 노드가 정해졌습니다", bound)
		},
	}
}

// Run is the kubelets' part: the pods are as done wants them, Workload.Settled as a rule.
func Run(done func(Workload) bool) Part {
	return Part{
		Actor: trace.ActorKubelet,
		Done:  done,
		Wanted: func(w Workload) string {
			bound, _ := w.Bound()
			return fmt.Sprintf("파드 %d개가 Ready가 되고 삭제 중인 파드가 사라지는 것", bound)
		},
		Seen: func(w Workload) string {
			return fmt.Sprintf("Ready %d개, 삭제 중 %d개입니다", w.Ready(), w.Terminating())
		},
	}
}

// Started tells whether the kubelets have done what they can in a step: real ones have
// the time to wait for their probes too.
func (w *World) Started(of Workload) bool {
	if w.Simulation != nil {
		return of.Started()
	}
	return of.Settled()
}

// Play opens the gate for the part's actor until its part is done, and returns what
// read saw last.
func (w *World) Play(ctx context.Context, p Part, read func(context.Context) (Workload, error)) (last Workload, err error) {
	idle := w.idle(p.Actor)
	var stand blocked
	err = w.Move(ctx, p.Actor, func(ctx context.Context) (bool, error) {
		now, err := read(ctx)
		if err != nil {
			return false, err
		}
		if last = now; p.Done(now) {
			return true, nil
		}
		if w.Simulation == nil {
			return false, stand.look(now, w.Clock.Now())
		}
		if !now.Rolling() || w.Gate == nil {
			return false, nil
		}
		return idle(ctx) // a rolling update shares the pods out; take what comes
	})
	if errors.Is(err, ErrStuck) {
		err = w.Stuck(p.Actor, p.Wanted(last), p.Seen(last))
	}
	if err == nil && !p.Unanswered {
		err = w.land(ctx, p.Actor)
	}
	return last, err
}
