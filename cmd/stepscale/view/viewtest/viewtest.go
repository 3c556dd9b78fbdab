// Package viewtest holds what was written on a screen against the terminal that it was
// laid out for.
package viewtest

import (
	"strings"

	"golang.org/x/text/width"
)

// Wider are the lines that take more columns than the terminal has. Those that are there
// to be copied may be wider, and are left out: commands, and the given ones.
func Wider(screen string, columns int, copied map[string]bool) (lines []string) {
	for line := range strings.SplitSeq(screen, "\n") {
		text := strings.TrimSpace(line)
		if copied[text] || strings.HasPrefix(text, "kubectl ") || strings.HasPrefix(text, "export ") {
			continue
		}
		if Cells(line) > columns {
			lines = append(lines, line)
		}
	}
	return lines
}

// Cells is how many columns of a terminal a text takes, by Unicode's East Asian Width:
// another count than that by which a screen is laid out.
func Cells(text string) (n int) {
	for _, r := range text {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n++
		}
		n++
	}
	return n
}
