package board

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// Screen is the board on the whole terminal, for a projector: a model of bubbletea. It is
// sent boards as messages, and asks for another with Ask when a key has changed what it is
// to tell.
type Screen struct {
	Ask   func(show bool) Board
	Show  bool // answers, also hidden ones
	Color bool

	board         Board
	page          int
	width, height int
}

// Init takes the first board.
func (m Screen) Init() tea.Cmd { return m.ask() }

func (m Screen) ask() tea.Cmd {
	show, ask := m.Show, m.Ask
	return func() tea.Msg { return ask(show) }
}

// Due asks for a new board: something has changed, or time has gone by.
type Due struct{}

// Update is the state after a message.
func (m Screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case Board:
		m.board = msg
	case Due:
		return m, m.ask()
	case tea.KeyPressMsg:
		return m.key(msg.String())
	}
	m.page = min(m.page, m.pages()-1)
	return m, nil
}

func (m Screen) key(name string) (tea.Model, tea.Cmd) {
	switch play.Pressed(name) {
	case "q", "esc", "ctrl+c":
		return m, tea.Quit
	case "ctrl+z":
		return m, tea.Suspend
	case "s":
		m.Show = !m.Show
		return m, m.ask()
	case "pgdown", "down", "right", "space", " ", "j", "enter":
		m.page = (m.page + 1) % m.pages() // around: a projector is paged by one key
	case "pgup", "up", "left", "k":
		m.page = (m.page + m.pages() - 1) % m.pages()
	case "home":
		m.page = 0
	case "end":
		m.page = m.pages() - 1
	}
	return m, nil
}

// View is the screen.
func (m Screen) View() tea.View {
	v := tea.NewView(strings.Join(m.lines(), "\n"))
	v.AltScreen = true
	v.WindowTitle = m.board.head()
	return v
}

// leastHeight is the smallest terminal that a board is laid out for.
const leastHeight = 8

func (m Screen) lines() []string {
	if m.height < leastHeight || m.width < 40 {
		return []string{ansi.Truncate("화면이 너무 작습니다.", max(m.width, 1), "")}
	}
	table, room := m.board.table(m.width-1), m.room()
	lines := append(m.above(), m.style(view.Faint, table[0]))
	rows := table[1:]
	from := min(m.page*room, max(len(rows)-1, 0))
	for i := from; i < min(from+room, len(rows)); i++ {
		lines = append(lines, m.colored(m.board.Rows[i], rows[i]))
	}
	below := m.below()
	for len(lines) < m.height-len(below) {
		lines = append(lines, "")
	}
	lines = append(lines, below...)
	for i, l := range lines {
		lines[i] = " " + ansi.Truncate(l, m.width-1, "…")
	}
	return lines
}

// above is how the class stands.
func (m Screen) above() []string {
	head, clock := m.board.head(), m.board.At.Local().Format(time.TimeOnly)
	if gap := m.width - 2 - ansi.StringWidth(head) - len(clock); gap > 1 {
		head += strings.Repeat(" ", gap) + clock
	}
	lines := []string{m.style(view.Bold, head)}
	for _, text := range m.board.remarks() {
		lines = append(lines, m.style(view.Yellow, text))
	}
	return lines
}

// question is the one that most stand at, in a third of the screen.
func (m Screen) question() []string {
	if len(m.board.Questions) == 0 {
		return nil
	}
	var b bytes.Buffer
	m.board.Questions[0].write(view.NewFixed(&b, min(m.width-1, view.MaxWidth), m.Color))
	lines := []string{m.style(view.Faint, strings.Repeat("┄", m.width-2))}
	lines = append(lines, strings.Split(strings.TrimRight(b.String(), "\n"), "\n")...)
	return lines[:min(len(lines), max(m.height/3, 2))]
}

// below is that question, and the keys.
func (m Screen) below() []string {
	lines := m.question()
	keys := "s 답 보기"
	if m.Show {
		keys = "s 답 가리기"
	}
	if m.pages() > 1 {
		keys = fmt.Sprintf("쪽 %d/%d · Space 다음 쪽 · ", m.page+1, m.pages()) + keys
	}
	return append(lines, m.style(view.Faint, keys+" · q 끝"))
}

// room is how many learners one page has.
func (m Screen) room() int {
	const names, keys = 1, 1
	return max(m.height-len(m.above())-names-len(m.question())-keys, 1)
}

func (m Screen) pages() int {
	return max((len(m.board.Rows)+m.room()-1)/m.room(), 1)
}

// colored is a row in the color of what is urgent about it; the word for it is there, too.
func (m Screen) colored(r Row, line string) string {
	switch {
	case r.Help:
		return m.style(view.Reverse, line)
	case r.Stuck, r.Problem != "":
		return m.style(view.Yellow, line)
	case r.Done, !r.Reported:
		return m.style(view.Faint, line)
	}
	return line
}

func (m Screen) style(code, text string) string { return view.Style(m.Color, code, text) }
