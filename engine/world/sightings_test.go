package world

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/engine/trace"
)

// lateWitness tells of a sighting once it has been asked a few times whether it has
// caught up.
type lateWitness struct {
	asked, late int
	sighting    trace.Sighting
}

func (w *lateWitness) CaughtUp(context.Context) (bool, error) {
	w.asked++
	return w.asked > w.late, nil
}

func (w *lateWitness) Sightings() []trace.Sighting {
	if w.asked <= w.late || w.sighting.Actor == "" {
		return nil
	}
	s := w.sighting
	w.sighting = trace.Sighting{}
	return []trace.Sighting{s}
}

// TestSightingsWaitForTheWatch: what a watch tells late is in the frame all the same,
// and nobody waits for it in a step whose actor is not watched.
func TestSightingsWaitForTheWatch(t *testing.T) {
	witness := &lateWitness{late: 3}
	w := &World{Clock: clock.RealClock{}, Witness: witness}
	w.Mark()
	witness.sighting = trace.Sighting{Actor: trace.ActorReplicaSet, Object: "pod/web-1", What: "created", At: w.Clock.Now().Add(time.Second)}
	if f := (trace.Frame{Actor: trace.ActorHPA}); w.addSightings(t.Context(), &f) != nil || witness.asked > 0 || len(f.Seen) > 0 {
		t.Errorf("asked %d times, seen %v", witness.asked, f.Seen)
	}
	f := trace.Frame{Actor: trace.ActorReplicaSet}
	if err := w.addSightings(t.Context(), &f); err != nil || len(f.Seen) != 1 || f.Seen[0].Object != "pod/web-1" {
		t.Errorf("seen %v, %v", f.Seen, err)
	}
}

// TestPollIsStuck: a call that is under way when the time is over is not cut off, or
// client-go's rate limiter would have an error of its own for it.
func TestPollIsStuck(t *testing.T) {
	w := &World{}
	err := w.Poll(t.Context(), 20*time.Millisecond, func(ctx context.Context) (bool, error) {
		time.Sleep(40 * time.Millisecond)
		return false, ctx.Err()
	})
	if !errors.Is(err, ErrStuck) {
		t.Errorf("error %v", err)
	}
	boom := errors.New("boom")
	if err := w.Poll(t.Context(), time.Minute, func(context.Context) (bool, error) { return false, boom }); !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
}

// flights are writes that are under way for so many looks.
type flights struct{ asked, under int }

func (f *flights) Flying(context.Context, string) (int, error) {
	f.asked++
	return max(0, f.under-f.asked), nil
}

// TestAWriteIsAnsweredInItsStep: a pod is there, or gone, before the answer to the write is
// recorded, and the step that it belongs to waits for it; but not where a webhook holds it.
func TestAWriteIsAnsweredInItsStep(t *testing.T) {
	read := func(context.Context) (Workload, error) { return Workload{}, nil }
	for name, c := range map[string]struct {
		move func(*World) error
		want int
	}{
		"one": {want: 4, move: func(w *World) error {
			_, err := w.Play(t.Context(), Run(func(Workload) bool { return true }), read)
			return err
		}},
		"in a webhook": {want: 0, move: func(w *World) error {
			_, err := w.Play(t.Context(), Part{Done: func(Workload) bool { return true }, Unanswered: true}, read)
			return err
		}},
		"all": {want: 4 + 4, move: func(w *World) error { // the first waits, and four look once
			shut, err := w.OpenAll(t.Context())
			return errors.Join(err, shut())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &flights{under: 4}
			if err := c.move(&World{Gate: &gateLog{}, Flights: f, Simulation: still{}}); err != nil || f.asked != c.want {
				t.Errorf("asked %d times, want %d; %v", f.asked, c.want, err)
			}
		})
	}
}

// still is virtual time in which nothing happens.
type still struct{}

func (still) Advance(context.Context, time.Duration) error { return nil }
func (still) Scrape(context.Context) error                 { return nil }
