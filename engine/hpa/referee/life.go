package referee

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/hpa"
)

// life is one life of upstream's controller, in a bubble of virtual time. Its channels
// are made outside of the bubble: while it waits for the next request, time in there
// stands still.
type life struct {
	requests chan request
	answers  chan answer
	over     chan struct{}
	err      error // why it is over; nil: it was ended
}

type request struct {
	ctx context.Context
	d   Decision
	at  time.Time // when the controller is to decide
}

type answer struct {
	did Outcome
	err error
}

func begin() *life {
	l := &life{requests: make(chan request), answers: make(chan answer), over: make(chan struct{})}
	go l.run()
	return l
}

// play lets the controller decide at a time, which is later than before.
func (l *life) play(ctx context.Context, d Decision, at time.Time) (Outcome, error) {
	select {
	case l.requests <- request{ctx, d, at}:
	case <-l.over:
		return Outcome{}, l.err
	}
	select {
	case a := <-l.answers:
		return a.did, a.err
	case <-l.over:
		return Outcome{}, l.err
	}
}

// end waits until nothing is left of it.
func (l *life) end() {
	close(l.requests)
	<-l.over
}

// run is the life. testing.T is nothing but the door to the bubble: this is no test.
// A panic of the controller's own goroutines ends in Upstream.crashed.
func (l *life) run() {
	defer close(l.over)
	stopped := func() {
		if r := recover(); r != nil {
			l.err = fmt.Errorf("%w: %v", ErrStopped, r)
		}
	}
	defer stopped()
	synctest.Test(new(testing.T), func(t *testing.T) {
		defer stopped()
		ctx, cancel := context.WithCancel(t.Context())
		w := &replay{}
		stop := func() {}
		defer func() { cancel(); stop() }()
		var u *Upstream
		for r := range l.requests {
			err := pass(r.ctx, r.at, u != nil)
			if err == nil {
				w.set(r.d)
				if u == nil {
					p := r.d.Params
					p.SyncPeriod = never
					u, stop = Start(ctx, p, w, r.d.Input.HPA.Spec.ScaleTargetRef)
				}
				err = u.reconcile(r.ctx, r.d.Input)
			}
			a := answer{err: err}
			if err == nil {
				a.did = u.Take()
			}
			l.answers <- a
		}
	})
}

// stride is how much time may go by with a controller running before somebody who
// wants to end it is heard: some milliseconds of a machine's time.
const stride = 10 * time.Minute

// pass lets virtual time pass. Before the controller runs it costs nothing.
func pass(ctx context.Context, until time.Time, ticking bool) error {
	for wait := time.Until(until); wait > 0; wait = time.Until(until) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if ticking {
			wait = min(wait, stride)
		}
		time.Sleep(wait)
	}
	return ctx.Err()
}

// reconcile shows the controller the world of one decision, the HPA last: that
// is what it reconciles for.
func (u *Upstream) reconcile(ctx context.Context, in hpa.Input) error {
	if err := u.SetPods(in.HPA.Namespace, in.Pods); err != nil {
		return err
	}
	if err := u.SetRivals(in.HPA, in.Rivals); err != nil {
		return err
	}
	synctest.Wait()
	if err := u.SetHPA(in.HPA); err != nil {
		return err
	}
	synctest.Wait()
	return errors.Join(ctx.Err(), u.stopped())
}

// never is longer than any recording.
const never = 200 * 365 * 24 * time.Hour

// asPlayed is the HPA with a generation of its own; versions and managed fields
// mean nothing to an in-memory client.
func (p *Player) asPlayed(object *autoscalingv2.HorizontalPodAutoscaler) *autoscalingv2.HorizontalPodAutoscaler {
	p.count++
	played := object.DeepCopy()
	played.Generation, played.ResourceVersion, played.ManagedFields = p.count, "", nil
	return played
}

// replay is the World that tells a recording's inputs.
type replay struct {
	mu  sync.Mutex
	now Decision
}

func (w *replay) set(d Decision) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = d
}

func (w *replay) Scale() *autoscalingv1.Scale {
	w.mu.Lock()
	defer w.mu.Unlock()
	in := w.now.Input
	return &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: in.HPA.Spec.ScaleTargetRef.Name, Namespace: in.HPA.Namespace},
		Spec:       autoscalingv1.ScaleSpec{Replicas: in.SpecReplicas},
		Status:     autoscalingv1.ScaleStatus{Replicas: in.StatusReplicas, Selector: in.Selector},
	}
}

func (w *replay) SetScale(int32) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now.Refused != "" {
		return errors.New(w.now.Refused)
	}
	return nil
}

func (w *replay) Metric(q Question) hpa.MetricData {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, m := range w.now.Input.HPA.Spec.Metrics {
		if i < len(w.now.Input.Metrics) && QuestionFor(m) == q {
			return w.now.Input.Metrics[i]
		}
	}
	return hpa.MetricData{Err: fmt.Errorf("the recording has no answer for %s metric %s", q.Type, q.Name)}
}
