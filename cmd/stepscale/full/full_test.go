package full

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view/viewtest"
	"github.com/stepscale/stepscale/engine/trace"
)

var update = flag.Bool("update", false, "write the golden screens anew")

var sizes = []tea.WindowSizeMsg{{Width: 60, Height: 20}, {Width: 80, Height: 24}, {Width: 120, Height: 40}, {Width: 200, Height: 60}}

// recordings are the lessons that can be played here.
func recordings(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.jsonl.gz"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".jsonl.gz"))
	}
	return names
}

// plain is the screen as text.
func plain(m Model) string { return ansi.Strip(strings.Join(rows(m), "\n")) }

func rows(m Model) []string {
	all, _ := m.screen()
	return all
}

// packed is text without the spaces in it: where a line ends is the layout's.
func packed(text string) string { return strings.Join(strings.Fields(text), "") }

// fills fails where the screen is not as large as the terminal.
func fills(t *testing.T, m Model) (all []string) {
	t.Helper()
	all = rows(m)
	if len(all) != m.height {
		t.Errorf("%d rows on a screen of %d×%d", len(all), m.width, m.height)
	}
	for _, row := range all {
		text := ansi.Strip(row)
		if n := viewtest.Cells(text); n != m.width {
			t.Errorf("%d columns on a screen of %d: %q", n, m.width, text)
		}
		if !m.Color && text != row {
			t.Errorf("a styled row without colors: %q", row)
		}
	}
	if t.Failed() {
		t.FailNow() // one screen says enough
	}
	return all
}

// fits fails where the screen does not fit, or lacks what is asked.
func fits(t *testing.T, m Model) (all []string) {
	t.Helper()
	all = fills(t, m)
	if m.answering() {
		q := m.questions[m.current]
		if !strings.Contains(packed(strings.Join(all, "")), packed(q.text)) {
			t.Errorf("%d×%d: the question %q is not on the screen:\n%s", m.width, m.height, q.text, plain(m))
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return all
}

// TestLookingBack: the whole screen shows what was; nothing is sent to the play, and Enter
// comes back before it executes anything.
func TestLookingBack(t *testing.T) {
	looked := false
	l := &learner{t: t}
	l.plays("hpa-02-control-loop", sizes[1], func(l *learner, stop play.Stop) {
		f, _, ok := l.m.frame()
		if !ok || f.Step != "hpa/4-deployment/replicaset" || looked {
			return
		}
		looked = true
		now, sent := plain(l.m), len(l.sent)
		if !strings.Contains(now, "PUT replicasets  2 → 4") {
			t.Errorf("the step is not on the map:\n%s", now)
		}
		for _, keys := range []string{"left", "b", "ㅠ"} {
			l.press(keys)
			text := plain(l.m)
			if keys == "left" && !(strings.Contains(text, "PUT deployments/scale  2 → 4") && strings.Contains(text, "디플로이먼트──⛔") && strings.Contains(text, "디플로이먼트의 레플리카 수 (deploymentReplicas) = 4")) {
				t.Errorf("the step before is not on the screen:\n%s", text)
			}
			if !strings.Contains(text, "지나간 기록") || !strings.Contains(text, "Enter 지금으로") {
				t.Errorf("it does not say that this is the past:\n%s", text)
			}
		}
		l.press("[")
		if f, _, _ := l.m.frame(); !l.m.past() || l.m.Loop.Changed(f) != strings.Contains(string(f.Step), "update") {
			t.Errorf("[ leads to %s", f.Step)
		}
		l.press("enter")
		if l.m.past() || len(l.sent) != sent || plain(l.m) != now {
			t.Errorf("past %t, sent %q; the screen after Enter:\n%s", l.m.past(), l.sent[sent:], plain(l.m))
		}
	})
	if !looked {
		t.Error("the step never came")
	}
}

// TestSecondTry: a wrong answer is met with the hint and asked again before anything of
// the step is shown; then the verdict stands behind its question.
func TestSecondTry(t *testing.T) {
	l := &learner{t: t, wrong: true}
	again := 0
	l.seen = func(m Model) {
		if !m.answering() || m.questions[m.current].wrong == "" || len(m.field.text) > 0 {
			return
		}
		again++
		text := plain(m)
		if !strings.Contains(text, "한 번 더 답해 주십시오") || m.now == len(m.frames)-1 {
			t.Errorf("the second try shows what is asked for:\n%s", text)
		}
	}
	verdicts := 0
	l.plays("hpa-02-control-loop", sizes[1], func(l *learner, stop play.Stop) {
		if l.m.reads() == deed && strings.Contains(plain(l.m), "✘ 아쉽습니다.") && strings.Contains(plain(l.m), "? 예측: ") {
			verdicts++
		}
	})
	if again < 10 || verdicts < 10 {
		t.Errorf("%d second tries, %d verdicts on the screen", again, verdicts)
	}
}

// TestAnswersAreTyped: Hangul is edited by syllables, the caret stands behind what it is
// behind of, and a letter of a verb is one in the middle of an answer.
func TestAnswersAreTyped(t *testing.T) {
	f := field{}.typed("확\u1100\u1161") // 가, in parts
	if f.String() != "확가" || f.column() != 4 {
		t.Errorf("%q, caret at %d", f.String(), f.column())
	}
	for _, c := range []struct {
		key, text string
		column    int
	}{{"backspace", "확", 2}, {"left", "확", 0}, {"delete", "", 0}, {"backspace", "", 0}, {"right", "", 0}} {
		var ok bool
		if f, ok = f.key(c.key); !ok || f.String() != c.text || f.column() != c.column {
			t.Errorf("%s: %q, caret at %d, want %q at %d", c.key, f.String(), f.column(), c.text, c.column)
		}
	}
	l := &learner{t: t}
	tried := false
	l.plays("hpa-02-control-loop", sizes[1], func(l *learner, stop play.Stop) {
		if !l.m.answering() || tried {
			return
		}
		tried = true
		sent := len(l.sent)
		l.press("1hkq ")
		if got := l.m.field.String(); got != "1hkq " || len(l.sent) != sent {
			t.Errorf("typed %q, sent %q", got, l.sent[sent:])
		}
		for range 5 {
			l.press("backspace")
		}
	})
	if !tried {
		t.Error("nothing was asked")
	}
}

// pages is a screen on which the lesson has said something before each of three steps.
func pages(t *testing.T, size tea.WindowSizeMsg) *learner {
	t.Helper()
	loop := loops()["hpa"]
	l := &learner{t: t}
	l.m = New(Setting{Loop: loop}, func(line string) { l.sent = append(l.sent, line) })
	l.update(size)
	for i, name := range []string{"첫째", "둘째", "셋째"} {
		l.update(Told{play.Prose{Text: name + " 쪽의 처음입니다.\n\n" + strings.Repeat("이어지는 글입니다.\n\n", size.Height) + name + " 쪽의 끝입니다."}})
		l.update(Told{play.Coming{Text: "계산합니다."}})
		l.update(Told{play.Ask{Stop: play.ForNext}})
		if i < 2 {
			l.executes(i)
		}
	}
	l.press("tab") // to the story, which the step has taken the place of
	if !l.m.beside() && l.m.reads() != story || l.m.beside() && l.m.reads() != deed {
		t.Fatalf("Tab leads to %d", l.m.reads())
	}
	if l.m.beside() {
		l.press("tab")
	}
	return l
}

// executes is what is told of the step with that index, up to the next stop.
func (l *learner) executes(i int) {
	s := l.m.Loop.Steps[i]
	f := trace.Frame{Pass: 1, Step: s.ID, Actor: s.Actor}
	l.update(Framed{f})
	l.update(Told{play.Executed{Frame: f}})
}

// TestOlderPages: before the beginning of a page is the one that was read before, and whatever
// leads back from it leads to the beginning of the page that it was left at.
func TestOlderPages(t *testing.T) {
	const last, older, name = "셋째 쪽의 처음", "둘째 쪽의 끝", "앞에서 읽은 글 (1쪽 전)"
	for _, size := range sizes {
		for back, keys := range map[string]string{"Enter": "enter", "End": "end", "Esc": "esc", "a step that is looked at": "left end", "down": strings.Repeat("down ", 20), "a step": ""} {
			l := pages(t, size)
			shows := func(when, want string, is bool) {
				t.Helper()
				if strings.Contains(packed(plain(l.m)), packed(want)) != is {
					t.Errorf("%v, %s, %s: %q is shown: %t in\n%s", size, back, when, want, !is, plain(l.m))
				}
			}
			shows("at first", last, true)
			l.press("up")
			shows("above", older, true)
			shows("above", last, false)
			shows("above", name, true)
			if shows("above", "Enter 읽던 곳으로", true); l.m.beside() {
				shows("above", deedName, true) // the other column has its name, too
			}
			for _, key := range strings.Fields(keys) {
				if l.press(key); key == "left" && l.m.beside() { // what was said before that step
					shows("looking back", "첫째 쪽의 처음", true)
				}
				if back == "down" && l.m.leaf == 0 {
					break
				}
			}
			if back == "a step" {
				if l.executes(2); !l.m.beside() {
					l.press("tab")
				}
			}
			if l.m.past() || len(l.sent) > 0 {
				t.Errorf("past %t, sent %q", l.m.past(), l.sent)
			}
			if l.m.reads() == deed && !l.m.beside() { // the steps have taken the place of the story
				l.press("tab")
			}
			shows("back", last, true)
			shows("back", name, false)
		}
	}
}

// TestOlderPageBehindTheDeed: what the step did has its own name, and Enter reads on there, also
// where the story stands at an older page; from there it leads to what was said last.
func TestOlderPageBehindTheDeed(t *testing.T) {
	l := pages(t, sizes[1])
	l.press("up")
	l.press("tab")
	text := plain(l.m)
	if strings.Contains(text, "앞에서 읽은 글") || !strings.Contains(text, deedName) || strings.Contains(text, "읽던 곳으로") {
		t.Errorf("the step has the name of the page that was read:\n%s", text)
	}
	if l.press("enter"); l.m.reads() != story {
		t.Error("Enter does not read on")
	}
	if text := plain(l.m); !strings.Contains(text, "셋째 쪽의 처음") || len(l.sent) > 0 {
		t.Errorf("Enter leads to\n%s\nsent %q", text, l.sent)
	}
	l = pages(t, sizes[2])
	l.executes(2)
	l.update(Told{play.Prose{Text: "넷째 쪽입니다."}})
	l.update(Told{play.Ask{Stop: play.ForNext}})
	l.m.leaf = 3 // what stands beside a step that is looked at depends on that only
	if l.press("left"); !strings.Contains(plain(l.m), "둘째 쪽의 처음") {
		t.Errorf("beside the step stands\n%s", plain(l.m))
	}
}
