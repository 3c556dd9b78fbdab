// Package otherwise finds what it would have taken for a decision to come out otherwise:
// the smallest change of a single input that gives another outcome. Nothing is derived
// from rules. Who decides is asked again, with one input changed and all else as it was.
package otherwise

import (
	"context"
	"errors"
)

// Unit is what an input is counted in.
type Unit string

// The units.
const (
	Milli      Unit = "milli"      // of a core
	Mebibytes  Unit = "Mi"         // of memory
	Count      Unit = "count"      // of pods, nodes, whatever the input is of
	Percent    Unit = "%"          // of the nodes of a NodePool
	Seconds    Unit = "seconds"    // of a flag, or that go by while all else stays as it is
	Loops      Unit = "loops"      // that go by likewise; Of is how long one takes
	Thousandth Unit = "thousandth" // of a ratio
	Price      Unit = "0.0001USD"  // an hour
	Choice     Unit = "choice"     // 0 as it was, 1 as Field says
)

// Outcome is what was decided about something.
type Outcome struct {
	Verdict string   `json:"verdict"`         // named as upstream names it
	About   []string `json:"about,omitempty"` // the names and numbers that make one verdict another
	Note    string   `json:"note,omitempty"`  // what else upstream says of it: another note is no other outcome
	Ref     string   `json:"upstream"`        // file and function
}

// Same tells that two outcomes are one.
func (o Outcome) Same(as Outcome) bool {
	if o.Verdict != as.Verdict || len(o.About) != len(as.About) {
		return false
	}
	for i := range o.About {
		if o.About[i] != as.About[i] {
			return false
		}
	}
	return true
}

// Input is something that a decision reads, as a whole number with bounds.
type Input struct {
	Kind  string `json:"input"`           // what it is: "requests.cpu"
	Of    string `json:"of,omitempty"`    // whose: "web", "general"
	Field string `json:"field,omitempty"` // the flag or the field of the API
	Unit  Unit   `json:"unit"`
	From  int64  `json:"from"`
	Low   int64  `json:"low"` // nothing is tried beyond
	High  int64  `json:"high"`
}

// Probe is an input whose values can be tried.
type Probe struct {
	Input
	// Decide is the outcome with another value; that of From is the one that was decided.
	Decide func(ctx context.Context, v int64) (Outcome, error)
}

// Change is the smallest change of one input in one direction that gives another outcome:
// one unit less gives the one that was decided.
type Change struct {
	Input
	To      int64   `json:"to"`
	Outcome Outcome `json:"outcome"` // that it gives
}

// Answer is why something came out as it did.
type Answer struct {
	Question string   `json:"question"`
	Subject  string   `json:"subject"` // the node, the node group, the NodePool
	Outcome  Outcome  `json:"outcome"`
	Changes  []Change `json:"changes"`
	Unmoved  []Input  `json:"unmoved"` // that change nothing between their bounds, as far as was looked
}

// Ask looks at every input in both directions.
func Ask(ctx context.Context, question, subject string, decided Outcome, search Search, probes []Probe) (Answer, error) {
	a := Answer{Question: question, Subject: subject, Outcome: decided, Changes: []Change{}, Unmoved: []Input{}}
	for _, in := range probes {
		moved := false
		for _, bound := range []int64{in.Low, in.High} {
			var failed error
			to, ok := Nearest(in.From, bound, search, func(v int64) bool {
				o, err := in.Decide(ctx, v)
				if err != nil {
					failed = err
				}
				return failed == nil && !o.Same(decided)
			})
			if failed == nil {
				failed = ctx.Err()
			}
			if failed != nil {
				return a, failed
			}
			if !ok {
				continue
			}
			o, err := in.Decide(ctx, to)
			if err != nil {
				return a, err
			}
			moved = true
			a.Changes = append(a.Changes, Change{Input: in.Input, To: to, Outcome: o})
		}
		if !moved {
			a.Unmoved = append(a.Unmoved, in.Input)
		}
	}
	return a, nil
}

// EveryWithin is how near Halves looks at every value.
const EveryWithin = 32

// Search is how Nearest looks: at every value that is so near, and beyond farther by a part
// of the distance each time. What is so for less than that may be missed.
type Search struct{ every, part int64 }

// The searches, of decisions that cost little, more, and most.
var (
	Halves = Search{EveryWithin, 2} // of those that are made thousands of times
	Coarse = Search{12, 8}
	Sparse = Search{4, 1}
)

// Nearest is the value from there on, towards a bound, at which something differs and
// before which it does not.
func Nearest(from, bound int64, search Search, differs func(int64) bool) (int64, bool) {
	sign := int64(1)
	if bound < from {
		sign = -1
	}
	reach := (bound - from) * sign
	same := int64(0)
	for step := int64(1); same < reach; step = search.stepAfter(step, same) {
		try := same + min(step, reach-same)
		if !differs(from + sign*try) {
			same = try
			continue
		}
		for try-same > 1 {
			if mid := same + (try-same)/2; differs(from + sign*mid) {
				try = mid
			} else {
				same = mid
			}
		}
		return from + sign*try, true
	}
	return 0, false
}

func (s Search) stepAfter(step, distance int64) int64 {
	if distance < s.every {
		return 1
	}
	return max(step, distance/s.part)
}

// ErrDiffers tells that what was recorded decides otherwise now: another version has recorded
// it, or something that is no input has played a part.
var ErrDiffers = errors.New("the recorded inputs decide otherwise now than was recorded")
