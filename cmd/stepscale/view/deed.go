package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

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
	s.calls(f, shorten)
	s.sightings(f.Seen)
	s.waiting(f, shorten)
	s.meanwhile(f)
}

// Standing is how the frame stands among all: the item of the seed that it belongs to, its
// name, and which of the steps of a pass it is, with a bar where that many columns have room
// for one. "2-replicas/ratio  4/13 ━━━━─────────".
func Standing(f trace.Frame, steps []trace.StepID, room int) string {
	_, name, ok := strings.Cut(string(f.Step), "/")
	if !ok {
		name = string(f.Step)
	}
	name = OneLine(name)
	i := slices.Index(steps, f.Step)
	if i < 0 {
		return name
	}
	counted := fmt.Sprintf("%s  %d/%d", name, i+1, len(steps))
	left := room - ansi.StringWidth(counted) - 1
	switch {
	case left < -1:
		return name
	case left < leastBar:
		return counted
	}
	width := min(len(steps), left, mostBar)
	done := max((i+1)*width/len(steps), 1)
	return counted + " " + strings.Repeat("━", done) + strings.Repeat("─", width-done)
}

// The bar of a pass, in columns.
const leastBar, mostBar = 8, 13

// OneLine is text of others as it may stand in a row that no Screen writes.
func OneLine(text string) string { return cell(seen(text)) }
