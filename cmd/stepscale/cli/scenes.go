package cli

import (
	"strconv"
	"strings"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// scene is what is played between two stops: prose, questions, and the one
// block that executes something. The last scene of a lesson may have none.
type scene struct {
	prose     []string
	questions []question
	hints     []string // those that belong to no question
	exec      *lessons.Block
}

type question struct {
	fact, text string
	hints      []string
}

// scenesOf groups a lesson's blocks.
func scenesOf(blocks []lessons.Block) []scene {
	var scenes []scene
	var s scene
	for i, b := range blocks {
		switch b.Kind {
		case "predict":
			s.questions = append(s.questions, question{fact: b.Arg, text: b.Text})
		case "hint":
			if n := len(s.questions); n > 0 {
				s.questions[n-1].hints = append(s.questions[n-1].hints, b.Text)
			} else {
				s.hints = append(s.hints, b.Text)
			}
		case "step", "continue":
			s.exec = &blocks[i]
			scenes = append(scenes, s)
			s = scene{}
		default:
			s.prose = append(s.prose, b.Text)
		}
	}
	if len(s.prose) > 0 {
		scenes = append(scenes, s)
	}
	return scenes
}

// executions counts the scenes that execute something.
func executions(scenes []scene) int {
	n := 0
	for _, s := range scenes {
		if s.exec != nil {
			n++
		}
	}
	return n
}

// findStep is how many executing scenes come before the step, which may be
// named in full, without its loop, or by its end.
func findStep(scenes []scene, step string) (int, bool) {
	n := 0
	for _, s := range scenes {
		if s.exec == nil {
			continue
		}
		if id := s.exec.Arg; (s.exec.Kind == "step" || s.exec.ToStep()) && (id == step || strings.HasSuffix(id, "/"+step)) {
			return n, true
		}
		n++
	}
	return 0, false
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

// plausible tells an answer from a mistyped command.
func plausible(line string) bool {
	_, ok := number(line)
	return ok || words[strings.ToLower(line)] != ""
}

// right compares a prediction with the value. Units may be left out.
func right(guess, value string) bool {
	if w := words[strings.ToLower(guess)]; w != "" {
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
