package full

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// colon stands before a command.
const colon = " :"

// palette is the line on which a command is typed by its name, and those that it may mean.
type palette struct {
	field  field
	chosen int
}

// entry is a command of the palette: one of the play's table, or one of the screen's own.
type entry struct {
	names      []string // the first is shown first
	args, help string
	do         func(m Model, line string) (Model, tea.Cmd)
}

// needs tells whether the command is about something that has to be named.
func (e entry) needs() bool { return e.args != "" && !strings.HasPrefix(e.args, "[") }

// entries are all commands.
func (m Model) entries() (all []entry) {
	sends := func(m Model, line string) (Model, tea.Cmd) { return m.present().sends(line) }
	switch {
	case m.Lesson:
		for _, v := range play.LessonVerbs() {
			all = append(all, entry{v.Names, v.Args, v.Help, sends})
		}
		for _, c := range play.LessonCommands() {
			all = append(all, entry{c.Names, c.Args, c.Help, sends})
		}
	case m.replays():
		for _, c := range play.Commands() {
			all = append(all, entry{c.Names, c.Args, c.Help, sends})
		}
	default:
		for _, v := range m.verbs() {
			all = append(all, entry{v.Names, v.Args, v.Help, sends})
		}
	}
	for _, k := range m.keys() {
		if len(k.words) > 0 {
			all = append(all, entry{k.words, "", k.help, func(m Model, _ string) (Model, tea.Cmd) { return k.do(m) }})
		}
	}
	return all
}

// meant are the commands that the first word may mean: those of that name, then those whose
// names begin with it, then those that the same keys of the keyboard begin, whichever
// language it was in. Nothing may mean all.
func (m Model) meant() []entry {
	word, _, _ := strings.Cut(strings.TrimLeft(m.palette.field.String(), " "), " ")
	word = strings.ToLower(word)
	strokes := strings.ToLower(play.Strokes(word))
	ranked := map[int][]entry{}
	for _, e := range m.entries() {
		best := 4
		for _, n := range e.names {
			n = strings.ToLower(n)
			switch {
			case n == word || n == play.Pressed(word):
				best = min(best, 0)
			case strings.HasPrefix(n, word):
				best = min(best, 1)
			case strings.HasPrefix(strings.ToLower(play.Strokes(n)), strokes):
				best = min(best, 2)
			case strings.Contains(n, word):
				best = min(best, 3)
			}
		}
		ranked[best] = append(ranked[best], e)
	}
	return slices.Concat(ranked[0], ranked[1], ranked[2], ranked[3])
}

// opens begins a command.
func (m Model) opens(text string) Model {
	m.palette = &palette{field: field{}.typed(text)}
	return m
}

// paletteKey is the state after a key while a command is typed.
func (m Model) paletteKey(k tea.KeyPressMsg) (Model, tea.Cmd) {
	p, name := *m.palette, k.String()
	meant := m.meant()
	m.palette = &p
	switch name {
	case "esc":
		m.palette = nil
	case "up":
		p.chosen = max(p.chosen-1, 0)
	case "down":
		p.chosen = min(p.chosen+1, max(len(meant)-1, 0))
	case "tab":
		if p.chosen < len(meant) {
			p = palette{field: field{}.typed(meant[p.chosen].names[0] + " ")}
		}
	case "enter":
		return m.runs(meant)
	default:
		if f, edited := p.field.key(name); edited {
			if name == "backspace" && len(p.field.text) == 0 {
				m.palette = nil
			}
			p.field, p.chosen = f, 0
		} else if k.Text != "" {
			p.field, p.chosen = p.field.typed(k.Text), 0
		}
	}
	return m, nil
}

// typed is the line, and what stands in it behind the command's name.
func (p *palette) typed() (line, arg string) {
	line = strings.TrimSpace(p.field.String())
	_, arg, _ = strings.Cut(line, " ")
	return line, strings.TrimSpace(arg)
}

// runs does what was typed: of several that it may mean, the chosen one.
func (m Model) runs(meant []entry) (Model, tea.Cmd) {
	p := m.palette
	line, arg := p.typed()
	if p.chosen >= len(meant) {
		m.palette = nil
		if line == "" {
			return m, nil
		}
		return m.present().sends(line) // the play says that it knows no such command
	}
	e := meant[p.chosen]
	if e.needs() && arg == "" {
		return m.opens(e.names[0] + " "), nil
	}
	m.palette = nil
	return e.do(m, strings.TrimSpace(e.names[0]+" "+arg))
}

// paletteEnters is what Enter does to what was typed.
func (m Model) paletteEnters() string {
	meant := m.meant()
	if i := m.palette.chosen; i < len(meant) && meant[i].needs() {
		if _, arg := m.palette.typed(); arg == "" {
			return "이어서 적을 것: " + meant[i].args
		}
	}
	return "Enter 실행"
}

// paletteRows are the commands that may be meant, and the line that is typed.
func (m Model) paletteRows() []string {
	p, meant := m.palette, m.meant()
	const least = 3
	left := 0
	for _, e := range meant {
		left = max(left, ansi.StringWidth(e.title()))
	}
	left = min(left, m.width/2)
	var whole []string // the help of the chosen one
	if p.chosen < len(meant) {
		whole = strings.Split(ansi.Wrap(meant[p.chosen].help, m.width-left-5, ""), "\n")
	}
	room := min(max(m.height/2-1-max(len(whole), 1), least), len(meant))
	from := min(max(p.chosen-room+1, 0), max(len(meant)-room, 0))
	rows := []string{m.style(view.Faint, strings.Repeat("┄", m.width))}
	for i := from; i < from+room; i++ {
		e := meant[i]
		mark, style, help := "   ", view.Cyan, []string{e.help}
		if i == p.chosen {
			mark, style, help = " ▶ ", view.Bold, whole
		}
		rows = append(rows, m.style(style, mark+fit(e.title(), left))+"  "+help[0])
		for _, more := range help[1:] {
			rows = append(rows, strings.Repeat(" ", left+5)+more)
		}
	}
	if len(meant) == 0 {
		rows = append(rows, m.style(view.Faint, "   이런 이름의 명령은 없습니다."))
	}
	return append(rows, m.style(view.Bold, colon)+m.typedText(p.field, colon)+caretMark)
}

// title is how the command is called, and what may follow.
func (e entry) title() string {
	return strings.TrimSpace(strings.Join(e.names, ", ") + " " + e.args)
}
