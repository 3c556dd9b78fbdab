package world

import (
	"context"
	"errors"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pulse tells of a cluster on this machine when something moves in it. Without one the
// steps look again after a while.
type Pulse interface {
	// Beats counts the writes that the store took, the actors that came to the gate and the
	// calls that were answered. It returns the count as soon as it is more than after.
	Beats(ctx context.Context, after int64) (int64, error)
	// Revision is the store's. As long as it is the same, what was read of the API holds.
	Revision(ctx context.Context) (int64, error)
	// Newest is the revision of the last write to a resource ("pods"); 0 where that is not
	// known.
	Newest(ctx context.Context, resource string) (int64, error)
}

// Fresh makes a list as new as any, without the wait that asking for the newest takes
// where a pulse tells what that is.
func (w *World) Fresh(ctx context.Context, resource string, o metav1.ListOptions) (metav1.ListOptions, error) {
	if w.Pulse == nil {
		return o, nil
	}
	newest, err := w.Pulse.Newest(ctx, resource)
	if newest > 0 {
		o.ResourceVersion, o.ResourceVersionMatch = strconv.FormatInt(newest, 10), metav1.ResourceVersionMatchNotOlderThan
	}
	return o, err
}

// rest waits for the first beat after the given one, and no longer than that in any case:
// not everything that a step waits for is seen from there.
func (w *World) rest(ctx context.Context, longest time.Duration, after int64) error {
	if w.Pulse == nil || w.Crowd > largePods {
		return pause(ctx, longest)
	}
	beat, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	_, err := w.Pulse.Beats(beat, after)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return err
}

// beats is how often the pulse has beaten so far.
func (w *World) beats(ctx context.Context) (int64, error) {
	if w.Pulse == nil {
		return 0, nil
	}
	return w.Pulse.Beats(ctx, -1)
}

// kept is an answer of the API and the revision of the store before it was asked.
type kept struct {
	revision int64
	answer   any
}

// Keep returns what read returned the last time it was asked under that name, if the
// store has taken no write since. The answer belongs to everybody: nobody changes it.
func Keep[T any](ctx context.Context, w *World, name string, read func() (T, error)) (T, error) {
	if w.Pulse == nil {
		return read()
	}
	revision, err := w.Pulse.Revision(ctx)
	if err != nil {
		var none T
		return none, err
	}
	if k, ok := w.kept[name]; ok && k.revision == revision {
		if answer, ok := k.answer.(T); ok {
			return answer, nil
		}
	}
	answer, err := read()
	if err != nil {
		return answer, err
	}
	if w.kept == nil {
		w.kept = map[string]kept{}
	}
	w.kept[name] = kept{revision, answer}
	return answer, nil
}
