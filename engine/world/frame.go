package world

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

// ShownNames bounds how many names of pods a fact spells out.
const ShownNames = 5

// Framed completes the frame of every step with what all of them have: the
// calls that were made meanwhile and the actors that wait after it.
func Framed[S any](of func(*S) *World, steps []engine.Step[S]) []engine.Step[S] {
	for i, step := range steps {
		do := step.Do
		steps[i].Do = func(ctx context.Context, s *S, f *trace.Frame) error {
			w := of(s)
			if err := w.takeCalls(ctx); err != nil {
				return fault(err)
			}
			if step.Actor == trace.ActorLearner {
				w.Mark() // what follows is the learner's doing
			}
			w.calls = mutations(w.calls) // reads between two steps belong to none
			if !w.started {              // nor does what made the lesson's objects
				w.started, w.calls = true, nil
			}
			err := w.orGone(ctx, do(ctx, s, f))
			err = w.complete(ctx, f, err)
			f.Calls = cached(f.Calls, step.Actor, step.Cached)
			return fault(err)
		}
	}
	return steps
}

// orGone says of an API server's no that the namespace is gone, where that is why.
func (w *World) orGone(ctx context.Context, err error) error {
	if !apierrors.IsNotFound(err) && !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) && !errors.Is(err, ErrStuck) {
		return err
	}
	if gone := w.NamespaceGone(ctx); errors.Is(gone, ErrNamespaceGone) {
		return gone
	}
	return err
}

// complete adds calls and waiting actors. When the step failed already, its
// error is the one that counts.
func (w *World) complete(ctx context.Context, f *trace.Frame, err error) error {
	if e := w.landWide(ctx); err == nil {
		err = e
	}
	if e := w.takeCalls(ctx); e != nil && err == nil {
		err = e
	}
	f.Calls, w.calls = w.calls, nil
	if w.Timeline != nil {
		f.Events = w.Timeline.Happened()
	}
	if err == nil {
		err = w.addSightings(ctx, f)
	}
	if w.Gate == nil {
		return err
	}
	waiting, e := w.Gate.Waiting(ctx)
	if e != nil && err == nil {
		err = e
	}
	waiting = append(waiting, f.Waiting...) // what the step itself knows of
	slices.SortFunc(waiting, func(a, b trace.Waiting) int {
		return cmp.Or(cmp.Compare(a.Actor, b.Actor), cmp.Compare(a.Verb, b.Verb), cmp.Compare(a.Path, b.Path))
	})
	f.Waiting = waiting
	return err
}

// cached marks the actor's reads of those resources.
func cached(calls []trace.Call, actor string, resources []string) []trace.Call {
	for i, c := range calls {
		calls[i].Cached = c.Actor == actor && !c.Writes() && !strings.Contains(c.Path, metricsGroup) && slices.Contains(resources, c.Resource())
	}
	return calls
}

// metricsGroup has "pods", too, of which nobody keeps a cache.
const metricsGroup = "/metrics.k8s.io/"

// takeCalls moves the recorder's calls to the state, those about the lesson only.
func (w *World) takeCalls(ctx context.Context) error {
	if w.Recorder == nil {
		return nil
	}
	calls, err := w.Recorder.Calls(ctx)
	for _, c := range calls {
		if aboutLesson(c, w.Namespace) || w.wide(c) {
			w.calls = append(w.calls, c)
		}
	}
	return err
}

// aboutLesson tells the calls of a lesson from those that keep the cluster
// alive: the lesson's namespace, the kubelets' metrics, and what the learner did.
func aboutLesson(c trace.Call, namespace string) bool {
	if c.Actor == trace.ActorLearner || c.Actor == trace.ActorPipeline || strings.Contains(c.Path, "/metrics/resource") {
		return true
	}
	_, rest, ok := strings.Cut(c.Path, "/namespaces/")
	ns, _, _ := strings.Cut(rest, "/")
	return ok && ns == namespace
}

// wide tells the writes to the cluster-wide objects that the lesson is about.
func (w *World) wide(c trace.Call) bool {
	return c.Writes() && slices.ContainsFunc(w.Wide, func(prefix string) bool { return strings.HasPrefix(c.Path, prefix) })
}

func mutations(calls []trace.Call) []trace.Call {
	var writes []trace.Call
	for _, c := range calls {
		if c.Writes() {
			writes = append(writes, c)
		}
	}
	return writes
}

func SomeNames(names []string) string {
	if len(names) > ShownNames {
		return strings.Join(names[:ShownNames], ", ") + fmt.Sprintf(" 외 %d개", len(names)-ShownNames)
	}
	return strings.Join(names, ", ")
}

// IsFault tells a machine fault (no answer from the API server, a token that has
// expired, the learner interrupts) from an answer that says no, which is part of the lesson.
func IsFault(err error) bool {
	var dial *url.Error
	var network net.Error
	return errors.As(err, &dial) || errors.As(err, &network) || apierrors.IsUnauthorized(err) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// fault says in Korean that the API server did not answer. A call that was never sent,
// for want of a token, has a cause of its own.
func fault(err error) error {
	var call *url.Error
	var network net.Error
	if !errors.As(err, &call) || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.As(call.Err, &network) || errors.Is(call.Err, io.EOF) || errors.Is(call.Err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("API 서버가 응답하지 않습니다. 클러스터가 아직 떠 있는지 확인하십시오(stepscale cluster status): %w", err)
	}
	return err
}
