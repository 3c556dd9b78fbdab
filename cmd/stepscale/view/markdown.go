package view

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// The renderer miscounts Hangul in quotations and cuts it off in tables, and code is
// there to be copied, so these are laid out here.
const (
	textPart = iota
	quotePart
	tablePart
	codePart // indented by four columns
)

type markdownPart struct {
	kind int
	text string
}

// splitMarkdown cuts quotations and tables out of markdown. What is inside a
// code fence stays where it is.
func splitMarkdown(markdown string) []markdownPart {
	var parts []markdownPart
	var fence bool
	kind := textPart
	var lines []string
	flush := func() {
		if text := strings.Join(lines, "\n"); strings.TrimSpace(text) != "" {
			parts = append(parts, markdownPart{kind, text})
		}
		lines = nil
	}
	for l := range strings.SplitSeq(markdown, "\n") {
		next := textPart
		switch {
		case strings.HasPrefix(l, "```"):
			fence = !fence
		case fence:
		case strings.HasPrefix(l, ">"):
			next = quotePart
			l = strings.TrimPrefix(strings.TrimPrefix(l, ">"), " ")
		case strings.HasPrefix(l, "|"):
			next = tablePart
		case strings.HasPrefix(l, "    ") && (kind == codePart || len(lines) == 0 || lines[len(lines)-1] == ""):
			next = codePart
		}
		if next != kind {
			flush()
			kind = next
		}
		lines = append(lines, l)
	}
	flush()
	return parts
}

// table lays out a pipe table: as columns where they fit, else as one block of
// "head: cell" lines per row. No text is lost either way.
func (s *Screen) table(source string) string {
	rows := tableRows(source)
	var widths []int
	total := 2
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ansi.StringWidth(c))
		}
	}
	for _, w := range widths {
		total += w + 3
	}
	if len(rows) == 0 || total-3 > s.width {
		return s.stackedTable(rows)
	}
	var out []string
	for n, row := range rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = pad(c, widths[i])
		}
		line := "  " + strings.TrimRight(strings.Join(cells, " │ "), " ")
		if n > 0 {
			out = append(out, line)
			continue
		}
		rule := make([]string, len(row))
		for i := range row {
			rule[i] = strings.Repeat("─", widths[i])
		}
		out = append(out, s.style(bold, line))
		if !s.plain {
			out = append(out, "  "+strings.Join(rule, "─┼─"))
		}
	}
	return strings.Join(out, "\n")
}

func (s *Screen) stackedTable(rows [][]string) string {
	var out []string
	for n, row := range rows {
		if n == 0 {
			continue
		}
		for i, c := range row {
			if i < len(rows[0]) && rows[0][i] != "" {
				c = rows[0][i] + ": " + c
			}
			lead := "    "
			if i == 0 {
				lead = "  • "
			}
			out = append(out, s.wrap(lead+c, 6))
		}
	}
	return strings.Join(out, "\n")
}

func tableRows(source string) [][]string {
	var rows [][]string
	plain := strings.NewReplacer("`", "", "**", "")
	for l := range strings.SplitSeq(source, "\n") {
		l = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(l), "|"), "|")
		if l == "" || strings.Trim(l, "|-: ") == "" {
			continue
		}
		cells := strings.Split(l, "|")
		for i := range cells {
			cells[i] = plain.Replace(strings.TrimSpace(cells[i]))
		}
		rows = append(rows, cells)
	}
	return rows
}
