package world

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
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

// lateRecorder hands a call over when it is asked the n-th time.
type lateRecorder struct {
	asked, late int
	call        trace.Call
}

func (r *lateRecorder) Calls(context.Context) ([]trace.Call, error) {
	if r.asked++; r.asked != r.late {
		return nil, nil
	}
	return []trace.Call{r.call}, nil
}

// TestAPodsEndIsToldInItsStep: the pod is gone before the answer to its deletion is
// recorded, and the step that it belongs to waits for it.
func TestAPodsEndIsToldInItsStep(t *testing.T) {
	gone := pod("gone", onNode)
	end := trace.Call{Actor: trace.ActorKubelet, Verb: "DELETE", Path: "/api/v1/namespaces/shop/pods/gone"}
	w := &World{Namespace: "shop", Gate: &gateLog{}, Recorder: &lateRecorder{late: 4, call: end}, Simulation: still{}}
	if err := w.AwaitRun(t.Context(), Fingerprints([]*corev1.Pod{gone}), Workload{}); err != nil || len(w.calls) != 1 || w.calls[0] != end {
		t.Errorf("calls %v, %v", w.calls, err)
	}
	never := &lateRecorder{}
	w.Recorder = never
	if err := w.AwaitRun(t.Context(), Fingerprints([]*corev1.Pod{pod("never-bound")}), Workload{}); err != nil || never.asked > 0 {
		t.Errorf("a pod that no kubelet had: asked %d times, %v", never.asked, err)
	}
}

// still is virtual time in which nothing happens.
type still struct{}

func (still) Advance(context.Context, time.Duration) error { return nil }
func (still) Scrape(context.Context) error                 { return nil }
