package play

import (
	"fmt"

	"github.com/stepscale/stepscale/engine/trace"
)

// judge holds the learner's guesses against the frames.
func (p *Play) judge(questions []question, guesses []string, frames []trace.Frame) {
	if len(questions) == 0 {
		return
	}
	var all Verdicts
	for i, q := range questions {
		value, ok := lastFact(frames, q.fact)
		v := Verdict{Fact: q.fact, Guess: guesses[i], Value: value}
		switch {
		case !ok && !p.info.Simulated:
			v.Kind = Unknown
			v.Why, _ = lastFact(frames, "skipped")
		case !ok:
			v.Kind = Missing
			p.miss(q.line, fmt.Sprintf("질문한 값(%s)이 이번 단계에서 나오지 않았습니다.", q.fact))
		case v.Guess == "":
			v.Kind = Answer
		case right(v.Guess, value):
			v.Kind = Right
		case !p.info.Simulated: // the question has the numbers of a load that is always the same
			v.Kind = Differs
		default:
			v.Kind, v.Hints = Wrong, q.hints
		}
		all = append(all, v)
	}
	p.tell(all)
}

// lastFact is the fact as the latest of the frames has it.
func lastFact(frames []trace.Frame, name string) (string, bool) {
	for i := len(frames) - 1; i >= 0; i-- {
		if v, ok := frames[i].Fact(name); ok {
			return v, true
		}
	}
	return "", false
}
