package full

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/trace"
)

// clipboard is what a command has the terminal copy.
func clipboard(cmd tea.Cmd) string {
	if cmd == nil {
		return ""
	}
	return fmt.Sprint(cmd())
}

// TestCopied: y copies the lines that another terminal needs, and says so; on a page that
// is not there to be copied it does nothing.
func TestCopied(t *testing.T) {
	m := crowded()
	f := m.frames[len(m.frames)-1]
	f.Kubectl = "kubectl get hpa web"
	next, _ := m.Update(Told{play.Kubectl{Access: []string{"export KUBECONFIG=/x"}, Frame: f, Executed: true}})
	next, cmd := next.Update(tea.KeyPressMsg{Code: 'y', Text: "y"})
	if got := clipboard(cmd); got != "export KUBECONFIG=/x\nkubectl get hpa web\n" {
		t.Errorf("copied %q", got)
	}
	if text := plain(next.(Model)); !strings.Contains(text, "복사를 부탁했습니다") {
		t.Errorf("nothing tells of it:\n%s", text)
	}
	next, _ = m.Update(tea.KeyPressMsg{Code: 'a', Text: "a"})
	if next, cmd = next.Update(tea.KeyPressMsg{Code: 'y', Text: "y"}); cmd != nil || next.(Model).overlay == nil {
		t.Error("y copies a page that is not there to be copied")
	}
}

// TestKeysGuards: while a step runs no key does anything, not even one that scrolls; the
// Enter with which an input method ends a jamo is not taken for one of the learner's.
func TestKeysGuards(t *testing.T) {
	sent := 0
	m := crowded()
	m.send = func(string) { sent++ }
	m.asking = false
	for _, k := range []tea.KeyPressMsg{{Code: tea.KeyEnter}, {Code: tea.KeyLeft}, {Code: 'a', Text: "a"}, {Code: ':', Text: ":"}, {Code: 'q', Text: "q"}} {
		next, cmd := m.Update(k)
		if now := next.(Model); cmd != nil || now.cursor != m.cursor || now.overlay != nil || now.palette != nil {
			t.Errorf("%s does something while a step runs", k)
		}
	}
	m.asking = true
	next, _ := m.Update(tea.KeyPressMsg{Code: 'ㅠ', Text: "ㅠ"}) // b, looking back
	back := next.(Model)
	if !back.past() {
		t.Fatal("a jamo of b does not look back")
	}
	next, _ = back.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	if !next.(Model).past() {
		t.Error("the Enter of the input method is taken")
	}
	if next, _ = next.(Model).Update(tea.KeyPressMsg{Code: tea.KeyEnter}); next.(Model).past() {
		t.Error("the learner's own Enter is not")
	}
	next, _ = back.Update(calm{}) // the input method has sent none
	if next, _ = next.Update(tea.KeyPressMsg{Code: tea.KeyEnter}); next.(Model).past() {
		t.Error("the learner's own Enter is not taken a while later")
	}
	unsaid := m.framed(m.frames[0]) // executed, and not told of
	if next, _ = unsaid.Update(tea.KeyPressMsg{Code: tea.KeyRight}); next.(Model).cursor != m.now {
		t.Error("→ leads to what was not told yet")
	}
	m.stop, m.questions, m.deeds, m.focus = play.ForAnswer, []asked{{text: "몇 개입니까?"}}, nil, story
	covered := m
	covered.overlay = m.calls()
	for under, typed := range map[*Model]string{&m: "4", &covered: ""} { // what is pasted goes where the caret is
		if next, _ = under.Update(tea.PasteMsg{Content: "4"}); next.(Model).field.String() != typed {
			t.Errorf("typed %q, want %q", next.(Model).field.String(), typed)
		}
	}
}

// TestPastIsPast: beside a step that has gone by stands what the lesson said before it, and
// the charts end with it; a verb comes back to now, but for the values.
func TestPastIsPast(t *testing.T) {
	looked := false
	pages := map[trace.StepID]string{}
	l := &learner{t: t}
	l.seen = func(m Model) {
		if f, _, ok := m.frame(); ok && m.asking && !m.past() && f.Pass == 5 {
			pages[m.frames[m.now].Step] = strings.Join(m.lines(story), "\n")
		}
	}
	l.plays("hpa-02-control-loop", sizes[2], func(l *learner, stop play.Stop) {
		f, _, ok := l.m.frame()
		if !ok || f.Pass != 5 || f.Step != "hpa/3-scale/update" || looked {
			return
		}
		looked = true
		now := len(l.m.upTo())
		l.press("left")
		f, _, _ = l.m.frame()
		before := l.m.frames[l.m.cursor-1]
		if got := strings.Join(l.m.lines(story), "\n"); got != pages[before.Step] || got == "" {
			t.Errorf("beside %s stands\n%s\nwant what was said behind %s:\n%s", f.Step, got, before.Step, pages[before.Step])
		}
		for range len(l.m.Loop.Steps) {
			l.press("left")
		}
		if got := len(l.m.upTo()); got != now-1 {
			t.Errorf("the charts have %d passes a pass before, and %d now", got, now)
		}
		if !l.m.past() {
			t.Error("looking does something")
		}
		l.press("end")
	})
	if !looked {
		t.Error("the step never came")
	}
}

// verbed is the state after a letter, whose line is not carried out.
func (m Model) verbed(letter string) Model {
	next, _ := m.Update(tea.KeyPressMsg{Code: []rune(letter)[0], Text: letter})
	return next.(Model)
}

// TestVerbsActNow: what a verb does, it does now, and the screen shows that; the values are
// those of the step that is looked at.
func TestVerbsActNow(t *testing.T) {
	m := crowded().move(-3)
	if m.verbed("c").past() {
		t.Error("c goes on while the screen shows the past")
	}
	if !m.verbed("f").past() {
		t.Error("f leaves the step that is looked at")
	}
}

// TestOpening: what is to be known before a lesson is read on its first page, and takes no rows
// from the others; over a recording, which has no page, it stands until the first key.
func TestOpening(t *testing.T) {
	notes := []string{"노드는 시뮬레이션입니다."}
	m := New(Setting{Notes: notes}, func(string) {})
	show := func(all ...play.Event) {
		for _, e := range all {
			next, _ := m.Update(Told{e})
			m = next.(Model)
		}
	}
	show(play.Prose{Text: "첫 글입니다."}, play.Coming{Text: "시작합니다."}, play.Ask{Stop: play.ForNext})
	if first := strings.Join(m.lines(story), "\n"); !strings.Contains(first, "첫 글입니다.") || !strings.Contains(first, notes[0]) || strings.Contains(strings.Join(m.foot(), "\n"), notes[0]) {
		t.Errorf("the first page is\n%s\nover\n%s", first, strings.Join(m.foot(), "\n"))
	}
	show(play.Executed{}, play.Prose{Text: "다음 글입니다."}, play.Coming{Text: "이어 갑니다."}, play.Ask{Stop: play.ForNext})
	if second := strings.Join(m.lines(story), "\n"); !strings.Contains(second, "다음 글입니다.") || strings.Contains(second, notes[0]) {
		t.Errorf("the second page is\n%s", second)
	}
	m = New(Setting{Notes: notes, Replay: true}, func(string) {})
	show(play.Replayed{Frame: trace.Frame{Step: "x/1"}}, play.Ask{Stop: play.ForReplay})
	if !strings.Contains(plain(m), notes[0]) {
		t.Errorf("no note:\n%s", plain(m))
	}
}

// TestQuestionBelowTheDeed: where the lesson says nothing more before it asks, the question
// stands below what the step did, which may be what it is about; a hint is offered where there
// is one.
func TestQuestionBelowTheDeed(t *testing.T) {
	loop := loops()["hpa"]
	m := New(Setting{Loop: loop}, func(string) {})
	m.width, m.height = 80, 24
	show := func(all ...tea.Msg) {
		for _, e := range all {
			next, _ := m.Update(e)
			m = next.(Model)
		}
	}
	f := trace.Frame{Pass: 1, Step: loop.Steps[0].ID, Actor: loop.Steps[0].Actor}
	f.Add("scrapedPods", "2", "")
	show(Told{play.Prose{Text: "앞의 글"}}, Told{play.Coming{Text: "읽습니다."}}, Told{play.Ask{Stop: play.ForNext}}, Framed{f}, Told{play.Executed{Frame: f}},
		Told{play.Coming{Text: "계산합니다."}}, Told{play.Question{Text: "몇 개입니까?", Hinted: true}}, Told{play.Ask{Stop: play.ForAnswer}})
	for _, shown := range []string{"메트릭을 수집한 파드", "몇 개입니까?", "예측>", "h 힌트"} {
		if !strings.Contains(plain(m), shown) {
			t.Errorf("no %q on\n%s", shown, plain(m))
		}
	}
	m = m.verbed("2")
	if m.field.String() != "2" || strings.Contains(plain(m), "앞의 글") {
		t.Errorf("the answer is not typed:\n%s", plain(m))
	}
	show(Told{play.Again{Index: 0, Guess: "3"}}, Told{play.Ask{Stop: play.ForAnswer}})
	if text := plain(m); !strings.Contains(text, "한 번 더 답해 주십시오") || strings.Contains(text, "힌트") {
		t.Errorf("a hint that is not there:\n%s", text)
	}
	if next, _ := m.Update(tea.KeyPressMsg{Code: tea.KeyTab}); !strings.Contains(plain(next.(Model)), "앞의 글") {
		t.Errorf("what was read before is not a key away:\n%s", plain(next.(Model)))
	}
}

// TestAnswerNo: a learner who answers no types an n first.
func TestAnswerNo(t *testing.T) {
	m := crowded()
	m.stop, m.questions = play.ForAnswer, []asked{{text: "예, 아니요?"}}
	m.deeds, m.focus = nil, story
	for _, letter := range []string{"n", "o"} {
		m = m.verbed(letter)
	}
	if got := m.field.String(); got != "no" {
		t.Errorf("typed %q", got)
	}
}

// TestWorldForgetsWhatIsOver: the counts of a pass are not those of the next, pods that
// were evicted are gone, and a box is filled by its own actor's steps only.
func TestWorldForgetsWhatIsOver(t *testing.T) {
	loop := loops()["vpa"]
	frame := func(pass int, actor string, facts ...string) trace.Frame {
		f := trace.Frame{Pass: pass, Actor: actor}
		for i := 0; i < len(facts); i += 2 {
			f.Add(facts[i], facts[i+1], "")
		}
		return f
	}
	w := world{}.with(frame(1, trace.ActorMetrics, "podsTotal", "3", "readyPods", "3"), loop).with(frame(1, "vpa-updater", "evictedPods", "1"), loop)
	if w.said["vpa-updater"].value != "1" || w.row().Ready != 2 || w.row().Ending != 1 {
		t.Errorf("after an eviction %+v, %+v", w.said, w.row())
	}
	w = w.with(frame(1, trace.ActorHPA, "readyPods", "2"), loop)
	if got := w.said[trace.ActorKubelet]; got.value != "" {
		t.Errorf("the HPA's count stands in the kubelet's box: %+v", got)
	}
	w = w.with(frame(2, trace.ActorMetrics, "scrapedPods", "2"), loop)
	if got := w.said["vpa-updater"]; got.value != "" {
		t.Errorf("what was evicted in the pass before is counted: %+v", got)
	}
}

// TestAnswerBeginsWithAKey: where a question offers words, their first letters are typed,
// whatever else the keys do; other letters do that.
func TestAnswerBeginsWithAKey(t *testing.T) {
	m := crowded()
	m.stop, m.questions = play.ForAnswer, []asked{{text: "어느 그룹을 고를까요? (general/burst)"}}
	m.deeds, m.focus = nil, story
	for _, word := range []string{"general", "burst"} {
		typed := m
		for _, r := range word {
			typed = typed.verbed(string(r))
		}
		if got := typed.field.String(); got != word {
			t.Errorf("typed %q, want %q", got, word)
		}
	}
	if m.verbed("a").overlay == nil {
		t.Error("a does not show the calls")
	}
}

// TestHeadOfALongLoop: where the lesson stands, the time, whose it is, and the lesson's title
// are whole above the body, however long the title is and however many steps the loop has.
func TestHeadOfALongLoop(t *testing.T) {
	const title = "유지와 축소, 그리고 5분의 안정화 구간"
	for _, loop := range []string{"hpa-cluster-autoscaler", "vpa", "node-comparison"} {
		for _, width := range []int{60, 80, 109, 110, 120, 200} {
			m := New(Setting{Loop: loops()[loop], Simulated: true, Title: title}, nil)
			m.width, m.height = width, 24
			if !strings.Contains(plain(m), title) {
				t.Errorf("%d columns, before the first step:\n%s", width, plain(m))
			}
			for i, s := range m.Loop.Steps {
				m = m.framed(trace.Frame{Pass: 65, Step: s.ID, Actor: s.Actor}).reveal()
				_, name, _ := strings.Cut(string(s.ID), "/")
				all := m.head() + "\n" + m.rule(20)
				for _, whole := range []string{name, fmt.Sprintf("%d/%d", i+1, len(m.Loop.Steps)), "패스 65  +00:00 [시뮬레이션]", title} {
					if width > 60 && !strings.Contains(all, whole) || !strings.Contains(all, name) {
						t.Errorf("%d columns: no %q in\n%s", width, whole, all)
					}
				}
			}
		}
	}
}
