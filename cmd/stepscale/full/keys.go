package full

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// faceKey is a key of the screen's own. What a learner does with the lesson is in the
// table of the play.
type faceKey struct {
	names []string // as bubbletea calls them
	words []string // of the palette; none where the key is all there is
	shown string
	help  string
	do    func(Model) (Model, tea.Cmd)
}

// keys are those that do something now.
func (m Model) keys() []faceKey {
	switch {
	case m.replays():
		return replayKeys()
	case m.Follows:
		return append([]faceKey{
			{names: []string{"n"}, words: []string{"다음", play.Next}, shown: "Enter, n", help: "글을 더 읽고, 지나간 단계를 보고 계시면 지금으로 돌아옵니다. 새 단계는 강사가 실행합니다.", do: Model.enter},
		}, lessonKeys()...)
	}
	return lessonKeys()
}

func lessonKeys() []faceKey {
	return append([]faceKey{
		{names: []string{"left", "b"}, words: []string{"뒤로", "back"}, shown: "←, b", help: "지나간 단계를 하나씩 거슬러 봅니다. 화면 전체가 그때의 것이 됩니다.", do: moving(func(m Model) Model { return m.move(-1) })},
		{names: []string{"right"}, words: []string{"앞으로", "forward"}, shown: "→", help: "지나간 단계를 하나씩 앞으로 봅니다.", do: moving(func(m Model) Model { return m.move(+1) })},
		{names: []string{"["}, shown: "[", help: "파드의 수나 크기가 바뀐 앞의 단계로 갑니다.", do: moving(func(m Model) Model { return m.change(-1) })},
		{names: []string{"]"}, shown: "]", help: "파드의 수나 크기가 바뀐 다음 단계로 갑니다.", do: moving(func(m Model) Model { return m.change(+1) })},
		{names: []string{"end", "esc"}, words: []string{"지금", "now"}, shown: "End", help: "지금으로 돌아옵니다.", do: moving(Model.present)},
		{names: []string{"v", "g"}, words: []string{"그래프", "chart"}, shown: "v", help: "패스마다의 그래프를 봅니다.", do: showing(Model.charts)},
	}, pageKeys()...)
}

// pageKeys are those of lessons and recordings alike.
func pageKeys() []faceKey {
	return []faceKey{
		{names: []string{"a"}, words: []string{"호출", "calls"}, shown: "a", help: "이 단계의 API 호출을 빠짐없이 봅니다.", do: showing(Model.calls)},
		{names: []string{"o"}, words: []string{"오브젝트", "yaml"}, shown: "o", help: "이 단계가 바꾼 필드를 YAML의 자리에서 견줍니다.", do: showing(Model.yaml)},
		{names: []string{"tab"}, shown: "Tab", help: "글과 '방금 한 일' 사이를 오갑니다.", do: moving(Model.turn)},
		{names: []string{"pgdown", " ", "space", "down", "j"}, shown: "↓", help: "글을 아래로 내립니다.", do: moving(func(m Model) Model { return m.scrolled(+1) })},
		{names: []string{"pgup", "up"}, shown: "↑", help: "글을 위로 올립니다.", do: moving(func(m Model) Model { return m.scrolled(-1) })},
		{names: []string{"ctrl+t"}, words: []string{"마우스", "mouse"}, shown: "Ctrl-T", help: "마우스 휠로 넘기기를 켜고 끕니다. 켜져 있는 동안 글을 끌어 고르시려면 Shift를 누르십시오.", do: moving(func(m Model) Model { m.mouse = !m.mouse; return m })},
		{names: []string{":"}, shown: ":", help: "명령을 이름으로 부릅니다. 한글로도 영어로도 됩니다.", do: moving(func(m Model) Model { return m.opens("") })},
	}
}

func moving(move func(Model) Model) func(Model) (Model, tea.Cmd) {
	return func(m Model) (Model, tea.Cmd) { return move(m), nil }
}

func showing(page func(Model) *overlay) func(Model) (Model, tea.Cmd) {
	return func(m Model) (Model, tea.Cmd) { m.overlay = page(m); return m, nil }
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
	m.aside = nil
	quiet := m.quiet
	if m.quiet = false; quiet && name == "enter" {
		return m, nil
	}
	latin := play.Pressed(name)
	if k.BaseCode > 0 && k.Mod == 0 && k.BaseCode < 0x80 { // where the terminal tells
		latin = string(k.BaseCode)
	}
	if m.palette != nil {
		return m.paletteKey(k)
	}
	if m.answering() {
		if typed, ok := m.answers(k, name, latin); ok {
			return typed, nil
		}
	}
	next, cmd := m.command(name, latin)
	if latin != name { // a jamo, and the Enter with which the input method ends it
		next.quiet = true
		cmd = tea.Batch(cmd, tea.Tick(150*time.Millisecond, func(time.Time) tea.Msg { return calm{} }))
	}
	return next, cmd
}

// answers is the state after a key that belongs to the answer; false where it does not.
func (m Model) answers(k tea.KeyPressMsg, name, latin string) (Model, bool) {
	begun := len(m.field.text) > 0
	if begun && name == "esc" {
		m.field = field{}
		return m, true
	}
	if f, edited := m.field.key(name); edited && begun {
		m.field = f
		return m, true
	}
	if k.Text == "" || !begun && (k.Text == " " || m.acts(latin) && !m.chooses(k.Text)) {
		return m, false
	}
	m.field = m.field.typed(k.Text)
	return m, true
}

// choices are what a question offers: "(general/large)".
var choices = regexp.MustCompile(`\(([^()]+(?:/[^()]+)+)\)`)

// offered are the answers that a vote or a question names.
func (m Model) offered() (all []string) {
	if m.stop == play.ForVote {
		return m.ballot.Choices
	}
	for _, named := range choices.FindAllStringSubmatch(m.questions[m.current].text, -1) {
		all = append(all, strings.Split(named[1], "/")...)
	}
	return all
}

// chooses tells whether a letter begins one of the answers that are offered.
func (m Model) chooses(letter string) bool {
	return slices.ContainsFunc(m.offered(), func(answer string) bool { return strings.HasPrefix(strings.TrimSpace(answer), letter) })
}

// acts tells whether a letter does something where nothing was typed yet. A learner who
// answers 'no' types an n.
func (m Model) acts(letter string) bool {
	_, verb := m.verb(letter)
	return letter != "n" && (verb || slices.ContainsFunc(m.keys(), func(f faceKey) bool { return slices.Contains(f.names, letter) && letter != "j" }))
}

// verb is the command of the play that a letter stands for.
func (m Model) verb(letter string) (entry, bool) {
	all := m.entries()
	i := slices.IndexFunc(all, func(e entry) bool { return len([]rune(letter)) == 1 && slices.Contains(e.names, letter) })
	if i < 0 {
		return entry{}, false
	}
	return all[i], true
}

// command is the state after a key that edits nothing.
func (m Model) command(name, latin string) (Model, tea.Cmd) {
	switch {
	case m.overlay != nil:
		return m.overKey(latin)
	case name == "enter":
		return m.enter()
	}
	for _, f := range m.keys() {
		if slices.Contains(f.names, latin) {
			return f.do(m)
		}
	}
	e, ok := m.verb(latin)
	switch {
	case !ok:
		return m, nil
	case e.needs():
		return m.opens(e.names[0] + " "), nil
	}
	if m.past() && latin != "f" { // what other verbs do, they do now
		m = m.present()
	}
	return m.sends(latin)
}

// enter goes on: back to now, down the page, to the story, and then with the play.
func (m Model) enter() (Model, tea.Cmd) {
	switch {
	case m.retells():
		return m.sends(play.Next)
	case m.past():
		return m.present(), nil
	case m.stop == play.ForVote:
		return m.sends(m.field.String())
	case m.leaf > 0 && m.reads() == story:
		return m.lastPage(), nil
	case m.more(m.reads()) && len(m.field.text) == 0:
		return m.scrolled(+1), nil
	case m.reads() == deed && m.untold():
		m.focus, m.tabbed = story, false
		return m.lastPage(), nil
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
func (m Model) overKey(key string) (Model, tea.Cmd) {
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
		m.aside = []block{func(s *view.Screen) {
			s.Note("터미널에 복사를 부탁했습니다(OSC 52). 다른 터미널에 붙여 넣어 보시고, 붙지 않으면 터미널이나 tmux의 설정이 막은 것이니(set -g set-clipboard on) 글을 끌어 고르십시오.")
		}}
		return m, tea.SetClipboard(o.copied)
	default:
		m.overlay = nil
		return m, nil
	}
	m.overlay = &o
	return m, nil
}

// wheel scrolls what is read as the arrow keys do.
func (m Model) wheel(b tea.MouseButton) Model {
	key, by := "down", +1
	if b == tea.MouseWheelUp {
		key, by = "up", -1
	}
	if m.overlay != nil {
		next, _ := m.overKey(key)
		return next
	}
	return m.scrolled(by)
}

// interrupt is as where the terminal itself sends the signal.
func interrupt() tea.Msg {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Signal(os.Interrupt)
	}
	return nil
}
