package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Table shows rows below the names of their columns: the first column from the left, the
// others from the right. A column is as wide as its widest cell.
func (s *Screen) Table(header []string, rows [][]string) {
	header, rows = seenIn(header), seenIn(rows)
	widths := make([]int, len(header))
	for _, row := range slices.Concat([][]string{header}, rows) {
		for i, text := range row {
			widths[i] = max(widths[i], ansi.StringWidth(cell(text)))
		}
	}
	line := func(row []string) string {
		var b strings.Builder
		for i, text := range row {
			if i == 0 {
				b.WriteString(pad(cell(text), widths[i]))
				continue
			}
			b.WriteString("  " + padLeft(cell(text), widths[i]))
		}
		return "  " + strings.TrimRight(b.String(), " ") + "\n"
	}
	s.print(s.style(faint, line(header)))
	for _, row := range rows {
		s.print(line(row))
	}
}

// Spark is a row of numbers over time.
type Spark struct {
	Name    string
	Numbers []float64
}

// Sparks draws rows of numbers, all of one length, on one scale.
func (s *Screen) Sparks(all []Spark) {
	all = seenIn(all)
	low, high, left := 0.0, 0.0, 0
	for _, x := range all {
		left = max(left, ansi.StringWidth(x.Name))
		high = max(high, slices.Max(x.Numbers))
	}
	for _, x := range all {
		s.print("  " + pad(cell(x.Name), left) + "  " + s.style(green, onScale(x.Numbers, s.width-left-6, low, high)) + "\n")
	}
	s.item(s.style(faint, fmt.Sprintf("왼쪽에서 오른쪽으로 시간이 흐릅니다. 가장 높은 것이 %g입니다.", high)))
}

// onScale draws numbers between two ends as blocks, the greatest of every column where
// there are more than fit.
func onScale(numbers []float64, width int, low, high float64) string {
	columns := min(max(width, 1), len(numbers))
	if high <= low {
		return strings.Repeat(string(blocks[0]), columns)
	}
	var b strings.Builder
	for c := range columns {
		top := slices.Max(numbers[c*len(numbers)/columns : (c+1)*len(numbers)/columns])
		b.WriteRune(blocks[int((max(top, low)-low)/(high-low)*float64(len(blocks)-1))])
	}
	return b.String()
}
