package view

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Count is how many have given an answer.
type Count struct {
	Name  string
	Count int
}

// Counts draws how many have given which answer, the most given as long as there is room.
func (s *Screen) Counts(title string, all []Count) {
	s.line(s.style(bold, cell(seen(title))))
	left, most := 0, 0
	for _, c := range all {
		left, most = max(left, ansi.StringWidth(cell(seen(c.Name)))), max(most, c.Count)
	}
	left = min(left, s.width/3)
	room := max(min(s.width-left-10, 40), 6)
	for _, c := range all {
		bar := ""
		if most > 0 {
			bar = strings.Repeat("█", (c.Count*room+most-1)/most)
		}
		s.print(fmt.Sprintf("  %s %s %s\n", pad(ansi.Truncate(cell(seen(c.Name)), left, "…"), left), padLeft(fmt.Sprintf("%d명", c.Count), 5), s.drawn(cyan, bar)))
	}
}
