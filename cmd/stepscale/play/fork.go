package play

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stepscale/stepscale/engine/trace"
)

// Forked is another course from a pass on, beside the recorded one.
type Forked struct {
	From  int // pass; 0 is the beginning
	Sets  []string
	What  string // that the rows of numbers are
	First string // the first step in which the courses part, in Korean; empty: they never do
	// Parted is the same of a branch, which was executed; nil of a course that was computed.
	Parted *Parting
	Notes  []string
	Beyond string // what the other did where the recorded has ended, in Korean; empty: neither went further

	Recorded, Other []float64 // a number a pass, from the first pass of the recording on
	Passes          []ForkedPass
	Sums            [][]string // of the courses, from their beginnings to their ends: what, recorded, other
}

// ForkedPass is a pass in which the courses differ.
type ForkedPass struct {
	Pass            int
	Recorded, Other string
}

// forkParts is whether another course is another one in any pass.
const forkParts = "forkParts"

// RecordedFacts are those that a lesson about a recording may ask about, beside what its frames
// tell: they are found by the replay's commands.
func RecordedFacts() []string {
	return []string{"whyMore", "whyLess", "forkMost", "forkLast", "forkFirstPass", forkParts}
}

// Facts are what a lesson may ask about another course: how many replicas or how much there
// was at the most and in the end, and the first pass in which it was not the recorded one.
func (f Forked) Facts() (facts []trace.Fact) {
	add := func(name string, value any) { facts = append(facts, trace.Fact{Name: name, Value: fmt.Sprint(value)}) }
	if n := len(f.Other); n > 0 {
		add("forkMost", slices.Max(f.Other))
		add("forkLast", f.Other[n-1])
	}
	if len(f.Passes) > 0 {
		add("forkFirstPass", f.Passes[0].Pass)
	}
	return append(facts, trace.Fact{Name: forkParts, Value: fmt.Sprint(len(f.Passes) > 0)})
}

func (r *Replay) fork(arg string) flow { return r.forkAt(r.Recording.Row(r.cursor).Pass, arg) }

func (r *Replay) whatif(arg string) flow { return r.forkAt(0, arg) }

// forkAt plays on from a pass with something set otherwise; 0 is the beginning.
func (r *Replay) forkAt(pass int, arg string) flow {
	sets := strings.Fields(arg)
	switch {
	case r.Fork == nil:
		return r.refuse("이 기록에서는 갈라져 볼 수 없습니다.")
	case len(sets) == 0:
		return r.refuse("무엇을 바꿀지 적어 주십시오. 예: 갈래 target=70, 갈래 maxReplicas=6, 갈래 updateMode=Off")
	}
	forked, err := r.Fork(pass, sets)
	if err != nil {
		return r.refuse(err.Error())
	}
	r.tell(forked)
	return stay
}
