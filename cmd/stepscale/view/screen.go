// Package view is the only place that formats screens: prose, the view of one
// executed step, the table of ticks and the help. It writes to the writer it
// was given and to nothing else. Every method that takes text filters it before it
// is styled, so that nobody else's text can move the terminal.
package view

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// Widths that a screen is laid out for. A narrower terminal wraps by itself.
const (
	MinWidth     = 40
	MaxWidth     = 120
	defaultWidth = 80
)

// Screen is where everything is written. The first write error is kept and
// later output is dropped.
type Screen struct {
	w     io.Writer
	width int
	color bool
	tty   bool
	plain bool // it is read out
	err   error
}

// New looks at w and the environment: a terminal gets its own width and colors
// (unless NO_COLOR is set), a pipe or a file gets COLUMNS or 80 and plain text.
func New(w io.Writer) *Screen {
	width, tty := TerminalWidth(w)
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); !tty && err == nil && n > 0 {
		width = n
	}
	color := tty && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	s := NewFixed(w, width, color)
	_, s.plain = w.(plainWriter)
	s.plain = s.plain || Accessible()
	s.tty = tty && os.Getenv("TERM") != "dumb" && !s.plain
	return s
}

// NewFixed returns a screen of a given width, for tests and recordings.
func NewFixed(w io.Writer, width int, color bool) *Screen {
	return &Screen{w: w, width: min(max(width, MinWidth), MaxWidth), color: color}
}

// TerminalWidth is the width of the terminal behind v, and whether there is one.
func TerminalWidth(v any) (int, bool) {
	f, ok := v.(interface{ Fd() uintptr })
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return defaultWidth, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		width = defaultWidth
	}
	return width, true
}

// Width is the number of columns that the screen is laid out for.
func (s *Screen) Width() int { return s.width }

// Err is the first error of the writer, for example a closed pipe.
func (s *Screen) Err() error { return s.err }

func (s *Screen) print(text string) {
	if s.plain {
		text = spoken(text)
	}
	if s.err == nil {
		_, s.err = io.WriteString(s.w, text)
	}
}

func (s *Screen) printf(format string, a ...any) { s.print(fmt.Sprintf(format, a...)) }

// Line writes one line. Where the text has more, they are indented, as everywhere but
// in prose: what begins at the margin is ours.
func (s *Screen) Line(text string) {
	s.line(strings.ReplaceAll(seen(text), "\n", "\n  "))
}

func (s *Screen) line(styled string) { s.print(s.wrap(styled, 0) + "\n") }

// Blank writes an empty line.
func (s *Screen) Blank() { s.print("\n") }

// Styles of a Screen, and of what is laid out beside one. Colors are the terminal's own
// sixteen: they fit dark and light backgrounds.
const (
	Bold    = "1"
	Faint   = "2"
	Reverse = "7"
	Yellow  = "33"
	Cyan    = "36"

	bold    = Bold
	faint   = Faint
	red     = "31"
	green   = "32"
	yellow  = Yellow
	cyan    = Cyan
	boldRed = "1;31"
	title   = "1;36"
)

func (s *Screen) style(code, text string) string { return Style(s.color, code, text) }

// drawn is a bar, where it can be seen.
func (s *Screen) drawn(code, bar string) string {
	if s.plain {
		return ""
	}
	return s.style(code, bar)
}

// Style is text in one of the styles above, where there is color.
func Style(color bool, code, text string) string {
	if !color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// wrap breaks text at spaces to the screen's width; the lines after the first
// are indented, those that the text brings along too. A word wider than the screen
// is broken.
func (s *Screen) wrap(text string, indent int) string {
	if ansi.StringWidth(text) <= s.width && !strings.Contains(text, "\n") {
		return text
	}
	return hang(text, s.width, indent)
}

func hang(text string, width, indent int) string {
	const hyphen = "\u2011" // does not break, unlike -
	width = max(width-indent, 10)
	lines := ansi.Wrap(strings.ReplaceAll(shortWords(text, width), "-", hyphen), width, "")
	lines = strings.ReplaceAll(lines, hyphen, "-")
	return strings.ReplaceAll(lines, "\n", "\n"+strings.Repeat(" ", indent))
}

// shortWords cuts words that are longer than a line, a URL as a rule, into pieces that fill
// one: ansi.Wrap leaves an empty line for every letter of more than a byte in them.
func shortWords(text string, width int) string {
	words := strings.Split(text, " ")
	for i, w := range words {
		if ansi.StringWidth(w) > width && !strings.Contains(w, "\n") {
			words[i] = strings.ReplaceAll(ansi.Hardwrap(w, width, true), "\n", " ")
		}
	}
	return strings.Join(words, " ")
}

// cell is text for a row of a table.
func cell(text string) string { return strings.ReplaceAll(text, "\n", " ") }

// pad fills text with spaces to width columns; Hangul counts two each.
func pad(text string, width int) string {
	text = cell(text)
	return text + strings.Repeat(" ", max(width-ansi.StringWidth(text), 0))
}

func padLeft(text string, width int) string {
	text = cell(text)
	return strings.Repeat(" ", max(width-ansi.StringWidth(text), 0)) + text
}

// shorten cuts the middle out of text so that it takes width columns at most:
// the end of an API path says more than its middle.
func shorten(text string, width int) string {
	text = cell(text)
	w := ansi.StringWidth(text)
	if w <= width || width < 4 {
		return text
	}
	head := (width - 1) / 3
	return ansi.Truncate(text, head, "") + "…" + ansi.TruncateLeft(text, w-(width-1-head), "")
}
