package full

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/wording"
)

// caretMark ends the row in which the caret stands.
const caretMark = "\x00"

// mostFoot is the part of the screen that the foot may take, in rows of three.
const mostFoot = 2

// foot is what is about to happen, the question, and the field: what the learner is asked
// for is always seen. Notes stand over it.
func (m Model) foot() []string {
	switch {
	case m.palette != nil:
		return m.paletteRows()
	case m.overlay != nil:
		return nil
	}
	rows := trimmed(written(m.width, m.Color, func(s *view.Screen) {
		for _, n := range slices.Concat(m.notes, m.aside) {
			n(s)
		}
	}))
	notes := len(rows)
	if m.asking && !m.past() && m.asksHere() {
		rows = append(rows, m.asks()...)
	}
	if len(rows) > 0 {
		rows = append([]string{m.style(view.Faint, strings.Repeat("┄", m.width))}, rows...)
		notes++
	}
	limit := m.height * mostFoot / 3
	if len(rows) > limit { // the notes give way
		rows = rows[min(len(rows)-limit, notes):]
	}
	return rows
}

// asks are the rows that ask for something.
func (m Model) asks() []string {
	if m.retells() || m.stop == play.ForNext && m.coming == "" {
		return nil
	}
	if m.stop == play.ForVote && m.ballot != nil {
		rows := dense(written(m.width, m.Color, func(s *view.Screen) { wording.Write(s, *m.ballot) }))
		return append(rows, m.style(view.Bold, m.prompt())+m.typedText(m.field, m.prompt())+caretMark)
	}
	rows := dense(written(m.width, m.Color, func(s *view.Screen) {
		if m.coming != "" && m.stop != play.ForRepair {
			s.Coming(m.coming)
		}
		for i, q := range m.questions {
			switch {
			case m.stop == play.ForPace:
				s.Note(q.text + " → " + given(q.guess))
			case i == m.current && q.wrong != "":
				s.Question(q.text)
				s.Note(q.wrong + ": 맞지 않습니다. " + map[bool]string{true: "힌트를 보시고 "}[q.hinted] + "한 번 더 답해 주십시오.")
			case i == m.current || m.Follows:
				s.Question(q.text)
			case i < m.current:
				s.Note(q.text + " → " + given(q.guess))
			}
		}
	}))
	if m.stop == play.ForAnswer {
		rows = append(rows, m.style(view.Bold, m.prompt())+m.typedText(m.field, m.prompt())+caretMark)
	}
	return rows
}

func given(guess string) string {
	if guess == "" {
		return "(넘어감)"
	}
	return guess
}

// typedText is the part of a field behind a prompt that fits, up to the caret at least.
func (m Model) typedText(f field, prompt string) string {
	room := m.width - ansi.StringWidth(prompt) - 2
	text := f.String()
	if over := f.column() - room; over > 0 {
		text = ansi.TruncateLeft(text, over, "")
	}
	return ansi.Truncate(text, room, "")
}

// keysLine says which key does what now; the next one first.
func (m Model) keysLine() string {
	var keys []string
	switch {
	case !m.asking:
		return m.style(view.Yellow, " "+m.spinning()+"…")
	case m.palette != nil:
		keys = []string{m.paletteEnters(), "↑↓ 고르기", "Tab 채우기", "Esc 그만"}
	case m.overlay != nil:
		keys = []string{"Esc 닫기", "↑↓ 넘기기"}
		if m.overlay.copied != "" {
			keys = append(keys, "y 복사")
		}
	case m.answering() && len(m.field.text) > 0:
		keys = []string{"Enter " + m.enters(), "←→ 고칠 곳", "Esc 지우기"}
	case m.past():
		keys = []string{"Enter 지금으로", "←→ 한 단계", "[ ] 바뀐 곳", "↓ 더 읽기", "f 값", "? 도움말"}
	case m.retells():
		keys = append([]string{"Enter 다음 단계", "←→ 하위 단계", "[ ] 바뀐 곳"}, m.replayHints()...)
	default:
		keys = append([]string{"Enter " + m.enters()}, m.otherKeys()...)
	}
	line := " " + m.style(view.Reverse, " "+keys[0]+" ")
	for _, k := range keys[1:] {
		if ansi.StringWidth(line+k) > m.width-4 {
			break
		}
		line += "  " + m.style(view.Faint, k)
	}
	return line
}

// enters is what Enter does now.
func (m Model) enters() string {
	switch {
	case len(m.field.text) > 0:
		return "답하기"
	case m.stop == play.ForVote:
		return "투표하지 않고 넘어가기"
	case m.leaf > 0 && m.reads() == story:
		return "읽던 곳으로"
	case m.more(m.reads()):
		return "더 읽기"
	case m.reads() == deed && m.untold():
		return "이어서"
	case m.stop == play.ForAnswer:
		if m.questions[m.current].wrong != "" {
			return "답 보기"
		}
		return "답 없이 넘어가기"
	case m.stop == play.ForRepair:
		return "다시 실행"
	case m.stop == play.ForPace:
		return "다시 확인 (풀리면 저절로 이어집니다)"
	case m.Follows:
		return "(단계는 강사가 실행합니다)"
	case m.finished != "":
		return "끝"
	}
	return "다음 단계"
}

// otherKeys are the keys that help here, the more useful first.
func (m Model) otherKeys() []string {
	var keys []string
	if m.answering() && m.stop == play.ForAnswer && m.questions[m.current].hinted {
		keys = append(keys, "h 힌트")
	}
	if m.beside() {
		keys = append(keys, "Tab 옆 칸")
	} else if len(m.deeds) > 0 && len(last(m.stories).blocks) > 0 {
		keys = append(keys, "Tab "+map[pane]string{story: "방금 한 일", deed: "글"}[m.reads()])
	}
	if m.replays() {
		return append(keys, "←→ 하위 단계", "[ ] 바뀐 곳", "? 도움말", ": 명령", "w 왜", "/ 찾기", "v 그래프", "f 값", "q 끝")
	}
	if m.now > 0 {
		keys = append(keys, "←→ 기록")
	}
	if m.Follows {
		return append(keys, "? 도움말", "f 값", "v 그래프", "a 호출", "o YAML", ": 명령", "q 끝")
	}
	return append(keys, "? 도움말", "c 계속", "k kubectl", "f 값", "v 그래프", "a 호출", "o YAML", ": 명령", "q 끝")
}

// replayHints are the other keys that help in a recording.
func (m Model) replayHints() []string {
	keys := []string{"? 도움말"}
	switch {
	case m.beside():
		keys = append(keys, "Tab 옆 칸")
	case len(last(m.stories).blocks) > 0:
		keys = append(keys, "Tab "+map[pane]string{story: "방금 한 일", deed: "글"}[m.reads()])
	}
	return append(keys, ": 명령", "c 계속", "w 왜", "/ 찾기", "v 그래프", "f 값", "a 호출", "o YAML", "q 끝")
}

// helpBlock lists all keys: those of the play, and those of the screen.
func (m Model) helpBlock() block {
	return func(s *view.Screen) {
		s.Line(m.title)
		s.Blank()
		if m.replays() {
			s.Pairs(m.replayRows())
			if m.Lesson {
				s.Note("둘러보시는 동안 수업은 제자리에 있고, Enter를 누르시면 거기서 이어집니다. " + wording.Answers)
			}
			s.Note("한 글자짜리는 그 글쇠로 바로 됩니다. 다른 것은 :를 누르고 이름으로 부르십시오.")
		} else {
			s.Pairs(m.verbRows())
			if !m.Follows {
				s.Note(wording.Answers)
			}
		}
		s.Note("한글 입력 상태에서도 같은 글쇠를 누르시면 됩니다(ㅜ = n).")
		s.Note("Ctrl-Z로 잠시 나갔다가 fg로 돌아오실 수 있고, Ctrl-C는 " + map[bool]string{true: "끝냅니다.", false: "진도를 저장하고 끝냅니다."}[m.retells() || m.Follows])
	}
}

// verbs are those of the play's table, but for what the screen does by itself: one of its own
// keys has their name.
func (m Model) verbs() []play.Verb {
	all := play.Verbs()
	if m.Follows {
		all = play.FollowVerbs()
	}
	keys := m.keys()
	return slices.DeleteFunc(all, func(v play.Verb) bool {
		return slices.ContainsFunc(keys, func(k faceKey) bool { return len(k.words) > 0 && k.words[0] == v.Names[0] })
	})
}

func (m Model) verbRows() (rows [][2]string) {
	for _, v := range m.verbs() {
		rows = append(rows, [2]string{v.Key, v.Help})
	}
	return m.keyRows(rows)
}

func (m Model) replayRows() [][2]string { return m.keyRows(wording.CommandRows(m.Lesson)) }

func (m Model) keyRows(rows [][2]string) [][2]string {
	for _, k := range m.keys() {
		rows = append(rows, [2]string{k.shown, k.help})
	}
	return rows
}
