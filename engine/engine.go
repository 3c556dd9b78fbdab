// Package engine runs a control loop one step at a time. A loop is a visible
// table of steps; Run executes it, and a Session lets somebody hold it in hand:
// next, continue, back.
package engine

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// Step is one row of a loop. Ref names what the step mirrors: an upstream file
// and function, or the seed document's item.
type Step[S any] struct {
	ID    trace.StepID
	Ref   string
	Actor string
	// Tells are the facts that a lesson may ask about, which the step tells when it has
	// something to do.
	Tells   []string
	Changes bool    // it changes the pods' number or size, or tells that somebody else has
	Asides  []Aside // what others may write in it
	// Cached are the resources that upstream's actor takes from its informers' caches,
	// where ours asks the API server: a step shows what is true at its moment.
	Cached []string
	Do     func(ctx context.Context, s *S, f *trace.Frame) error
}

// Loop is a table of steps with the state that they share.
type Loop[S any] struct {
	Steps   []Step[S]
	State   *S
	Subject string
	Now     func() time.Time
	Due     Due[S] // nil: every turn is taken
}

// Due tells whether the loop of that name has something to do in this pass. It is asked
// before the first of its steps in a row, which are its turn in the table of a loop that is
// made of others; where it has nothing to do the turn is left out, without a frame.
type Due[S any] func(ctx context.Context, s *S, turn string) (bool, error)

// Run executes passes of the loop, from pass first on, until the consumer stops. A
// failed step yields its frame together with the error; a consumer that goes on
// has it run again.
func (l Loop[S]) Run(ctx context.Context, first int) iter.Seq2[trace.Frame, error] {
	return func(yield func(trace.Frame, error) bool) {
		for pass := first; ; pass++ {
			for i := 0; i < len(l.Steps); i++ {
				due, err := l.due(ctx, i)
				if err == nil && !due {
					i = turnEnd(l.Steps, i) - 1
					continue
				}
				f, err := l.step(ctx, pass, l.Steps[i], err)
				if !yield(f, err) {
					return
				}
				if err != nil {
					if ctx.Err() != nil {
						return
					}
					i-- // run again
				}
			}
		}
	}
}

// due tells whether the i-th step is executed in this pass.
func (l Loop[S]) due(ctx context.Context, i int) (bool, error) {
	if l.Due == nil || !beginsTurn(l.Steps, i) {
		return true, nil
	}
	return l.Due(ctx, l.State, l.Steps[i].ID.Loop())
}

// beginsTurn tells that another loop has the step before.
func beginsTurn[S any](steps []Step[S], i int) bool {
	return i == 0 || steps[i-1].ID.Loop() != steps[i].ID.Loop()
}

// turnEnd is the first step after those of the i-th's loop.
func turnEnd[S any](steps []Step[S], i int) int {
	for i++; i < len(steps) && !beginsTurn(steps, i); {
		i++
	}
	return i
}

// step executes a step, unless something is wrong already.
func (l Loop[S]) step(ctx context.Context, pass int, step Step[S], err error) (trace.Frame, error) {
	f := trace.Frame{Pass: pass, Step: step.ID, Subject: l.Subject, Actor: step.Actor}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = step.Do(ctx, l.State, &f)
	}
	f.At = l.Now()
	if err != nil {
		f.Err = err.Error()
		err = fmt.Errorf("%s: %w", step.ID, err)
	}
	return f, err
}

// Lift makes the steps of one state those of another that holds it.
func Lift[S, T any](steps []Step[T], of func(*S) *T) []Step[S] {
	lifted := make([]Step[S], len(steps))
	for i, step := range steps {
		lifted[i] = with(step, func(ctx context.Context, s *S, f *trace.Frame) error { return step.Do(ctx, of(s), f) })
	}
	return lifted
}

// From are the steps from that one on: a loop that follows another in one table need not
// do again what that has done. None where there is no such step.
func From[S any](steps []Step[S], first trace.StepID) []Step[S] {
	i := slices.IndexFunc(steps, func(s Step[S]) bool { return s.ID == first })
	if i < 0 {
		return nil
	}
	return steps[i:]
}

// with is the step with something else to do.
func with[S, T any](step Step[T], do func(context.Context, *S, *trace.Frame) error) Step[S] {
	return Step[S]{ID: step.ID, Ref: step.Ref, Actor: step.Actor, Tells: step.Tells, Changes: step.Changes, Asides: step.Asides, Cached: step.Cached, Do: do}
}
