package full

import (
	"regexp"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/text/unicode/norm"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// written are the lines that something writes on a screen of that width; each carries its
// own style from its beginning to its end.
func written(width int, color bool, write func(*view.Screen)) []string {
	var b strings.Builder
	write(view.NewFixed(&b, width, color))
	var lines []string
	for l := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\n"), "\n") {
		if ansi.StringWidth(l) > width { // it is there to be copied, and no screen would wrap it
			if strings.HasPrefix(strings.TrimSpace(ansi.Strip(l)), "kubectl ") {
				l = continued(l, width)
			}
			l = ansi.Hardwrap(l, width, true)
		}
		lines = append(lines, strings.Split(l, "\n")...)
	}
	return styled(lines)
}

// argument is one word of a shell's command, with what separates it from the one before.
var argument = regexp.MustCompile(`\s*(?:'[^']*'|"[^"]*"|[^\s'"])+`)

// continued is a command on several lines as a shell takes it, broken between arguments.
func continued(command string, width int) string {
	const more, indent = ` \`, "\n    "
	lines, room := "", width
	for i, word := range argument.FindAllString(command, -1) {
		taken := ansi.StringWidth(word)
		if i > 0 && taken+len(more) > room {
			word = strings.TrimLeft(word, " ")
			lines, room = lines+more+indent, width-len(indent)+1
			taken = ansi.StringWidth(word)
		}
		lines, room = lines+word, room-taken
	}
	return lines
}

// trimmed are lines without blank ones at the ends, and never two blank ones in a row:
// rows are dear.
func trimmed(lines []string) (kept []string) {
	for _, l := range lines {
		blank := strings.TrimSpace(ansi.Strip(l)) == ""
		if blank && (len(kept) == 0 || kept[len(kept)-1] == "") {
			continue
		}
		if blank {
			l = ""
		}
		kept = append(kept, l)
	}
	if n := len(kept); n > 0 && kept[n-1] == "" {
		kept = kept[:n-1]
	}
	return kept
}

// dense are lines without the blank ones.
func dense(lines []string) []string {
	return slices.DeleteFunc(lines, func(l string) bool { return strings.TrimSpace(ansi.Strip(l)) == "" })
}

// squeezed are lines without the last of their blank ones, where those alone make the reader
// turn one more page.
func squeezed(lines []string, height int) []string {
	const most = 3
	over := len(lines) - height
	if over > 0 && height > 1 {
		over %= height - 1 // a page keeps a row of the one before
	}
	if over <= 0 || over > most {
		return lines
	}
	kept := slices.Clone(lines)
	for i := len(kept) - 1; i >= 0 && over > 0; i-- {
		if kept[i] == "" {
			kept = slices.Delete(kept, i, i+1)
			over--
		}
	}
	if over > 0 { // it would not help
		return lines
	}
	return kept
}

// sgr are the sequences that style text; a screen has no others.
var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// styled makes every line say for itself how it looks: a style that goes over several
// lines would go over what stands beside them.
func styled(lines []string) []string {
	open := ""
	for i, l := range lines {
		lead := open
		for _, code := range sgr.FindAllString(l, -1) {
			if code == "\x1b[0m" || code == "\x1b[m" {
				open = ""
			} else {
				open += code
			}
		}
		lines[i] = lead + l
		if open != "" {
			lines[i] += "\x1b[0m"
		}
	}
	return lines
}

// fit is a line of exactly that width.
func fit(line string, width int) string {
	line = norm.NFC.String(line)
	taken := ansi.StringWidth(line)
	if taken > width {
		line = ansi.Truncate(line, width, "…")
		taken = ansi.StringWidth(line) // a wide letter leaves a column
	}
	return line + strings.Repeat(" ", max(width-taken, 0))
}

// style is text in a color of the terminal's own, which fits dark and light backgrounds.
func (m Model) style(code, text string) string {
	return view.Style(m.Color, code, text)
}
