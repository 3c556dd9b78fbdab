package full

import (
	"cmp"
	"os"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// faceKey is a key of the screen's own. What a learner does with the lesson is in the
// table of the play.
type faceKey struct {
	names []string // as bubbletea calls them
	shown string
	help  string
	do    func(Model) Model
}

func faceKeys() []faceKey {
	return []faceKey{
		{[]string{"left", "b"}, "←, b", "지나간 단계를 하나씩 거슬러 봅니다. 화면 전체가 그때의 것이 됩니다.", func(m Model) Model { return m.move(-1) }},
		{[]string{"right"}, "→", "지나간 단계를 하나씩 앞으로 봅니다.", func(m Model) Model { return m.move(+1) }},
		{[]string{"["}, "[", "파드의 수나 크기가 바뀐 앞의 단계로 갑니다.", func(m Model) Model { return m.change(-1) }},
		{[]string{"]"}, "]", "파드의 수나 크기가 바뀐 다음 단계로 갑니다.", func(m Model) Model { return m.change(+1) }},
		{[]string{"end", "esc"}, "End", "지금으로 돌아옵니다.", func(m Model) Model { return m.present() }},
		{[]string{"g"}, "g", "패스마다의 그래프를 봅니다.", func(m Model) Model { m.overlay = m.charts(); return m }},
		{[]string{"tab"}, "Tab", "글과 '방금 한 일' 사이를 오갑니다.", Model.turn},
		{[]string{"pgdown", " ", "space", "down", "j"}, "↓", "글을 아래로 내립니다.", func(m Model) Model { return m.scrolled(+1) }},
		{[]string{"pgup", "up"}, "↑", "글을 위로 올립니다.", func(m Model) Model { return m.scrolled(-1) }},
	}
}

// key is the state after a key was pressed.
func (m Model) key(k tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	name := k.String()
	switch name {
	case "ctrl+c":
		return m, interrupt
	case "ctrl+z":
		return m, tea.Suspend
	}
	if !m.asking { // a step runs
		return m, nil
	}
	if name == "enter" && m.quiet {
		m.quiet = false
		return m, nil
	}
	latin := play.Pressed(name)
	if k.BaseCode > 0 && k.Mod == 0 && k.BaseCode < 0x80 { // where the terminal tells
		latin = string(k.BaseCode)
	}
	if m.overlay != nil {
		return m.overKey(cmp.Or(latin, name))
	}
	if m.answering() {
		if f, edited := m.field.key(name); edited && len(m.field.text) > 0 {
			m.field = f
			return m, nil
		}
		if k.Text != "" && (len(m.field.text) > 0 || !acts(latin)) && k.Text != " " {
			m.field = m.field.typed(k.Text)
			return m, nil
		}
		if k.Text == " " && len(m.field.text) > 0 {
			m.field = m.field.typed(" ")
			return m, nil
		}
	}
	return m.command(name, latin)
}

// acts tells whether a letter does something where nothing was typed yet. A learner who
// answers 'no' types an n.
func acts(letter string) bool {
	return letter != "n" && (isVerb(letter) || slices.ContainsFunc(faceKeys(), func(f faceKey) bool { return slices.Contains(f.names, letter) && letter != "j" }))
}

func isVerb(letter string) bool {
	return slices.ContainsFunc(play.Verbs(), func(v play.Verb) bool { return slices.Contains(v.Names, letter) })
}

// command is the state after a key that edits nothing.
func (m Model) command(name, latin string) (tea.Model, tea.Cmd) {
	if name == "enter" {
		return m.enter()
	}
	for _, f := range faceKeys() {
		if slices.Contains(f.names, latin) {
			return f.do(m), nil
		}
	}
	if !isVerb(latin) {
		return m, nil
	}
	if m.past() && latin != "f" { // what other verbs do, they do now
		m = m.present()
	}
	next, cmd := m.sends(latin)
	if latin != name { // a jamo, and the Enter with which the input method ends it
		next.quiet = true
		cmd = tea.Batch(cmd, tea.Tick(150*time.Millisecond, func(time.Time) tea.Msg { return calm{} }))
	}
	return next, cmd
}

// enter goes on: back to now, down the page, to the story, and then with the play.
func (m Model) enter() (tea.Model, tea.Cmd) {
	switch {
	case m.past():
		return m.present(), nil
	case m.leaf > 0:
		m.leaf = 0
		return m, nil
	case m.more(m.reads()) && len(m.field.text) == 0:
		return m.scrolled(+1), nil
	case m.reads() == deed && m.untold():
		m.focus, m.tabbed = story, false
		return m, nil
	}
	line := m.field.String()
	if m.stop == play.ForAnswer && len(m.questions) > 0 {
		m.questions = slices.Clone(m.questions)
		m.questions[m.current].guess = line
	}
	return m.sends(line)
}

// sends gives a line to the play, and waits for what comes of it.
func (m Model) sends(line string) (Model, tea.Cmd) {
	m.asking, m.notes, m.field, m.tabbed = false, nil, field{}, false
	send := m.send
	return m, tea.Batch(func() tea.Msg { send(line); return nil }, tick())
}

// overKey is a key on a page over the screen.
func (m Model) overKey(key string) (tea.Model, tea.Cmd) {
	o := *m.overlay
	switch key {
	case "pgdown", "down", "space", " ", "j":
		o.scroll = min(o.scroll+m.bodyHeight()/2+1, max(len(o.lines(m.width, m.Color))-m.bodyHeight(), 0))
	case "pgup", "up":
		o.scroll = max(o.scroll-m.bodyHeight()/2-1, 0)
	case "y":
		if o.copied == "" {
			return m, nil
		}
		m.overlay = nil
		m.notes = []block{func(s *view.Screen) { s.Note("복사했습니다. 다른 터미널에 붙여 넣어 주십시오.") }}
		return m, tea.SetClipboard(o.copied)
	default:
		m.overlay = nil
		return m, nil
	}
	m.overlay = &o
	return m, nil
}

// interrupt is as where the terminal itself sends the signal.
func interrupt() tea.Msg {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Signal(os.Interrupt)
	}
	return nil
}
