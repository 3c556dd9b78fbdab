package referee

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/hpa"
)

// Errors of Replay. Where says which decision it was.
var (
	ErrNoBeginning = errors.New("the controller's memory before this decision is not in the recording")
	ErrTime        = errors.New("the decision is not later than the one before it, or before the year 2000")
)

// DecisionError names the decision of a recording that cannot be replayed.
type DecisionError struct {
	Index int // in the argument of Replay
	Err   error
}

func (e *DecisionError) Error() string { return fmt.Sprintf("decision %d: %v", e.Index, e.Err) }
func (e *DecisionError) Unwrap() error { return e.Err }

// Decision is one recorded decision: what it read, and how its scale write ended.
type Decision struct {
	hpa.Recorded
	Refused string // what the API server answered to the scale write; empty if it took it
}

// Pair is what both controllers decided from the same inputs.
type Pair struct {
	Ours, Upstream Outcome
	Differences    []Difference // none: they decided the same
	EventsDropped  bool         // upstream's recorder drops events by now: they are not compared
}

// replay is the World that tells a recording's inputs.
type replay struct {
	mu  sync.Mutex
	now Decision
}

// Replay decides every decision twice: with our engine and with upstream's
// controller, which runs through the recording's own times in a bubble. The
// controller remembers what it saw, as ours does, so the decisions have to be
// complete and in order. A decision without any memory restarts upstream, too.
func Replay(ctx context.Context, decisions []Decision) (pairs []Pair, err error) {
	for i := 0; i < len(decisions) && err == nil; {
		end := i + 1
		for end < len(decisions) && !forgotten(decisions[end-1], decisions[end]) {
			end++
		}
		var more []Pair
		if more, err = inBubble(ctx, decisions[i:end]); err != nil {
			var at *DecisionError
			if errors.As(err, &at) {
				at.Index += i
			}
		}
		pairs = append(pairs, more...)
		i = end
	}
	return pairs, err
}

// forgotten tells whether the controller was restarted, or the HPA deleted,
// between two decisions: it remembered something and then nothing.
func forgotten(before, after Decision) bool {
	h := after.History
	if len(h.Recommendations)+len(h.ScaleUp)+len(h.ScaleDown) > 0 {
		return false
	}
	_, memory := decide(before)
	return len(memory.Recommendations)+len(memory.ScaleUp)+len(memory.ScaleDown) > 0
}

// inBubble plays one life of the controller. testing.T is nothing but the door
// to the bubble: this is no test.
func inBubble(ctx context.Context, decisions []Decision) (pairs []Pair, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("upstream's controller stopped: %v", r)
		}
	}()
	synctest.Test(new(testing.T), func(t *testing.T) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("upstream's controller stopped: %v", r)
			}
		}()
		pairs, err = play(t.Context(), ctx.Err, decisions)
	})
	return pairs, err
}

// play lets the controller reconcile at each decision's own time, and nowhere
// else: every decision gets a generation of its own.
func play(ctx context.Context, interrupted func() error, decisions []Decision) (pairs []Pair, err error) {
	ctx, cancel := context.WithCancel(ctx)
	w := &replay{}
	var u *Upstream
	stop := func() {}
	defer func() { cancel(); stop() }()
	seen := map[string]int{} // events by reason
	for i, d := range decisions {
		wait := time.Until(d.Input.Now)
		switch {
		case i == 0 && len(d.History.Recommendations)+len(d.History.ScaleUp)+len(d.History.ScaleDown) > 0:
			return pairs, &DecisionError{i, ErrNoBeginning}
		case wait < 0 || i > 0 && wait == 0:
			return pairs, &DecisionError{i, ErrTime}
		case interrupted() != nil:
			return pairs, interrupted()
		}
		time.Sleep(wait)
		d.Input.HPA = asPlayed(d.Input.HPA, int64(i+1))
		w.set(d)
		if u == nil {
			p := d.Params
			p.SyncPeriod = never
			u, stop = Start(ctx, p, w, d.Input.HPA.Spec.ScaleTargetRef)
		}
		if err := u.reconcile(d.Input); err != nil {
			return pairs, &DecisionError{i, err}
		}
		pairs = append(pairs, compare(d, u.Take(), seen))
	}
	return pairs, nil
}

// reconcile shows the controller the world of one decision, the HPA last: that
// is what it reconciles for.
func (u *Upstream) reconcile(in hpa.Input) error {
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
	return nil
}

// never is longer than any recording.
const never = 200 * 365 * 24 * time.Hour

// asPlayed is the HPA with a generation of its own; versions and managed fields
// mean nothing to an in-memory client.
func asPlayed(object *autoscalingv2.HorizontalPodAutoscaler, generation int64) *autoscalingv2.HorizontalPodAutoscaler {
	played := object.DeepCopy()
	played.Generation, played.ResourceVersion, played.ManagedFields = generation, "", nil
	return played
}

// decide runs our engine; memory is what it remembers afterwards.
func decide(d Decision) (Outcome, hpa.History) {
	h := d.History
	memory := hpa.History{Recommendations: slices.Clone(h.Recommendations), ScaleUp: slices.Clone(h.ScaleUp), ScaleDown: slices.Clone(h.ScaleDown)}
	var refused error
	if d.Refused != "" {
		refused = errors.New(d.Refused)
	}
	r := hpa.DecideAndWrite(d.Params, d.Input, &memory, refused)
	var did Outcome
	if r.Rescale && refused == nil {
		did.Writes = []int32{r.Desired}
	}
	did.Events, did.Status = r.Events, &r.Status
	return did, memory
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
