package view

import (
	"fmt"
	"slices"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// FactSeries is what a fact was over the time of a recording.
type FactSeries struct {
	Fact    string
	Samples []Sample
	Numbers []float64 // that the samples are; none where they are words
}

// Sample is one of its values.
type Sample struct {
	Pass  int
	After time.Duration // since the first frame, in loop time
	Text  string
}

// blocks are the heights of a sparkline, and next to nothing for the least value.
var blocks = []rune("▁▂▃▄▅▆▇█")

// FactSeries shows the values where they changed, and numbers as a line of blocks.
func (s *Screen) FactSeries(v FactSeries) {
	v = seenIn(v)
	s.section(cell(FactLabel(v.Fact) + " (" + v.Fact + ")"))
	if spark := sparkline(v.Numbers, s.width-4); spark != "" && !s.plain {
		s.print("  " + s.style(green, spark) + "\n")
	}
	changes := changed(v.Samples)
	if hidden := len(changes) - mostChanges; hidden > 0 {
		s.item(s.style(faint, fmt.Sprintf("… 앞의 변화 %d번은 줄였습니다", hidden)))
		changes = changes[hidden:]
	}
	for _, c := range changes {
		row := fmt.Sprintf("패스 %4d  %s  %s", c.Pass, padLeft(Elapsed(c.After), 8), s.style(bold, cell(FactValue(c.Text))))
		s.item(row)
	}
	s.item(s.style(faint, fmt.Sprintf("값 %d개 가운데 바뀐 자리만 보여 드립니다.", len(v.Samples))))
	s.Blank()
}

// mostChanges is how many changes of a value are listed.
const mostChanges = 20

// changed are the samples that differ from the one before.
func changed(all []Sample) (changes []Sample) {
	for i, v := range all {
		if i == 0 || v.Text != all[i-1].Text {
			changes = append(changes, v)
		}
	}
	return changes
}

// sparkline draws numbers as blocks, the greatest of every column where there are more
// than fit; nothing where the values are no numbers.
func sparkline(numbers []float64, width int) string {
	if len(numbers) < 2 {
		return ""
	}
	low, high := slices.Min(numbers), slices.Max(numbers)
	if low == high {
		return ""
	}
	return onScale(numbers, width, low, high)
}

// ListedStep is a step in the list of a pass.
type ListedStep struct {
	At, Step            string
	Here, Moved, Failed bool
}

// StepList shows the steps of a pass, and where one stands.
func (s *Screen) StepList(rows []ListedStep) {
	s.section("이 패스의 단계")
	for _, r := range seenIn(rows) {
		mark, note := "  ", ""
		if r.Here {
			mark = "▶ "
		}
		if r.Moved {
			note = "  바뀐 것이 있습니다"
		}
		if r.Failed {
			note = "  오류"
		}
		line := mark + pad(r.At, 7) + " " + shorten(r.Step, s.width-36)
		if r.Here {
			line = s.style(bold, line)
		}
		s.item(line + s.style(yellow, note))
	}
	s.Blank()
}

// Difference is a fact that is not the same in two passes, or a step that only one has.
type Difference struct {
	Step                         trace.StepID
	Fact                         string
	ValueA, ExprA, ValueB, ExprB string
	OnlyA, OnlyB                 bool
}

// Differences shows the first one apart: what follows follows from it as a rule.
func (s *Screen) Differences(a, b int, all []Difference) {
	if len(all) == 0 {
		s.section(fmt.Sprintf("패스 %d | 패스 %d: 계산과 값이 모두 같습니다", a, b))
		s.Blank()
		return
	}
	for i, d := range seenIn(all) {
		switch i {
		case 0:
			s.section(fmt.Sprintf("패스 %d | 패스 %d에서 처음 달라진 값", a, b))
		case 1:
			s.section("그 뒤에 달라진 것")
		case maxRows + 1:
			s.item(s.style(faint, fmt.Sprintf("… 외 %d개", len(all)-i)))
		}
		if i > maxRows {
			continue
		}
		s.difference(a, b, d, i == 0)
	}
	s.Blank()
}

func (s *Screen) difference(a, b int, d Difference, whole bool) {
	if d.OnlyA || d.OnlyB {
		only := a
		if d.OnlyB {
			only = b
		}
		s.item(fmt.Sprintf("%s 단계는 패스 %d에만 있습니다", d.Step, only))
		return
	}
	s.item(string(d.Step) + "  " + s.factName(d.Fact) + ": " + s.side(d.ValueA, d.ExprA, whole) + " | " + s.side(d.ValueB, d.ExprB, whole))
}

// side is one of the two values, with its arithmetic where there is room for it.
func (s *Screen) side(value, expr string, whole bool) string {
	text := s.style(bold, orNone(FactValue(value)))
	if whole && arithmetic(expr) {
		text = expr + " = " + text
	}
	return text
}
