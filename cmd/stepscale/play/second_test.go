package play

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// taped is a source of frames that were made before.
type taped struct{ session *engine.Session }

func tape(t *testing.T, frames ...trace.Frame) taped {
	s := engine.NewSession(func(yield func(trace.Frame, error) bool) {
		for _, f := range frames {
			if !yield(f, nil) {
				return
			}
		}
	})
	t.Cleanup(s.Close)
	return taped{s}
}

func (s taped) Session() *engine.Session { return s.session }
func (taped) Info() engine.Info          { return engine.Info{Simulated: true} }
func (taped) LoadChanged() bool          { return false }

// loop has two steps, of which the first tells a number.
var loop = engine.Define(engine.Definition{Name: "l", Facts: engine.Facts{engine.Count: {"n"}}}, []engine.Step[struct{}]{{ID: "l/1-a/x", Actor: "a"}, {ID: "l/2-b/y", Actor: "b"}},
	func(*struct{}) string { return "" }, nil).Definition

func step(id trace.StepID, n string) trace.Frame {
	f := trace.Frame{Pass: 1, Step: id}
	f.Add("n", n, "")
	return f
}

// told plays with what is typed at the stops, and lists the events in short.
func told(p *Play, t *testing.T, typed ...string) string {
	var all []string
	for e := range p.Events(t.Context()) {
		name := strings.TrimPrefix(fmt.Sprintf("%T", e), "play.")
		switch e := e.(type) {
		case Ask:
			if len(typed) == 0 {
				return strings.Join(all, " ")
			}
			p.Type(typed[0])
			name, typed = fmt.Sprintf("Ask(%s)", typed[0]), typed[1:]
		case Executed:
			name = string(e.Frame.Step)
		case Question:
			name += map[bool]string{true: "!"}[e.Hinted]
		case Again:
			name += map[bool]string{true: "!"}[e.Hinted]
		case Verdicts:
			name = fmt.Sprintf("Verdict(%s,%d)", e[0].Guess, e[0].Kind)
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

// TestSecondTry: the hints come after the first wrong answer, nothing of the step is told
// before the second, and what is said last counts.
func TestSecondTry(t *testing.T) {
	lesson := lessons.Lesson{Blocks: []lessons.Block{{Kind: lessons.Predict, Arg: "n", Text: "?"}, {Kind: lessons.Hint, Text: "!"}, {Kind: lessons.Step, Arg: "l/1-a/x"}}}
	for typed, want := range map[string]string{
		"4":         "Coming Question! Ask(4) l/1-a/x Verdict(4,0)",
		"3 4":       "Coming Question! Ask(3) Again! Hint Ask(4) l/1-a/x Verdict(4,0)",
		"3 5":       "Coming Question! Ask(3) Again! Hint Ask(5) l/1-a/x Verdict(5,1)",
		"3 n":       "Coming Question! Ask(3) Again! Hint Ask(n) l/1-a/x Verdict(3,1)",
		"n":         "Coming Question! Ask(n) l/1-a/x Verdict(,3)",
		"3 q":       "Coming Question! Ask(3) Again! Hint Ask(q) l/1-a/x",
		"once":      "Coming Question! Ask(3) l/1-a/x Verdict(3,1)",
		"3 h 4":     "Coming Question! Ask(3) Again! Hint Ask(h) Hint Ask(4) l/1-a/x Verdict(4,0)",
		"unhinted":  "Coming Question Ask(3) Again Ask(h) Note Ask(4) l/1-a/x Verdict(4,0)",
		"hinted by": "Coming Question! Ask(h) Hint Ask(3) Again Ask(4) l/1-a/x Verdict(4,0)",
	} {
		words := strings.Fields(typed)
		o := Options{Lesson: lesson, Loop: loop, Source: tape(t, step("l/1-a/x", "4")), Save: func(state.Lesson) {}, SecondTry: typed != "once"}
		switch typed {
		case "once":
			words = []string{"3"}
		case "unhinted":
			words, o.Lesson.Blocks = []string{"3", "h", "4"}, slices.Delete(slices.Clone(lesson.Blocks), 1, 2)
		case "hinted by": // what belongs to no question, and is told before any
			words, o.Lesson.Blocks = []string{"h", "3", "4"}, []lessons.Block{lesson.Blocks[1], lesson.Blocks[0], lesson.Blocks[2]}
		}
		got := told(New(o), t, words...)
		if got = strings.TrimSuffix(strings.TrimPrefix(got, "Title "), " Finished"); got != want {
			t.Errorf("%s:\n%s, want\n%s", typed, got, want)
		}
	}
}

// TestRunWithoutALesson: a step at a time in the order of the loop, and over the end of a
// pass.
func TestRunWithoutALesson(t *testing.T) {
	second := step("l/1-a/x", "5")
	second.Pass = 2
	p := NewRun("시나리오", Options{Loop: loop, Source: tape(t, step("l/1-a/x", "4"), step("l/2-b/y", "4"), second)})
	got := told(p, t, "", "n", "f", "다음", "q")
	const want = "Title Prose Coming Ask() l/1-a/x Coming Ask(n) l/2-b/y Coming Ask(f) Facts Ask(다음) l/1-a/x Coming Ask(q)"
	if got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}

// TestRunOfLoopsThatTakeTurns: whose turn is next nobody knows before, so that one step is
// executed, whichever comes, and none is missed.
func TestRunOfLoopsThatTakeTurns(t *testing.T) {
	table := []engine.Step[struct{}]{{ID: "up/1", Actor: "a"}, {ID: "up/2", Actor: "a"}, {ID: "l/1", Actor: "b"}}
	turns := engine.Define(engine.Definition{Name: "l", Turns: []string{"up"}}, table, func(*struct{}) string { return "" }, nil).Definition
	frame := func(pass int, id trace.StepID) trace.Frame { return trace.Frame{Pass: pass, Step: id} }
	p := NewRun("시나리오", Options{Loop: turns, Source: tape(t, frame(1, "l/1"), frame(2, "up/1"), frame(2, "up/2"), frame(2, "l/1"))})
	got := told(p, t, "", "", "", "", "q")
	const want = "Title Prose Coming Ask() l/1 Coming Ask() up/1 Coming Ask() up/2 Coming Ask() l/1 Coming Ask(q)"
	if got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}

// TestATurnThatDoesNotCome: a lesson that waits for a step which is left out is told so,
// and not that there is no such step.
func TestATurnThatDoesNotCome(t *testing.T) {
	table := []engine.Step[struct{}]{{ID: "up/1", Actor: "a"}, {ID: "l/1", Actor: "b"}}
	turns := engine.Define(engine.Definition{Name: "l", Turns: []string{"up"}}, table, func(*struct{}) string { return "" }, nil).Definition
	var frames []trace.Frame
	for pass := 1; pass <= 3; pass++ {
		frames = append(frames, trace.Frame{Pass: pass, Step: "l/1"})
	}
	lesson := lessons.Lesson{Blocks: []lessons.Block{{Kind: lessons.Continue, Arg: "up/1"}}}
	p := New(Options{Lesson: lesson, Loop: turns, Source: tape(t, frames...), Save: func(state.Lesson) {}})
	told(p, t, "")
	if drift := p.Drift(); len(drift) != 1 || !strings.Contains(drift[0], "up/1 단계의 차례가 오지 않았습니다") {
		t.Errorf("drift %q", drift)
	}
}

// TestLookingBackBeginsWithWhatHasJustGoneBy: the first b shows it once more, also after another
// step; from there each shows the one before.
func TestLookingBackBeginsWithWhatHasJustGoneBy(t *testing.T) {
	var lesson lessons.Lesson
	for range 2 {
		lesson.Blocks = append(lesson.Blocks, lessons.Block{Kind: lessons.Step, Arg: "l/1-a/x"}, lessons.Block{Kind: lessons.Step, Arg: "l/2-b/y"})
	}
	first, second := step("l/1-a/x", "1"), step("l/2-b/y", "2")
	third, fourth := first, second
	third.Pass, fourth.Pass = 2, 2
	p := New(Options{Lesson: lesson, Loop: loop, Source: tape(t, first, second, third, fourth), Save: func(state.Lesson) {}})
	const want = "Title Coming Ask(b) Note Ask() l/1-a/x Coming Ask(b) l/1-a/x Ask() l/2-b/y Coming Ask(b) l/2-b/y Ask(b) l/1-a/x Ask(b) Note Ask(n) l/2-b/y Note Ask(n) l/1-a/x Coming"
	if got := told(p, t, "b", "", "b", "", "b", "b", "b", "n", "n"); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}
