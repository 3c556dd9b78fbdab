package referee

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/kubernetes/pkg/apis/autoscaling/validation"

	"github.com/stepscale/stepscale/engine/hpa"
)

// Errors of a Player. A DecisionError says which decision it was.
var (
	ErrNoBeginning = errors.New("the controller's memory before this decision is not in the recording")
	ErrTime        = errors.New("the decision is not later than the one before it, or before the year 2000")
	ErrOther       = errors.New("the decision is about another HPA than the one before it")
	ErrStopped     = errors.New("the controller stopped")
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
	Refused  string // what the API server answered to the scale write; empty if it took it
	Observed bool   // the loop predicted only: what it remembers is what somebody else did
}

// Pair is what both controllers decided from the same inputs.
type Pair struct {
	Ours, Upstream Outcome
	Differences    []Difference // none: they decided the same
	EventsDropped  bool         // upstream's recorder drops events by now: they are not compared
}

// Replay plays a whole recording.
func Replay(ctx context.Context, decisions []Decision) (pairs []Pair, err error) {
	p := &Player{}
	defer p.Close()
	for i, d := range decisions {
		pair, err := p.Next(ctx, d)
		if err != nil && ctx.Err() == nil {
			return pairs, &DecisionError{i, err}
		}
		if err != nil {
			return pairs, err
		}
		pairs = append(pairs, pair)
	}
	return pairs, nil
}

// Player decides decisions twice: with our engine and with upstream's controller,
// which runs through their own times. The controller remembers what it saw, as ours
// does, so the decisions have to be complete and in order. Close must be called.
type Player struct {
	life   *life // nil before the first decision
	last   Decision
	memory hpa.History    // after it
	count  int64          // of what was played: each is a generation of the HPA
	seen   map[string]int // events by reason
	syncs  int            // of upstream's
}

// Close ends upstream's controller.
func (p *Player) Close() {
	if p.life != nil {
		p.life.end()
		p.life = nil
	}
}

// Next plays the next decision. After an error nothing more can be played.
func (p *Player) Next(ctx context.Context, d Decision) (pair Pair, err error) {
	defer func() {
		if r := recover(); r != nil { // in our own engine; upstream's has its guards in life
			err = fmt.Errorf("%w: %v", ErrStopped, r)
		}
	}()
	if err := p.follows(d); err != nil {
		return Pair{}, err
	}
	if err := p.revive(ctx, d); err != nil {
		return Pair{}, err
	}
	d.Input.HPA = p.asPlayed(d.Input.HPA)
	did, err := p.play(ctx, d, d.Input.Now)
	if err != nil {
		return Pair{}, err
	}
	ours, memory := decide(d)
	p.last, p.memory = d, memory
	return compare(d, ours, did, p.seen), nil
}

// follows tells whether the decision can come after the ones before it.
func (p *Player) follows(d Decision) error {
	switch y := d.Input.Now.UTC().Year(); {
	case p.life == nil && remembers(d.History) && !d.Observed:
		return ErrNoBeginning
	case y < 2000 || y > 2199, p.life != nil && !d.Input.Now.After(p.last.Input.Now):
		return ErrTime
	case p.life != nil && (d.Input.HPA.Name != p.last.Input.HPA.Name || d.Input.HPA.Namespace != p.last.Input.HPA.Namespace):
		return ErrOther
	}
	return nil
}

// revive sees to it that a controller runs that remembers what it has to. One that
// has forgotten everything is a new one. Where the time since the last decision is
// longer than any memory, a new one is given an equal memory shortly before the next
// decision: upstream's work queue ticks twice a second, and ten years of that would
// take a quarter of an hour.
func (p *Player) revive(ctx context.Context, d Decision) error {
	switch {
	case d.Observed && remembers(d.History) && (p.life == nil || !same(d.History, p.memory)):
		p.renew()
		p.seen = map[string]int{}
		return p.remind(ctx, d)
	case p.life == nil, remembers(p.memory) && !remembers(d.History): // restarted, or the HPA was deleted
		p.renew()
		p.seen = map[string]int{}
	case d.Input.Now.Sub(p.last.Input.Now) > memory(d)+time.Minute:
		p.renew()
		_, err := p.play(ctx, p.last, d.Input.Now.Add(-memory(d)-time.Second))
		return err
	}
	return nil
}

func (p *Player) renew() {
	p.Close()
	p.life = begin()
}

// memory is for how long something that the controller remembers can matter: the
// longest stabilization window of a behavior, which is longer than the longest period
// of a policy (both are the API server's limits), or the flag's. What is older is never
// read again. That there is something old matters, though: a controller that has
// nothing in its memory takes the current replicas for a recommendation.
func memory(d Decision) time.Duration { return max(leastMemory, d.Params.DownscaleStabilization) }

// leastMemory is a variable for the test that ticks through.
var leastMemory = time.Duration(validation.MaxStabilizationWindowSeconds) * time.Second

func (p *Player) play(ctx context.Context, d Decision, at time.Time) (Outcome, error) {
	did, err := p.life.play(ctx, d, at)
	p.syncs += did.syncs
	return did, err
}

func remembers(h hpa.History) bool {
	return len(h.Recommendations)+len(h.ScaleUp)+len(h.ScaleDown) > 0
}

// decide runs our engine; memory is what it remembers afterwards.
func decide(d Decision) (Outcome, hpa.History) {
	memory := d.History.Clone()
	var refused error
	if d.Refused != "" {
		refused = errors.New(d.Refused)
	}
	r := hpa.DecideAndWrite(d.Params, d.Input, memory, refused)
	var did Outcome
	if r.Rescale && refused == nil {
		did.Writes = []int32{r.Desired}
	}
	did.Events, did.Status = r.Events, &r.Status
	return did, *memory
}
