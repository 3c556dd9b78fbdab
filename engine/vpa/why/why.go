// Package why says what it would have taken for the VPA's updater to do otherwise with a
// pod. Every answer was found by letting upstream's priority calculator decide again, with
// one input changed and everything else as it was.
package why

import (
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"

	"github.com/stepscale/stepscale/engine/otherwise"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
)

// Kind names an input of a decision.
type Kind string

// The inputs that are changed, one at a time.
const (
	Request    Kind = "request"    // of a container
	LowerBound Kind = "lowerBound" // of its recommendation
	Target     Kind = "target"     // likewise
	UpperBound Kind = "upperBound" // likewise
	Later      Kind = "later"      // seconds that go by while everything else stays as it is
	Lifetime   Kind = "lifetime"   // the updater's flag, in seconds
	Threshold  Kind = "threshold"  // the updater's flag
)

// Change is the smallest change of one input in one direction that turns what is done with
// the pod: with one unit less it is what was done.
type Change struct {
	Kind      Kind           `json:"input"`
	Container string         `json:"container,omitempty"`
	Resource  string         `json:"resource,omitempty"`
	Field     string         `json:"field,omitempty"` // the updater's flag
	Unit      otherwise.Unit `json:"unit"`
	From      int64          `json:"from"` // in the unit, rounded down
	To        int64          `json:"to"`
	Update    bool           `json:"update"` // what it gives

	input input
}

// Pod is why one pod is updated, or is not.
type Pod struct {
	Name    string        `json:"pod"`
	Update  bool          `json:"update"`
	Reason  string        `json:"reason"` // as the fact "verdict/<pod>" has it
	Text    string        `json:"text"`   // Korean
	Held    bool          `json:"held"`   // it cannot be spared now: no single input of its own changes that
	Age     time.Duration `json:"age"`    // nanoseconds
	Changes []Change      `json:"changes"`
}

// Answer is why the pods of a VPA are updated, or are not.
type Answer struct {
	Mode string `json:"updateMode"`
	Pods []Pod  `json:"pods"`
}

// ErrNone tells that the updater compared no pod in a pass.
var ErrNone = errors.New("no decision of a VPA")

// Pass is the answer for the decision that was recorded in the frames of a pass, and the
// index of its frame; ErrNone where there is none.
func Pass(frames []trace.Frame) (a Answer, at int, err error) {
	for i, f := range frames {
		if f.Step != vpa.DecideStep && f.Step != vpa.SeenDecideStep || len(f.Inputs) == 0 || f.Err != "" {
			continue
		}
		j, err := vpa.ReadJudged(f.Inputs)
		if err != nil {
			return Answer{}, i, err
		}
		return Of(j), i, nil
	}
	return Answer{}, 0, ErrNone
}

// Of decides a recorded decision again and again until it knows.
func Of(j vpa.Judged) Answer {
	a := Answer{Mode: string(vpautil.GetUpdateMode(j.VPA)), Pods: []Pod{}}
	_, verdicts := j.Decide()
	for i, p := range j.Pods {
		one := Pod{
			Name: p.Name, Update: verdicts[i].Update, Reason: verdicts[i].Reason, Text: verdicts[i].Text,
			Held: slices.Contains(j.Held, p.Name), Changes: []Change{},
		}
		if p.Status.StartTime != nil {
			one.Age = j.Now.Sub(p.Status.StartTime.Time)
		}
		if !one.Held && j.VPA.Status.Recommendation != nil {
			one.Changes = changes(j, p)
		}
		a.Pods = append(a.Pods, one)
	}
	return a
}

func changes(j vpa.Judged, p *corev1.Pod) []Change {
	list := []Change{}
	base := j.Updates(p)
	for _, in := range inputs(j, p) {
		for _, bound := range []int64{in.low, in.high} {
			if to, ok := otherwise.Nearest(in.from, bound, otherwise.Halves, func(v int64) bool { return in.decide(j, p, v) != base }); ok {
				list = append(list, Change{
					Kind: in.kind, Container: in.container, Resource: in.resource, Field: in.field, Unit: in.unit,
					From: in.from, To: to, Update: !base, input: in,
				})
			}
		}
	}
	return list
}

// Try decides about the pod with the input of a change at another value.
func (c Change) Try(j vpa.Judged, p *corev1.Pod, value int64) bool {
	return c.input.decide(j, p, value)
}
