package play

import (
	"fmt"
	"strconv"
	"strings"

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
		case !ok:
			v.Kind = Missing
			p.drift = append(p.drift, fmt.Sprintf("질문한 값(%s)이 이번 단계에서 나오지 않았습니다.", q.fact))
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

// words are what a learner may type for values that are not numbers.
var words = map[string]string{
	"확장": "scaleUp", "확대": "scaleUp", "증가": "scaleUp", "up": "scaleUp", "scaleup": "scaleUp", "scale up": "scaleUp",
	"축소": "scaleDown", "감소": "scaleDown", "down": "scaleDown", "scaledown": "scaleDown", "scale down": "scaleDown",
	"유지": "keep", "keep": "keep", "그대로": "keep",
	"재생성": "evict", "축출": "evict", "evict": "evict", "조정": "resize", "resize": "resize",
	"예": "true", "네": "true", "응": "true", "yes": "true", "y": "true", "true": "true",
	"아니요": "false", "아니": "false", "아니오": "false", "no": "false", "false": "false",
}

// Means is the value that a word stands for: "true" for 예; empty when it stands for none.
func Means(word string) string { return words[strings.ToLower(word)] }

// plausible tells an answer from a mistyped command.
func plausible(line string) bool {
	_, ok := number(line)
	return ok || Means(line) != ""
}

// right compares a prediction with the value. Units may be left out.
func right(guess, value string) bool {
	if w := Means(guess); w != "" {
		guess = w
	}
	if strings.EqualFold(guess, value) {
		return true
	}
	g, ok := number(guess)
	v, okValue := number(value)
	return ok && okValue && (g-v < 1e-9 && v-g < 1e-9)
}

// number reads "180", "180%", "180m", "5m0s" is none.
func number(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	for _, unit := range []string{"%", "m", "Mi", "개", "배"} {
		text = strings.TrimSuffix(text, unit)
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}
