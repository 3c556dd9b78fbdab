package play

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

func TestCommandTable(t *testing.T) {
	seen, keys := map[string]bool{}, map[string]bool{}
	for _, c := range Verbs() {
		if c.Help == "" || c.Key == "" || c.do == nil {
			t.Errorf("%v has no help or does nothing", c.Names)
		}
		if keys[c.Key] {
			t.Errorf("two verbs have the key %q", c.Key)
		}
		keys[c.Key] = true
		for _, n := range c.Names {
			if seen[n] {
				t.Errorf("two commands are called %q", n)
			}
			seen[n] = true
			if got, ok := verb(strings.ToUpper(n)); !ok || got.Names[0] != c.Names[0] {
				t.Errorf("%q does not find its command", n)
			}
			for _, unit := range []engine.Unit{engine.Count, engine.Bool, engine.Text} {
				if ok, _ := (question{text: "? (확장/유지/축소)"}).answers(unit, n); ok {
					t.Errorf("the command %q could be an answer", n)
				}
			}
		}
	}
}

// TestKeysOfTheKoreanInputMethod: every letter has its jamo, and the keys work with it.
func TestKeysOfTheKoreanInputMethod(t *testing.T) {
	letters := map[string]bool{}
	for jamo := 'ㄱ'; jamo <= 'ㅣ'; jamo++ {
		if key := Pressed(string(jamo)); key != string(jamo) {
			letters[key] = true
		}
	}
	if len(letters) != 26 {
		t.Errorf("%d letters have a jamo", len(letters))
	}
	for jamo, want := range map[string]string{"ㅂ": "끝", "ㅠ": "뒤로", "ㅗ": "힌트", "ㅏ": "kubectl", "ㄹ": "값", "ㅊ": "계속", "ㅜ": "다음"} {
		if v, ok := verb(jamo); !ok || v.Names[0] != want {
			t.Errorf("%s is %v", jamo, v.Names)
		}
	}
}

// TestNobodyIsTalkedIntoAStep: a mistyped line suggests no verb that executes one.
func TestNobodyIsTalkedIntoAStep(t *testing.T) {
	for _, line := range []string{"나가기", "두개", "이", "abc", "nexr", "다움", "contin", "quut", "종로"} {
		var told []string
		p := &Play{talk: talk{yield: func(e Event) bool { told = append(told, fmt.Sprint(e)); return true }}}
		p.unknown(line, ForNext)
		for _, v := range Verbs() {
			for _, n := range v.Names {
				if v.moves && strings.Contains(strings.Join(told, ""), "혹시 '"+n+"'") {
					t.Errorf("%s: %v", line, told)
				}
			}
		}
	}
}

// still is a source that executes nothing.
type still struct{ info engine.Info }

func (still) Session() *engine.Session {
	return engine.NewSession(func(func(trace.Frame, error) bool) {})
}
func (s still) Info() engine.Info { return s.info }
func (still) LoadChanged() bool   { return false }

// TestWhenTimeIsReal: what a lesson says of real time is told there alone.
func TestWhenTimeIsReal(t *testing.T) {
	lesson := lessons.Lesson{Blocks: []lessons.Block{{Kind: lessons.When, Arg: lessons.Real, Text: "실제"}, {Kind: lessons.When, Arg: lessons.Simulated, Text: "가상"},
		{Kind: lessons.When, Arg: lessons.Policy, Text: "정책"}, {Kind: lessons.When, Arg: lessons.Webhook, Text: "웹훅"}, {Kind: lessons.Prose, Text: "둘 다"}}}
	for want, source := range map[string]Source{"가상 웹훅 둘 다": still{engine.Info{Simulated: true}}, "실제 웹훅 둘 다": still{}, "실제 정책 둘 다": still{engine.Info{Policy: true}}, "가상 웹훅 둘 다 ": nil} {
		var told []string
		for e := range New(Options{Lesson: lesson, Source: source, Save: func(state.Lesson) {}, Auto: true}).Events(t.Context()) {
			if prose, ok := e.(Prose); ok {
				told = append(told, prose.Text)
			}
		}
		if got := strings.Join(told, " "); got != strings.TrimSpace(want) {
			t.Errorf("told %q, want %q", got, want)
		}
	}
}

func TestFindStep(t *testing.T) {
	scenes := Scenes([]lessons.Block{
		{Kind: "prose", Text: "# 첫 문단"}, {Kind: "step", Arg: "hpa/1-metrics/query"}, {Kind: "predict", Arg: "proposal", Text: "?"},
		{Kind: "step", Arg: "hpa/2-replicas/proposal"}, {Kind: "continue", Arg: "change"}, {Kind: "continue", Arg: "pass"}, {Kind: "prose", Text: "끝 문단"},
	})
	for step, want := range map[string]int{"hpa/1-metrics/query": 0, "2-replicas/proposal": 1, "proposal": 1} {
		if n, ok := FindStep(scenes, step); !ok || n != want {
			t.Errorf("%s: %d %v", step, n, ok)
		}
	}
	if _, ok := FindStep(scenes, "hpa/9"); ok {
		t.Error("found a step that is not there")
	}
	if n := Executions(scenes); n != 4 || len(scenes) != 5 {
		t.Error(fmt.Sprint(n, len(scenes)))
	}
}

// TestStopsWithoutATerminal: a stop waits for what the face sends; a face that sends
// nothing, or turns away, ends the play.
func TestStopsWithoutATerminal(t *testing.T) {
	p := Between(lessons.Lesson{Title: "다음"})
	typed := []string{"?", "neext", ""}
	var told []string
	for e := range p.Events(t.Context()) {
		told = append(told, strings.TrimPrefix(fmt.Sprintf("%T", e), "play."))
		if _, ok := e.(Ask); ok {
			p.Type(typed[0])
			typed = typed[1:]
		}
	}
	if got := strings.Join(told, " "); got != "Note Ask Help Ask Note Ask" || p.Err() != nil {
		t.Errorf("told %s, ended with %v", got, p.Err())
	}
	for name, turnsAway := range map[string]bool{"sends nothing": false, "turns away": true} {
		p := Between(lessons.Lesson{})
		for range p.Events(t.Context()) {
			if turnsAway {
				break
			}
		}
		if !errors.Is(p.Err(), ErrQuit) {
			t.Errorf("a face that %s: %v", name, p.Err())
		}
	}
}

// TestVerdicts: what became of a prediction, on a cluster whose numbers are always the same and on
// one of which they are not.
func TestVerdicts(t *testing.T) {
	f := trace.Frame{Step: "l/1"}
	f.Add("n", "4", "")
	q := question{fact: "n", hints: []string{"힌트"}, line: 7}
	none := question{fact: "none", line: 8}
	for _, c := range []struct {
		q         question
		guess     string
		simulated bool
		want      Verdict
	}{
		{q, "넷", true, Verdict{Kind: Right, Fact: "n", Guess: "넷", Value: "4"}},
		{q, "4", false, Verdict{Kind: Right, Fact: "n", Guess: "4", Value: "4"}},
		{q, "5", true, Verdict{Kind: Wrong, Fact: "n", Guess: "5", Value: "4", Hints: q.hints}},
		{q, "5", false, Verdict{Kind: Differs, Fact: "n", Guess: "5", Value: "4"}},
		{q, "", true, Verdict{Kind: Answer, Fact: "n", Value: "4"}},
		{q, "", false, Verdict{Kind: Answer, Fact: "n", Value: "4"}},
		{none, "5", true, Verdict{Kind: Missing, Fact: "none", Guess: "5"}},
		{none, "5", false, Verdict{Kind: Unknown, Fact: "none", Guess: "5"}},
	} {
		var told Event
		p := &Play{talk: talk{yield: func(e Event) bool { told = e; return true }}, info: engine.Info{Simulated: c.simulated}}
		p.judge([]question{c.q}, []string{c.guess}, []trace.Frame{f})
		if !reflect.DeepEqual(told, Verdicts{c.want}) || (len(p.drift) > 0) != (c.want.Kind == Missing) {
			t.Errorf("%+v: %+v, drift %v", c, told, p.drift)
		}
		if len(p.drift) > 0 && p.drift[0].Line != c.q.line {
			t.Errorf("the line is %d", p.drift[0].Line)
		}
	}
}

// failing is a source on a real cluster whose steps fail; what is between them goes by.
type failing struct {
	still
	session *engine.Session
}

func (f failing) Session() *engine.Session { return f.session }

// TestFailuresInARow: what heals by itself is run again a few times in a row, and what has gone by
// in between makes it a new row. Nobody is asked where nobody can be.
func TestFailuresInARow(t *testing.T) {
	for fails, healed := range map[string]bool{"xxxx.": true, "xxxxx.": false, "xxx.xxx.xxxx.": true, "x.xxxxx.": false} {
		synctest.Test(t, func(t *testing.T) {
			s := failing{session: engine.NewSession(func(yield func(trace.Frame, error) bool) {
				for i, c := range fails {
					f, err := trace.Frame{Pass: i + 1, Step: "l/2-b/y"}, error(nil)
					if c == 'x' {
						err = apierrors.NewServiceUnavailable("later")
					}
					if !yield(f, err) {
						return
					}
				}
			})}
			defer s.session.Close()
			passes := lessons.Block{Kind: lessons.Continue, Arg: "pass", Max: fmt.Sprint(strings.Count(fails, "."))}
			p := New(Options{Lesson: lessons.Lesson{Blocks: []lessons.Block{passes}}, Loop: loop, Source: s, Auto: true, Save: func(state.Lesson) {}})
			began, troubles := time.Now(), 0
			for e := range p.Events(t.Context()) {
				if _, is := e.(Trouble); is {
					troubles++
				}
			}
			if tried := len(s.session.Frames()); (p.Err() == nil) != healed || healed && tried != len(fails) {
				t.Errorf("%s: %v after %d steps", fails, p.Err(), tried)
			}
			if waits := time.Since(began) / RetryAfter; healed && (int(waits) != troubles || troubles != strings.Count(fails, "x")) {
				t.Errorf("%s: told %d times, waited %d times", fails, troubles, waits)
			}
		})
	}
}

// TestWhyAValueIsUnknown: a step that says it had nothing to do is why.
func TestWhyAValueIsUnknown(t *testing.T) {
	idle := trace.Frame{Step: "vpa/7-admit/patch"}
	idle.Add("skipped", "웹훅이 불리지 않았습니다.", "")
	for why, frames := range map[string][]trace.Frame{"": {{Step: "vpa/1-usage/scrape"}}, "웹훅이 불리지 않았습니다.": {{Step: "vpa/6-admission/read"}, idle}} {
		var told Event
		p := &Play{talk: talk{yield: func(e Event) bool { told = e; return true }}}
		p.judge([]question{{fact: "scrapes"}}, []string{""}, frames)
		all, _ := told.(Verdicts)
		if len(all) != 1 || all[0].Kind != Unknown || all[0].Why != why || len(p.drift) > 0 {
			t.Errorf("%q: %+v, drift %v", why, all, p.drift)
		}
	}
}
