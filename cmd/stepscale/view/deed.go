package view

import (
	"fmt"
	"strings"

	"github.com/stepscale/stepscale/engine/trace"
)

// Deed shows a step where there is room for a dozen rows: who moved, the arithmetic, what
// that changed, and then what the actor read and asked for. The head of the step and its
// kubectl command have their own places there.
func (s *Screen) Deed(v StepView) {
	v = seenIn(v)
	f := v.Frame
	s.moved(f)
	if f.Err != "" {
		s.item(s.style(red, f.Err))
	}
	var read, computed []trace.Fact
	for _, x := range f.Facts {
		switch {
		case drawn(x.Name):
		case arithmetic(x.Expr):
			computed = append(computed, x)
		default:
			read = append(read, x)
		}
	}
	s.rows(len(computed), func(i int) { s.item(s.factLine(computed[i])) })
	s.rows(len(f.Changes), func(i int) { s.item(s.style(green, "바뀜 ") + s.change(f.Changes[i])) })
	s.rows(len(read), func(i int) { s.item(s.factLine(read[i])) })
	s.events(f.Events, v.Start)
	s.bars(f)
	s.histogram(f.Facts)
	s.series(f.Facts)
	s.calls(f)
	s.sightings(f.Seen)
	s.waiting(f.Waiting)
	s.meanwhile(f)
}

// Standing is how the frame stands among all: the item of the seed that it belongs to, its
// name, and which of the steps of a pass it is, with a bar of that many columns at most.
// "2-replicas/ratio  4/13 ━━━━─────────".
func Standing(f trace.Frame, steps []trace.StepID, most int) string {
	_, name, ok := strings.Cut(string(f.Step), "/")
	if !ok {
		name = string(f.Step)
	}
	for i, id := range steps {
		if id == f.Step {
			width := min(len(steps), most)
			done := max((i+1)*width/len(steps), 1)
			return fmt.Sprintf("%s  %d/%d %s", OneLine(name), i+1, len(steps), strings.Repeat("━", done)+strings.Repeat("─", width-done))
		}
	}
	return OneLine(name)
}

// OneLine is text of others as it may stand in a row that no Screen writes.
func OneLine(text string) string { return cell(seen(text)) }
