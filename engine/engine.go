// Package engine runs a control loop one step at a time. A loop is a visible
// table of steps; Run executes it, and a Session lets somebody hold it in hand:
// next, continue, back.
package engine

import (
	"context"
	"fmt"
	"iter"
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
}

// Run executes passes of the loop, from pass first on, until the consumer stops. A
// failed step yields its frame together with the error; a consumer that goes on
// has it run again.
func (l Loop[S]) Run(ctx context.Context, first int) iter.Seq2[trace.Frame, error] {
	return func(yield func(trace.Frame, error) bool) {
		for pass := first; ; pass++ {
			for i := 0; i < len(l.Steps); i++ {
				f, err := l.step(ctx, pass, l.Steps[i])
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

func (l Loop[S]) step(ctx context.Context, pass int, step Step[S]) (trace.Frame, error) {
	f := trace.Frame{Pass: pass, Step: step.ID, Subject: l.Subject, Actor: step.Actor}
	err := ctx.Err()
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

// with is the step with something else to do.
func with[S, T any](step Step[T], do func(context.Context, *S, *trace.Frame) error) Step[S] {
	return Step[S]{ID: step.ID, Ref: step.Ref, Actor: step.Actor, Tells: step.Tells, Changes: step.Changes, Asides: step.Asides, Cached: step.Cached, Do: do}
}
