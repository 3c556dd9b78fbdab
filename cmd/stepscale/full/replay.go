package full

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/trace"
)

// replayed is the state at a place of a recording. The map and the charts are those of the
// frames that led there.
func (m Model) replayed(e play.Replayed) Model {
	known := m.known(e.Before)
	if known == 0 {
		m.frames, m.worlds, m.ticks = nil, nil, nil
	}
	for _, f := range e.Before[known:] {
		m = m.framed(f)
	}
	m = m.framed(e.Frame).reveal()
	if len(m.stories) > 0 && !m.fresh { // the lesson said more before this step
		m.scroll[story], m.leaf = 0, 0
	}
	m.place, m.fresh = &e, m.fresh || !e.Beside
	m.deeds = []page{page{}.with(deedBlock(m.stepView(e.Frame)))}
	m.focus, m.scroll[deed] = deed, 0
	for _, after := range e.After {
		if v, ok := after.(play.Verdicts); ok {
			m = m.judged(v)
			continue
		}
		m.deeds = renew(m.deeds, last(m.deeds).with(text(after)))
	}
	return m
}

// known is how many of the frames the model has already, where it has no others: to the
// next place it is one step as a rule.
func (m Model) known(before []trace.Frame) int {
	n := len(m.frames)
	same := func(a, b trace.Frame) bool { return a.Pass == b.Pass && a.Step == b.Step && a.At.Equal(b.At) }
	if n == 0 || n > len(before) || !same(before[0], m.frames[0]) || !same(before[n-1], m.frames[n-1]) {
		return 0
	}
	return n
}

// replays tells whether the play is a recording.
func (m Model) replays() bool { return m.Replay }

// retells tells whether there is nothing but the recording: what a lesson says beside it was
// said when it was made.
func (m Model) retells() bool { return m.Replay && !m.Lesson }

// replayKeys are the keys of the screen's own while a recording is played. What a learner
// does with the recording is in the table of the play.
func replayKeys() []faceKey {
	return append([]faceKey{
		{names: []string{"left", "b"}, shown: "←, b", help: "하위 단계 하나씩 뒤로 갑니다.", do: sending("back")},
		{names: []string{"right", "s"}, shown: "→, s", help: "하위 단계 하나씩 앞으로 갑니다.", do: sending("step")},
		{names: []string{"["}, shown: "[", help: "파드의 수나 크기가 바뀐 앞의 자리로 갑니다.", do: func(m Model) (Model, tea.Cmd) { return m.toTurn(-1) }},
		{names: []string{"]"}, shown: "]", help: "파드의 수나 크기가 바뀐 다음 자리로 갑니다.", do: func(m Model) (Model, tea.Cmd) { return m.toTurn(+1) }},
		{names: []string{"home"}, shown: "Home", help: "기록의 처음으로 갑니다.", do: sending("goto start")},
		{names: []string{"end"}, shown: "End", help: "기록의 끝으로 갑니다.", do: sending("goto end")},
		{names: []string{"v"}, words: []string{"그래프", "chart"}, shown: "v", help: "패스마다의 그래프를 봅니다.", do: showing(Model.charts)},
	}, pageKeys()...)
}

func sending(line string) func(Model) (Model, tea.Cmd) {
	return func(m Model) (Model, tea.Cmd) { return m.sends(line) }
}

// toTurn goes to the next frame in that direction that changed the pods' number or size.
func (m Model) toTurn(by int) (Model, tea.Cmd) {
	if m.place == nil {
		return m, nil
	}
	turns := m.place.Scrub.Turns
	at, here := slices.BinarySearchFunc(turns, m.place.Scrub.Index, func(t play.Turn, i int) int { return t.Index - i })
	switch {
	case by < 0:
		at--
	case here:
		at++
	}
	if at < 0 || at >= len(turns) {
		m.aside = unchanged
		return m, nil
	}
	return m.sends("goto " + turns[at].Place)
}

// scrubbed is the line over the body: where the moment is in the recording, and where the
// pods' number or size changed.
func (m Model) scrubbed() string {
	p := m.place
	name := fmt.Sprintf("── 기록 %s · 패스 %d/%d · 단계 %d/%d ", p.Place, p.Place.Pass, p.Place.Passes, p.Place.Step, p.Place.Steps)
	if p.Last {
		name += "· 끝 "
	}
	width := m.width - ansi.StringWidth(name) - 1
	if width < 4 {
		return m.style(view.Yellow, name)
	}
	bar := slices.Repeat([]string{"─"}, width)
	column := func(i int) int { return i * (width - 1) / max(p.Scrub.Len-1, 1) }
	for i := range column(p.Scrub.Index) {
		bar[i] = "━"
	}
	for _, t := range p.Scrub.Turns {
		bar[column(t.Index)] = "◆"
	}
	bar[column(p.Scrub.Index)] = "●"
	return m.style(view.Yellow, name) + m.style(view.Cyan, strings.Join(bar, ""))
}
