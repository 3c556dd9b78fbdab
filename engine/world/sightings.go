package world

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/trace"
)

// ErrNamespaceGone tells that the lesson's namespace was deleted under it.
var ErrNamespaceGone = errors.New("the namespace is gone")

// catchUpWithin is longer than client-go waits before it opens a watch again that was
// cut (client-go/tools/cache, Reflector: up to 30 s, and as much again by jitter).
const catchUpWithin = 90 * time.Second

// Mark notes that the write comes which sets the actors going: sightings are timed
// from it, and earlier ones belong to what was before.
func (w *World) Mark() { w.marked, w.did = w.Clock.Now(), nil }

// Did notes whose doing the end of an object is: a watch alone would take it for the
// ReplicaSet controller's.
func (w *World) Did(actor, object string) {
	if w.Witness == nil {
		return
	}
	if w.did == nil {
		w.did = map[string]string{}
	}
	w.did[object] = actor
}

// told tells whether a watch has something to say of what the actor did.
func (w *World) told(actor string) bool {
	return trace.Reacts(actor) || slices.Contains(slices.Collect(maps.Values(w.did)), actor)
}

// take moves what the witness has seen.
func (w *World) take() {
	for _, s := range w.Witness.Sightings() {
		if actor, ok := w.did[s.Object]; ok && s.What == trace.SeenDeleting {
			s.Actor = actor
			delete(w.did, s.Object)
		}
		w.seen = append(w.seen, s)
	}
}

// addSightings moves what the step's actor was seen doing to the frame; a step of
// the learner's has what all of them did. What the others did waits for their steps.
func (w *World) addSightings(ctx context.Context, f *trace.Frame) error {
	if w.Witness == nil {
		return nil
	}
	err := w.Poll(ctx, catchUpWithin, func(ctx context.Context) (caughtUp bool, err error) {
		if caughtUp = !w.told(f.Actor); !caughtUp { // the step has waited for somebody who is watched
			caughtUp, err = w.Witness.CaughtUp(ctx)
		}
		w.take()
		return caughtUp, err
	})
	if errors.Is(err, ErrStuck) {
		err = nil // others may be at work in the namespace all the time
	}
	if err != nil {
		return err // and what was seen is told when the step is run again
	}
	var later []trace.Sighting
	for _, s := range w.seen {
		switch {
		case s.At.Before(w.marked): // nobody's step: it belongs to what was before
		case f.Actor == trace.ActorLearner || s.Actor == f.Actor:
			s.After = s.At.Sub(w.marked)
			f.Seen = append(f.Seen, s)
		default:
			later = append(later, s)
		}
	}
	w.seen = later
	return nil
}

// NamespaceGone returns ErrNamespaceGone when the namespace was deleted or is
// being deleted. Who may not look at namespaces is told nothing.
func (w *World) NamespaceGone(ctx context.Context) error {
	ns, err := w.AsObserver().Kube.CoreV1().Namespaces().Get(ctx, w.Namespace, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err), err == nil && ns.DeletionTimestamp != nil:
		return fmt.Errorf("%w: %s", ErrNamespaceGone, w.Namespace)
	case apierrors.IsForbidden(err):
		return nil
	}
	return err
}
