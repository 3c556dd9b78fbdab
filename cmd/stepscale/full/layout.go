package full

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/wording"
	"github.com/stepscale/stepscale/engine/korean"
)

// The smallest screen that is laid out, and the widths from which more stands side by side.
const (
	leastWidth  = 40
	leastHeight = 12
	besideWidth = 110 // the story and what the step did
	thirdWidth  = 170 // the charts, too
)

// View is the screen.
func (m Model) View() tea.View {
	lines, caret := m.screen()
	v := tea.NewView(strings.Join(lines, "\n"))
	v.AltScreen = true
	v.WindowTitle = m.title
	v.Cursor = caret
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// screen are the rows, as many as the terminal has and as wide, and where the caret is.
func (m Model) screen() (rows []string, caret *tea.Cursor) {
	if m.spun && m.drawn.rows != nil {
		rows = slices.Clone(m.drawn.rows)
		rows[len(rows)-1] = fit(m.keysLine(), m.width)
		return rows, m.drawn.caret
	}
	if m.width < leastWidth || m.height < leastHeight {
		return m.tooSmall(), nil
	}
	rows, caret = m.wholeScreen()
	*m.drawn = drawn{rows, caret}
	return rows, caret
}

func (m Model) wholeScreen() (rows []string, caret *tea.Cursor) {
	p := m.parts()
	rows = append(rows, m.head())
	rows = append(rows, p.actors...)
	rows = append(rows, m.rule(p.body))
	rows = append(rows, m.body(p.body)...)
	for i, l := range p.foot {
		if at, ok := strings.CutSuffix(l, caretMark); ok {
			l = at
			x := ansi.StringWidth(m.prompt()) + m.field.column()
			if m.palette != nil {
				x = ansi.StringWidth(colon) + m.palette.field.column()
			}
			caret = tea.NewCursor(min(x, m.width-1), len(rows)+i)
		}
		p.foot[i] = l
	}
	rows = append(append(rows, p.foot...), m.keysLine())
	for i, l := range rows {
		rows[i] = fit(l, m.width)
	}
	return rows, caret
}

func (m Model) tooSmall() []string {
	text := fmt.Sprintf("화면이 너무 작습니다(%d×%d). %d×%d보다 크게 해 주십시오. 끝내시려면 Ctrl-C.", m.width, m.height, leastWidth, leastHeight)
	rows := strings.Split(ansi.Hardwrap(text, max(m.width, 2), true), "\n")
	for len(rows) < m.height {
		rows = append(rows, "")
	}
	rows = rows[:max(m.height, 0)]
	for i, l := range rows {
		rows[i] = fit(l, m.width)
	}
	return rows
}

// parts are what stands around the body beside single rows, and how many rows that leaves.
type parts struct {
	actors, foot []string
	body         int
}

func (m Model) parts() parts {
	const around, least = 3, 3 // the head, the rule and the keys; rows of the body
	p := parts{actors: m.actors(), foot: m.foot()}
	p.body = m.height - around - len(p.actors) - len(p.foot)
	if p.body < least { // the question is never pushed out by the map, of which a part says nothing
		p.body += len(p.actors)
		p.actors = nil
	}
	if p.body < 0 {
		p.foot = p.foot[min(-p.body, len(p.foot)):]
		p.body = 0
	}
	return p
}

func (m Model) bodyHeight() int { return m.parts().body }

// actors is the map of them; on a low screen without what goes over the lit arrow.
func (m Model) actors() []string {
	f, w, ok := m.frame()
	if !ok && len(m.Loop.Steps) == 0 {
		return nil
	}
	drawn := actorMap(m.Loop, w, f)
	drawn.Low = m.height < 24
	return written(m.width, m.Color, func(s *view.Screen) { s.ActorMap(drawn) })
}

// beside tells whether the story and the deed are on the screen together.
func (m Model) beside() bool { return m.width >= besideWidth }

// room is how many rows a pane has, and how many it would fill.
func (m Model) room(p pane) (height, all int) {
	height = m.bodyHeight()
	return height, len(m.laid(p, height))
}

// laid are the lines of a pane for a body that high.
func (m Model) laid(p pane, height int) []string { return squeezed(m.lines(p), height) }

// lines are those of a pane.
func (m Model) lines(p pane) []string {
	left, right, _ := m.widths()
	if p == deed && len(m.deeds) == 0 && m.beside() {
		return unmoved().lines(right, m.Color)
	}
	if p == deed {
		return m.deedPage().lines(right, m.Color)
	}
	return m.storyPage().lines(left, m.Color)
}

// unmoved stands where the first step will.
func unmoved() page {
	return page{}.with(func(s *view.Screen) {
		s.Note("아직 움직인 액터가 없습니다. 한 단계를 실행하시면 그 액터가 계산한 것과 바꾼 것이 여기에 나옵니다.")
	})
}

// storyPage is what the lesson says; of a step that has gone by, what it said before it.
func (m Model) storyPage() page {
	if !m.past() {
		return last(m.stories[:max(len(m.stories)-m.leaf, 0)])
	}
	shown := m.stories
	for len(shown) > 1 && last(shown).behind >= m.cursor {
		shown = shown[:len(shown)-1]
	}
	return last(shown)
}

// widths are those of the story, the deed and the charts.
func (m Model) widths() (left, right, charts int) {
	const gap = 3
	switch {
	case m.width >= thirdWidth:
		third := (m.width - 2*gap) / 3
		return third, third, m.width - 2*gap - 2*third
	case m.beside():
		half := (m.width - gap) / 2
		return half, m.width - gap - half, 0
	}
	return m.width, m.width, 0
}

// deedPage is what the step did that is shown.
func (m Model) deedPage() page {
	if f, _, ok := m.frame(); ok && m.past() {
		return page{}.with(deedBlock(m.stepView(f)))
	}
	return last(m.deeds)
}

// body are the rows between the rule and the foot.
func (m Model) body(height int) []string {
	if m.overlay != nil {
		return window(m.overlay.lines(m.width, m.Color), m.overlay.scroll, height)
	}
	if !m.beside() {
		return window(m.laid(m.reads(), height), m.scroll[m.reads()], height)
	}
	left, right, charts := m.widths()
	read := m.scroll[story]
	if m.past() { // another page
		read = 0
	}
	columns := [][]string{window(m.laid(story, height), read, height), window(m.laid(deed, height), m.scroll[deed], height)}
	widths := []int{left, right}
	if charts > 0 {
		columns = append(columns, window(m.charts().lines(charts, m.Color), 0, height))
		widths = append(widths, charts)
	}
	rows := make([]string, height)
	for i := range rows {
		cells := make([]string, len(columns))
		for c, column := range columns {
			cells[c] = fit(column[i], widths[c])
		}
		rows[i] = strings.Join(cells, m.style(view.Faint, " │ "))
	}
	return rows
}

// window are the rows of a page that are seen.
func window(lines []string, from, height int) []string {
	rows := make([]string, max(height, 0))
	from = min(from, max(len(lines)-height, 0))
	copy(rows, lines[from:])
	return rows
}

// spinning names who is awaited.
func (m Model) spinning() string {
	next := ""
	if ids := m.Loop.Steps; len(ids) > 0 {
		next = ids[0].Actor
		if n := len(m.frames); n > 0 {
			for i, s := range ids {
				if s.ID == m.frames[n-1].Step {
					next = ids[(i+1)%len(ids)].Actor
				}
			}
		}
	}
	dots := []string{"●○○", "○●○", "○○●"}[m.beats%3]
	if m.awaited != "" {
		return dots + " " + view.OneLine(m.awaited)
	}
	if next == "" {
		return dots + " 잠시만 기다려 주십시오"
	}
	return dots + " " + view.OneLine(korean.Object(view.ActorLabel(next))) + " 기다립니다"
}

// prompt stands before the caret.
func (m Model) prompt() string { return " " + wording.Prompts[m.stop] + " " }
