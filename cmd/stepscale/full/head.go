package full

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// mostCluster is how many columns the name of a cluster takes.
const mostCluster = 16

// head says where the lesson stands, and whose time that is. Which lesson it is stands there,
// too, on a wide screen and before the first step; else in the rule.
func (m Model) head() string {
	badge := "[시뮬레이션]"
	switch {
	case m.trunk != nil:
		badge = "[되감은 자리]"
	case m.replays():
		badge = "[기록]"
	case !m.Simulated:
		badge = "[" + ansi.Truncate(m.Cluster, mostCluster, "…") + "]"
	}
	f, _, ok := m.frame()
	if !ok {
		return m.apart(m.title, badge)
	}
	pass := ""
	if !m.replays() { // the line over the body says which pass that is
		pass = fmt.Sprintf("패스 %d  ", f.Pass)
	}
	right := pass + view.Elapsed(f.At.Sub(m.start())) + " " + badge
	const gap = 2
	room := m.width - ansi.StringWidth(right) - 2*gap
	if m.entitled() {
		return m.apart(view.Standing(f, m.Loop.StepIDs(), room), right)
	}
	const counted = 30 // the longest of our names, with its number
	standing := view.Standing(f, m.Loop.StepIDs(), max(room-ansi.StringWidth(m.title)-gap, counted))
	return m.apart(m.title, standing+"  "+right)
}

// apart is a row with something at either end. What is on the right is whole.
func (m Model) apart(left, right string) string {
	room := m.width - ansi.StringWidth(right) - 3
	return m.style(view.Bold, fit(" "+left, max(room, 1))) + "  " + m.style(view.Cyan, right) + " "
}

// entitled tells whether the rule has the lesson's title: on the head line there is no room
// for it.
func (m Model) entitled() bool {
	_, _, begun := m.frame()
	return begun && !m.beside() && m.place == nil
}

// rule is the line over the body of that many rows: what stands there.
func (m Model) rule(height int) string {
	name := m.pageName()
	if m.place != nil && m.overlay == nil && (m.beside() || m.reads() == deed) {
		return m.scrubbed()
	}
	if m.past() {
		name = fmt.Sprintf("지나간 기록 %d/%d · 클러스터는 그대로입니다", m.cursor+1, m.now+1)
		return m.style(view.Yellow, "── "+name+" "+strings.Repeat("─", max(m.width-ansi.StringWidth(name)-4, 0)))
	}
	if m.beside() && m.overlay == nil {
		return m.columnRule(height)
	}
	at := ""
	if m.overlay == nil {
		at = m.seen(m.reads(), height)
	}
	const around = 8 // the title, with the line before it
	if room := m.width - ansi.StringWidth(name) - ansi.StringWidth(at) - around; m.overlay == nil && m.entitled() && room > 0 {
		at = " " + ansi.Truncate(m.title, room, "…") + " ─" + at
	}
	line := strings.Repeat("─", max(m.width-ansi.StringWidth(name)-ansi.StringWidth(at)-4, 0))
	return m.style(view.Faint, "── ") + m.style(view.Bold, name) + m.style(view.Faint, " "+line+at)
}

// seen is how much of a pane has been read; empty where all of it is there.
func (m Model) seen(p pane, height int) string {
	all := len(m.laid(p, height))
	if all <= height {
		return ""
	}
	return fmt.Sprintf(" %d%% ─", min(100*(m.scroll[p]+height)/all, 100))
}

// columnRule names the columns, each over itself; that which the arrow keys move is marked.
func (m Model) columnRule(height int) string {
	left, right, charts := m.widths()
	column := func(lead, name string, p pane, width int, at string) string {
		style := view.Faint
		if m.reads() == p {
			lead, style = strings.Replace(lead, "─ ", "━ ", 1), view.Bold
		}
		line := strings.Repeat("─", max(width-ansi.StringWidth(lead+name+at)-1, 0))
		return m.style(view.Faint, lead) + m.style(style, name) + m.style(view.Faint, " "+line+at)
	}
	edge := 2
	if charts > 0 { // another line stands there
		edge = 3
	}
	rule := column("── ", m.storyName(), story, left+1, m.seen(story, height)) + column("┬─ ", deedName, deed, right+edge, m.seen(deed, height))
	if charts > 0 {
		rule += column("┬─ ", chartsName, -1, charts+2, "")
	}
	return rule
}

// What stands in the columns.
const deedName, chartsName = "방금 한 일", "패스마다의 흐름"

func (m Model) storyName() string {
	if m.leaf > 0 {
		return fmt.Sprintf("앞에서 읽은 글 (%d쪽 전)", m.leaf)
	}
	return "글과 질문"
}

func (m Model) pageName() string {
	switch {
	case m.overlay != nil:
		return m.overlay.name
	case m.reads() == deed:
		return deedName
	}
	return m.storyName()
}
