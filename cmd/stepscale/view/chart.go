package view

import (
	"fmt"
	"math"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Chart is a value over the passes of a loop, with the value that is wanted.
type Chart struct {
	Title  string
	Unit   string    // written behind the numbers
	Values []float64 // one for every pass; NaN where there was none
	Target float64   // NaN without one
	Past   int       // so many of the first do not count any more, and are drawn as dots
	From   string    // the loop time of the first value and of the last
	To     string
}

// eighths fill a cell from below.
var eighths = []rune(" ▁▂▃▄▅▆▇█")

// mostChart is how high a chart may be.
const mostChart = 20

// Chart draws a column for every pass, those of the end where not all fit. It takes rows+2
// lines.
func (s *Screen) Chart(c Chart, rows int) {
	c, rows = seenIn(c), min(max(rows, 1), mostChart)
	const axis = 8
	room, each := max(s.width-axis-2, 10), 1
	cut := max(len(c.Values)-room, 0)
	values, past := c.Values[cut:], max(c.Past-cut, 0)
	if len(values) <= room/3 { // a few passes are drawn broader
		each = 3
	}
	top := c.top(values)
	s.line(s.style(bold, cell(c.Title)))
	targetRow := -1
	if !math.IsNaN(c.Target) && top > 0 {
		targetRow = min(int(c.Target/top*float64(rows)), rows-1)
	}
	for row := rows - 1; row >= 0; row-- {
		label := ""
		switch row {
		case targetRow: // of a low chart the top row, too: the line has to say what it is
			label = cell(number(c.Target) + c.Unit)
		case rows - 1:
			label = cell(number(top) + c.Unit)
		case 0:
			label = "0"
		}
		s.print(s.style(faint, padLeft(label, axis-1)) + " " + s.chartRow(values, top, chartLine{row, rows, each, past, row == targetRow, c.Target}) + "\n")
	}
	s.print(s.style(faint, strings.Repeat(" ", axis)+c.span(values, each, room)) + "\n")
}

func (c Chart) top(values []float64) float64 {
	top := 0.0
	if !math.IsNaN(c.Target) {
		top = c.Target * 1.2
	}
	for _, v := range values {
		if !math.IsNaN(v) {
			top = max(top, v)
		}
	}
	return top
}

// span says from when to when the columns are.
func (c Chart) span(values []float64, each, room int) string {
	from, to := cell(c.From), cell(c.To)
	if len(values) < len(c.Values) {
		return padLeft(fmt.Sprintf("… 마지막 %d패스 %s", len(values), to), room)
	}
	gap := max(max(len(values)*each, ansi.StringWidth(from+to)+1)-ansi.StringWidth(from+to), 1)
	return from + strings.Repeat(" ", gap) + to
}

// chartLine is a row of a chart: the one with that number, counted from below, and how many
// columns a value takes.
type chartLine struct {
	row, rows, each int
	past            int     // values that are drawn as dots
	target          bool    // the target's line goes through it
	at              float64 // the target
}

func (s *Screen) chartRow(values []float64, top float64, r chartLine) string {
	var b strings.Builder
	for i, v := range values {
		level := 0
		if !math.IsNaN(v) && top > 0 {
			level = int(math.Round(v/top*float64(r.rows*8))) - r.row*8
			if r.row == 0 && v > 0 {
				level = max(level, 1)
			}
		}
		mark := eighths[min(max(level, 0), 8)]
		if i < r.past && mark != ' ' {
			mark = '░'
		}
		if r.target {
			mark = lined(mark, v, r.at)
		}
		b.WriteString(strings.Repeat(string(mark), r.each))
	}
	if r.target {
		b.WriteString("┄┄") // also seen where every column is higher
	}
	return s.style(cyan, strings.TrimRight(b.String(), " "))
}

// lined is a cell with the target's line through it: only a column that is higher hides it,
// and one that just reaches it makes it bold.
func lined(mark rune, v, target float64) rune {
	switch {
	case v == target:
		return '━'
	case mark == ' ' || v < target:
		return '┄'
	}
	return mark
}

func number(v float64) string {
	if v == math.Trunc(v) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}
