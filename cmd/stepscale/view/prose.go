package view

import (
	"strings"

	"github.com/charmbracelet/glamour"
	gansi "github.com/charmbracelet/glamour/ansi"
	"github.com/charmbracelet/glamour/styles"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"github.com/stepscale/stepscale/engine/outside"
)

// Prose renders a lesson's markdown. Where the renderer cannot, the markdown
// itself is shown: a lesson is never lost to its decoration.
func (s *Screen) Prose(markdown string) {
	var parts []string
	for _, p := range splitMarkdown(outside.Text(outside.Unfold(markdown))) {
		switch p.kind {
		case tablePart:
			parts = append(parts, s.table(p.text))
		case quotePart:
			parts = append(parts, s.quote(p.text))
		case codePart:
			parts = append(parts, s.style(yellow, strings.TrimRight(p.text, "\n")))
		default:
			parts = append(parts, s.markdown(p.text, s.width))
		}
	}
	if len(parts) > 0 {
		s.print(strings.Join(parts, "\n\n") + "\n\n")
	}
}

// quote puts a bar where the margin of the text was.
func (s *Screen) quote(source string) string {
	bar := "| "
	if s.color {
		bar = s.style(cyan, "┃ ")
	}
	lines := strings.Split(s.markdown(source, s.width-2), "\n")
	for i, l := range lines {
		lines[i] = "  " + bar + ansi.TruncateLeft(l, 2, "")
	}
	return strings.Join(lines, "\n")
}

// markdown renders text with a margin of two columns.
func (s *Screen) markdown(source string, width int) string {
	source = closeBold(joinLines(source))
	text := source
	if r, err := s.renderer(); err == nil {
		if out, err := r.Render(source); err == nil {
			text = out
		}
	}
	text = strings.ReplaceAll(text, boundary, "")
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		l = strings.TrimRight(trimStyledSpace(l), " ")
		if ansi.StringWidth(l) > width {
			l = hang(l, width, hanging(ansi.Strip(l)))
		}
		lines[i] = l
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// hanging is the column where the text of a line begins, after its list mark.
func hanging(line string) int {
	text := strings.TrimLeft(line, " ")
	n := len(line) - len(text)
	mark, _, ok := strings.Cut(text, " ")
	if ok && (mark == "•" || strings.HasSuffix(mark, ".") && strings.Trim(mark, "0123456789.") == "") {
		n += ansi.StringWidth(mark) + 1
	}
	return n
}

// renderer does not wrap: the renderer's own wrapping breaks Hangul lines twice
// at some widths.
func (s *Screen) renderer() (*glamour.TermRenderer, error) {
	wrap := glamour.WithWordWrap(0)
	if !s.color {
		return glamour.NewTermRenderer(wrap, glamour.WithColorProfile(termenv.Ascii), glamour.WithStyles(plainStyle()))
	}
	return glamour.NewTermRenderer(wrap, glamour.WithColorProfile(termenv.ANSI), glamour.WithStyles(colorStyle()))
}

// plainStyle shows headings by their mark and leaves the other marks of markdown out.
func plainStyle() gansi.StyleConfig {
	st := styles.NoTTYStyleConfig
	st.H1.Prefix, st.H2.Prefix, st.H3.Prefix, st.H4.Prefix = "■ ", "▌ ", "▎ ", ""
	st.Strong, st.Emph = gansi.StylePrimitive{}, gansi.StylePrimitive{}
	return st
}

// colorStyle uses the terminal's own palette, so no question about the
// background has to be sent to the terminal.
func colorStyle() gansi.StyleConfig {
	st := styles.NoTTYStyleConfig
	st.Heading.StylePrimitive = gansi.StylePrimitive{BlockSuffix: "\n", Bold: ptr(true), Color: ptr("6")}
	st.H1.Prefix, st.H2.Prefix, st.H3.Prefix, st.H4.Prefix = "■ ", "▌ ", "▎ ", ""
	st.Strong = gansi.StylePrimitive{Bold: ptr(true)}
	st.Emph = gansi.StylePrimitive{Italic: ptr(true)}
	st.Code.StylePrimitive = gansi.StylePrimitive{Color: ptr("3")}
	st.CodeBlock.StylePrimitive = gansi.StylePrimitive{Color: ptr("3")}
	st.Link = gansi.StylePrimitive{Color: ptr("4"), Underline: ptr(true)}
	return st
}

func ptr[T any](v T) *T { return &v }

// trimStyledSpace drops the padding that glamour writes after a line: spaces
// that each carry their own escape sequence.
func trimStyledSpace(line string) string {
	plain := strings.TrimRight(ansi.Strip(line), " ")
	if plain == "" {
		return ""
	}
	if ansi.StringWidth(line) == ansi.StringWidth(plain) {
		return line
	}
	return ansi.Truncate(line, ansi.StringWidth(plain), "")
}
