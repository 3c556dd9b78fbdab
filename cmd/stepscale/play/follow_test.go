package play

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// film is a demo of which the parts come at the stops of who follows.
type film struct {
	parts   []Event
	changed chan struct{}
}

func (f *film) Heard() ([]Event, <-chan struct{}) {
	all := f.parts
	f.parts = nil
	return all, f.changed
}

// shot is what goes to those who follow while a lesson is played with these answers, by
// the way that it goes.
func shot(t *testing.T, l lessons.Lesson, source Source, typed ...string) (all []Event) {
	t.Helper()
	send := func(e Event) {
		raw, err := EncodePart(e)
		if err != nil {
			t.Fatal(err)
		}
		e, err = DecodePart(raw)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	source.Session().Heard = func(f trace.Frame) { send(Public(f)) }
	p := New(Options{Lesson: l, Loop: loop, Source: source, Save: func(state.Lesson) {}})
	for e := range p.Events(t.Context()) {
		if told, ok := Mirrored(e); ok {
			send(told)
		}
		if _, ok := e.(Ask); ok && len(typed) > 0 {
			p.Type(typed[0])
			typed = typed[1:]
		}
	}
	return all
}

// followed follows a demo. At each stop, a text of the script is typed, and parts come.
func followed(t *testing.T, auto bool, first []Event, script ...any) string {
	t.Helper()
	d := &film{parts: first, changed: make(chan struct{})}
	f := Follow(d, Begun{Title: "수업"}, loop, auto, nil)
	defer f.Close()
	var all []string
	for e := range f.Events(t.Context()) {
		switch e := e.(type) {
		case Ask:
			if e.Stop != ForDemo || e.Changed == nil {
				t.Errorf("%+v", e)
			}
			if len(script) == 0 {
				continue
			}
			switch s := script[0].(type) {
			case string:
				f.Type(s)
			case []Event:
				d.parts = s
				f.Type(Wake)
			}
			script = script[1:]
		case Executed:
			all = append(all, fmt.Sprintf("Executed %s %v", e.Frame.Step, e.Recorded))
		case Help:
			all = append(all, fmt.Sprintf("Help %v", e.Following))
		case Pass:
			all = append(all, fmt.Sprintf("Pass of %d", len(e.Frames)))
		default:
			all = append(all, strings.TrimPrefix(fmt.Sprintf("%T%v", e, e), "play."))
		}
	}
	if next, more := f.Then(); more {
		all = append(all, "then "+next.Title)
	}
	return strings.Join(all, "\n")
}

// TestFollowersSeeTheSame: what the lesson says, asks and does, and nothing of who plays.
func TestFollowersSeeTheSame(t *testing.T) {
	l := predicting
	l.Blocks = append(slices.Clone(l.Blocks), lessons.Block{Kind: lessons.Continue, Arg: "pass"}, lessons.Block{Kind: lessons.Prose, Text: "끝"})
	second := func(id trace.StepID) trace.Frame { f := step(id, "5"); f.Pass = 2; return f }
	parts := shot(t, l, tape(t, step("l/1-a/x", "1"), step("l/2-b/y", "4"), second("l/1-a/x"), second("l/2-b/y")), "b", "", "7", "k", "f", "b", "")
	got := followed(t, true, append(parts, Over{}))
	want := `Title{수업 · 강사의 화면}
Coming{l/1-a/x 단계를 실행합니다. 0s}
Executed l/1-a/x false
Coming{l/2-b/y 단계를 실행합니다. 0s}
Question{몇? false}
Executed l/2-b/y false
Verdicts[{3 n  4 [] }]
Coming{이번 패스의 나머지를 실행합니다. 0s}
Running{}
Pass of 2
Passed{0s true}
Executed l/2-b/y false
Prose{끝}
Finished{수업을 마쳤습니다: 수업 [] }
Note{강사의 시연이 끝났습니다.}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestFollowersOnlyLook: they look back and forth, and are told why there is no more; a
// step that comes meanwhile is shown.
func TestFollowersOnlyLook(t *testing.T) {
	parts := shot(t, predicting, tape(t, step("l/1-a/x", "1"), step("l/2-b/y", "4")), "", "4")
	i := slices.IndexFunc(parts, func(e Event) bool { _, is := e.(Question); return is }) + 1
	got := followed(t, false, parts[:i], "", "n", "c", "갈래 target=7", "k", "b", "앞으로", "?", "xyz", "b", parts[i:], "b", "b", "", "b", "지금", "now", "q")
	for _, want := range []string{
		strings.Repeat("Note{"+onlyLooks+"}\n", 5) + "Executed l/1-a/x true\nNote{" + onlyLooks + "}\nHelp true\nNote{알 수 없는 명령입니다: xyz",
		"Executed l/2-b/y false\nVerdicts",
		"Executed l/2-b/y true\nExecuted l/1-a/x true\nExecuted l/2-b/y true\nNote{가장 최근 단계로 돌아왔습니다. 강사가 넘기면 이어집니다.}\nExecuted l/1-a/x true\nExecuted l/2-b/y true\nNote{가장 최근 단계로 돌아왔습니다. 강사가 넘기면 이어집니다.}\nNote{" + onlyLooks,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestFollowersComeLate: the step that is on the instructor's screen is shown at once, and
// those before it can be looked at.
func TestFollowersComeLate(t *testing.T) {
	l := lessons.Lesson{ID: "l/01", Title: "수업"}
	var frames []trace.Frame
	for i := range 9 {
		id := loop.StepIDs()[i%2]
		l.Blocks = append(l.Blocks, lessons.Block{Kind: lessons.Prose, Text: fmt.Sprint("글 ", i)}, lessons.Block{Kind: lessons.Step, Arg: string(id)})
		f := step(id, fmt.Sprint(i))
		f.Pass = i/2 + 1
		frames = append(frames, f)
	}
	parts := shot(t, l, tape(t, frames...), "", "", "", "", "", "", "")
	got := followed(t, false, append([]Event{Late{}}, parts...), "b", "b", "q")
	if strings.Contains(got, "글 5") || !strings.Contains(got, "앞의 6개는") {
		t.Error(got)
	}
	if _, after, _ := strings.Cut(got, "Prose{글 6}"); !strings.HasPrefix(strings.ReplaceAll(after, "\nComing{l/1-a/x 단계를 실행합니다. 0s}", ""), "\nExecuted l/1-a/x false\nProse{글 7}\nComing{l/2-b/y 단계를 실행합니다. 0s}\nExecuted l/1-a/x true\nExecuted l/2-b/y true") {
		t.Error(got)
	}
	if back := followed(t, false, append([]Event{Late{}}, parts...), "b", "b", "b", "지금", "q"); !strings.HasSuffix(back, "l/1-a/x true\nNote{가장 최근 단계로 돌아왔습니다. 강사가 넘기면 이어집니다.}") {
		t.Errorf("not back at once: %s", back)
	}
	// Of the first step all of it is shown; what came of a question is no part of the next step.
	if one := followed(t, false, append([]Event{Late{}}, parts[:4]...), "q"); strings.Contains(one, "앞의") || !strings.Contains(one, "글 0") {
		t.Error(one)
	}
	judged := slices.Insert(slices.Clone(parts), slices.IndexFunc(parts, func(e Event) bool { p, is := e.(Prose); return is && p.Text == "글 6" }), Event(Verdicts{{Fact: "n"}}))
	judged = slices.Insert(judged, 2, Event(Missed{}))
	if got := followed(t, false, append([]Event{Late{}}, judged...), "q"); strings.Contains(got, "Verdicts") || strings.Count(got, "받지 못했습니다") != 1 || !strings.Contains(got, "앞의 6개는") {
		t.Error(got)
	}
	// Who was away is told all of it.
	away := followed(t, false, parts[:3], parts[3:], "q")
	if strings.Contains(away, "앞의") || !strings.Contains(away, "글 3") {
		t.Error(away)
	}
}

// TestFollowersGoOn: the next lesson is another play.
func TestFollowersGoOn(t *testing.T) {
	got := followed(t, false, []Event{Begun{Title: "둘째"}}, "q")
	if got != "Title{수업 · 강사의 화면}\nthen 둘째" {
		t.Error(got)
	}
	got = followed(t, false, []Event{Missed{}, Failed{}, Over{}}, "b", "f", "q")
	for _, want := range []string{"받지 못했습니다", "강사가 다시 실행하면", "q로 끝내실 수", "아직 실행한 단계가 없습니다"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
}

// bits are a demo that comes bit by bit, each as soon as the one before was heard.
type bits [][]Event

func (b *bits) Heard() (all []Event, changed <-chan struct{}) {
	soon := make(chan struct{})
	if len(*b) > 0 {
		all, *b = (*b)[0], (*b)[1:]
		close(soon)
	}
	return all, soon
}

// TestFollowersWithoutKeys hear all of it, up to the end.
func TestFollowersWithoutKeys(t *testing.T) {
	f := Follow(&bits{{Prose{"하나"}}, {}, {Prose{"둘"}}, {Over{}}, {Prose{"다음"}}}, Begun{}, loop, true, nil)
	defer f.Close()
	got := ""
	for e := range f.Events(t.Context()) {
		got += fmt.Sprint(e)
	}
	if got != "{하나}{둘}{강사의 시연이 끝났습니다.}" || f.Err() != nil {
		t.Error(got, f.Err())
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waits := Follow(&film{changed: make(chan struct{})}, Begun{Title: "수업"}, loop, true, nil)
	defer waits.Close()
	for range waits.Events(ctx) {
		cancel()
	}
	if waits.Err() != context.Canceled {
		t.Error(waits.Err())
	}
}

// TestFollowersTurnAway: who reads no more waits for nothing more.
func TestFollowersTurnAway(t *testing.T) {
	f := Follow(&film{changed: make(chan struct{})}, Begun{Title: "수업"}, loop, true, nil)
	defer f.Close()
	for range f.Events(t.Context()) {
		break
	}
	if f.Err() != ErrQuit {
		t.Error(f.Err())
	}
}

// TestNothingPrivateIsShown: no command, path, server or message of the instructor's.
func TestNothingPrivateIsShown(t *testing.T) {
	const secret = "SECRET"
	f := trace.Frame{Pass: 1, Step: "l/1-a/x", Kubectl: "kubectl --kubeconfig " + secret, Inputs: []byte(`"` + secret + `"`), Err: "dial " + secret,
		Calls:   []trace.Call{{Verb: "POST", Path: "https://" + secret + ":8443/api/v1/pods?x=1"}, {Path: "/api/v1/pods"}, {Path: "://" + secret}},
		Waiting: []trace.Waiting{{Path: "https://" + secret + "/apis"}}}
	raw, err := EncodePart(Public(f))
	if err != nil || strings.Contains(string(raw), secret) || !strings.Contains(string(raw), "/api/v1/pods") {
		t.Errorf("%s, %v", raw, err)
	}
	if !strings.Contains(f.Calls[0].Path, secret) || f.Kubectl == "" {
		t.Error("the instructor's own frame was changed")
	}
	for _, e := range []Event{Note{secret}, Kubectl{Access: []string{secret}}, Facts{f}, Trouble{What: secret}, Again{Guess: secret}, Title{secret}, Ballot{Text: secret}, Finished{Next: secret},
		Executed{Frame: f, Recorded: true}, Executed{Frame: f}, Pass{Frames: []trace.Frame{f}}, Verdicts{{Kind: Wrong, Guess: secret, Hints: []string{secret}}}, Help{}} {
		told, ok := Mirrored(e)
		if !ok {
			continue
		}
		if raw, err := EncodePart(told); err != nil || strings.Contains(string(raw), secret) {
			t.Errorf("%T: %s, %v", e, raw, err)
		}
	}
}

// TestPartsComeAsTheyGo: every kind of part is read as it was written.
func TestPartsComeAsTheyGo(t *testing.T) {
	for _, e := range []Event{Begun{"수업", "l", true}, step("l/1-a/x", "1"), Prose{"글"}, Coming{"곧", time.Minute}, Question{"몇?", true}, Hint{"힌트"}, Shown{}, Running{}, Rowed{},
		Passed{time.Minute, true}, Verdicts{{Kind: Answer, Fact: "n", Value: "4"}}, Failed{}, Missed{}, Finished{"끝", []string{"하나"}, "다음"}} {
		raw, err := EncodePart(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodePart(raw)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%s is %#v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{`{"Quit":{}}`, `{"Prose":4}`, `[]`, `{}`, ``, `null`} {
		if got, err := DecodePart([]byte(raw)); err == nil {
			t.Errorf("%s is %#v", raw, got)
		}
	}
}
