package play

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// room is a class whose instructor a test is.
type room struct {
	mu      sync.Mutex
	last    int // how many steps may be executed
	held    string
	freed   string
	news    []Event
	ballot  *Ballot
	changed chan struct{}
	told    []Progress
}

func (r *room) Told(p Progress) { r.told = append(r.told, p) }

func (r *room) Now(at Ahead) Said {
	r.mu.Lock()
	defer r.mu.Unlock()
	said := Said{News: r.news, Ballot: r.ballot, Changed: r.changed, Freed: r.freed}
	if r.news = nil; at.Done >= r.last {
		said.Held = r.held
	}
	return said
}

// says changes what the instructor says.
func (r *room) says(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	close(r.changed)
	r.changed = make(chan struct{})
}

// free holds nobody.
const free = 100

func newRoom() *room {
	return &room{last: free, held: "기다려 주십시오.", changed: make(chan struct{})}
}

var predicting = lessons.Lesson{ID: "l/01", Title: "수업", Blocks: []lessons.Block{{Kind: lessons.Step, Arg: "l/1-a/x"}, {Kind: "predict", Arg: "n", Text: "몇?"}, {Kind: lessons.Step, Arg: "l/2-b/y"}}}

// attended plays a lesson in a class. At each stop it does what was scripted for it: a text
// is typed, a function is the instructor's doing, after which Wake is sent as a face does.
func attended(t *testing.T, r *room, auto bool, script ...any) string {
	t.Helper()
	p := New(Options{Lesson: predicting, Loop: loop, Source: tape(t, step("l/1-a/x", "1"), step("l/2-b/y", "4")), Auto: auto, Save: func(state.Lesson) {}, Class: r})
	var all []string
	for e := range p.Events(t.Context()) {
		switch e := e.(type) {
		case Ask:
			if len(script) == 0 {
				return strings.Join(all, " ")
			}
			line := Wake
			switch next := script[0].(type) {
			case string:
				line = next
			case func():
				r.says(next)
				select {
				case <-e.Changed:
				default:
					t.Error("what was asked does not end when the instructor says something else")
				}
			}
			script = script[1:]
			p.Type(line)
			all = append(all, fmt.Sprintf("Ask%d", e.Stop))
		case Executed:
			all = append(all, string(e.Frame.Step))
		case Note:
			all = append(all, "Note("+strings.Fields(e.Text)[0]+")")
		case Ballot:
			all = append(all, "Ballot")
		case Tally:
			all = append(all, "Tally")
		}
	}
	if err := p.Err(); err != nil {
		all = append(all, "err:"+err.Error())
	}
	return strings.Join(all, " ")
}

// The stops as attended writes them.
const (
	next, answer, pace, vote = "Ask0", "Ask1", "Ask4", "Ask5"
)

// TestPaceHolds: a step behind the one that is held waits, also where the learner has typed
// 계속, and goes on by itself; the prediction before it is asked.
func TestPaceHolds(t *testing.T) {
	for name, c := range map[string]struct {
		last   int
		script func(*room) []any
		want   string
	}{
		"before the first": {0, func(r *room) []any { return []any{"", "", func() { r.last = free }, "4"} },
			next + " Note(기다려) " + pace + " Note(기다려) " + pace + " Note(강사가) l/1-a/x " + answer + " l/2-b/y"},
		"after the first": {1, func(r *room) []any { return []any{"", "4", func() { r.held = "다른 말" }, func() { r.last = free }} },
			next + " l/1-a/x " + answer + " Note(기다려) " + pace + " Note(다른) " + pace + " Note(강사가) l/2-b/y"},
		"nobody is heard any more": {0, func(r *room) []any {
			return []any{"", func() { r.last, r.freed = free, "끊긴 지 오래입니다." }, "4"}
		},
			next + " Note(기다려) " + pace + " Note(끊긴) l/1-a/x " + answer + " l/2-b/y"},
		"not by 계속": {1, func(r *room) []any { return []any{"c", "c", "c", "q"} },
			next + " l/1-a/x " + answer + " Note(기다려) " + pace + " Note(기다려) " + pace + " err:quit"},
		"keys are alive": {0, func(r *room) []any { return []any{"", "!", "banana", func() { r.last = free }, ""} },
			next + " Note(기다려) " + pace + " Note(강사의) " + pace + " Note(알) " + pace + " Note(강사가) l/1-a/x " + answer + " l/2-b/y"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom()
			r.last = c.last
			if got := attended(t, r, false, c.script(r)...); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestPaceHoldsAuto: nobody gets ahead of a class by typing nothing, nor by resuming.
func TestPaceHoldsAuto(t *testing.T) {
	for _, skip := range []int{0, 2} {
		r := newRoom()
		r.last = 1
		p := New(Options{Lesson: predicting, Skip: skip, Loop: loop, Source: tape(t, step("l/1-a/x", "1"), step("l/2-b/y", "4")), Auto: true, Save: func(state.Lesson) {}, Class: r})
		held := 0
		for e := range p.Events(t.Context()) {
			if n, ok := e.(Note); ok && n.Text == r.held {
				if held++; len(p.session.Frames()) != 1 {
					t.Errorf("held with %d steps executed", len(p.session.Frames()))
				}
				go r.says(func() { r.last = free })
			}
		}
		if held != 1 || p.Err() != nil || len(p.session.Frames()) != 2 {
			t.Errorf("skip %d: held %d times, %v, %d frames", skip, held, p.Err(), len(p.session.Frames()))
		}
	}
}

// TestInstructorSees: what a learner does is told, newest last, and the guess before the
// step that it is about.
func TestInstructorSees(t *testing.T) {
	r := newRoom()
	attended(t, r, false, "!", "", "넷", "")
	var seen []string
	for _, p := range r.told {
		seen = append(seen, fmt.Sprintf("%d/%d %s %s=%s open=%v help=%v done=%v", p.Steps, p.Total, p.Step, p.Question, p.Answer, p.Open, p.Help, p.Done))
	}
	want := []string{
		"0/2  = open=false help=false done=false",
		"0/2  = open=false help=true done=false",
		"1/2 l/1-a/x = open=false help=true done=false",
		"1/2 l/1-a/x n= open=true help=true done=false",
		"1/2 l/1-a/x n=4 open=true help=true done=false",
		"2/2 l/2-b/y n=4 open=false help=true done=false",
		"2/2 l/2-b/y n=4 open=false help=true done=true",
	}
	if got := strings.Join(seen, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// TestBallot: a vote is asked at once, wherever the learner stands; the stop that it came
// into is asked again.
func TestBallot(t *testing.T) {
	open := func(r *room) func() {
		return func() { r.ballot = &Ballot{ID: "v1/1", Text: "몇?", Choices: []string{"2", "3", "up"}} }
	}
	for name, c := range map[string]struct {
		script func(*room) []any
		want   string
		choice string
	}{
		"answered":     {func(r *room) []any { return []any{open(r), "9", "셋", ""} }, next + " Ballot " + vote + " Note(2,) " + vote + " Note(투표했습니다:) " + next + " l/1-a/x", "3"},
		"passed over":  {func(r *room) []any { return []any{open(r), "", ""} }, next + " Ballot " + vote + " Note(투표하지) " + next + " l/1-a/x", ""},
		"taken up":     {func(r *room) []any { return []any{open(r), "", "투표", "확장", ""} }, next + " Ballot " + vote + " Note(투표하지) " + next + " Ballot " + vote + " Note(투표했습니다:) " + next + " l/1-a/x", "up"},
		"closed":       {func(r *room) []any { return []any{open(r), func() { r.ballot = nil }, ""} }, next + " Ballot " + vote + " Note(강사가) " + next + " l/1-a/x", ""},
		"quits":        {func(r *room) []any { return []any{open(r), "q"} }, next + " Ballot " + vote + " err:quit", ""},
		"a hint":       {func(r *room) []any { return []any{func() { r.news = []Event{Note{"힌트 하나"}} }, ""} }, next + " Note(힌트) " + next + " l/1-a/x", ""},
		"nothing open": {func(r *room) []any { return []any{"투표", ""} }, next + " Note(지금) " + next + " l/1-a/x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom()
			if got := attended(t, r, false, c.script(r)...); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if last := r.told[len(r.told)-1]; last.Choice != c.choice {
				t.Errorf("voted %q, want %q", last.Choice, c.choice)
			}
		})
	}
}

// TestNoClass: outside of one, nobody looks on.
func TestNoClass(t *testing.T) {
	p := New(Options{Lesson: predicting, Loop: loop, Source: tape(t, step("l/1-a/x", "1"), step("l/2-b/y", "4")), Save: func(state.Lesson) {}})
	if got := told(p, t, "!", "투표", "", "4"); !strings.Contains(got, "Note Ask(투표) Note") || !errors.Is(p.Err(), nil) {
		t.Error(got, p.Err())
	}
}

func TestCanonical(t *testing.T) {
	for line, want := range map[string]string{"4": "4", "넷": "4", "4개": "4", "4.0": "4", "180 %": "180%", "확장": "scaleUp", "UP": "scaleUp", "네": "true", "spot-a": "spot-a"} {
		if got := Canonical(line); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// saying is an instructor who says one thing after the other, and the last for good.
type saying struct {
	all  []Said
	told []Progress
}

func (s *saying) Told(p Progress) { s.told = append(s.told, p) }

func (s *saying) Now(Ahead) Said {
	now := s.all[0]
	if len(s.all) > 1 {
		s.all = s.all[1:]
	}
	return now
}

// TestReleased: who was held is seen to go on, with the pods that were swept meanwhile.
func TestReleased(t *testing.T) {
	revived := 0
	c := &saying{all: []Said{{}, {Held: "기다려 주십시오."}, {Held: "기다려 주십시오."}, {Swept: "1"}, {}}}
	p := New(Options{Lesson: predicting, Loop: loop, Source: tape(t, step("l/1-a/x", "1"), step("l/2-b/y", "4")), Save: func(state.Lesson) {}, Class: c,
		Revive: func(context.Context) error { revived++; return nil }})
	answering(t, p, "", "", "4")
	held := ""
	for _, g := range c.told {
		held += fmt.Sprint(g.Held, " ")
	}
	if revived != 1 || !strings.Contains(held, "true false") || strings.HasSuffix(held, "true ") {
		t.Errorf("revived %d times, held %s", revived, held)
	}
}

// TestAnotherBallot takes the place of the one that was asked; a verb that moves passes it over.
func TestAnotherBallot(t *testing.T) {
	r := newRoom()
	r.ballot = &Ballot{ID: "1", Text: "?", Choices: []string{"예", "아니요"}}
	got := attended(t, r, false, func() { r.ballot = &Ballot{ID: "2", Text: "?", Choices: []string{"예", "아니요"}} }, "c", "q")
	if want := "Ballot " + vote + " Note(강사가) Ballot " + vote + " Note(투표하지) " + next; !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestNobodyLooksOn: an instructor who shows has no hand to raise, and there is no step behind
// the last.
func TestNobodyLooksOn(t *testing.T) {
	c := &saying{all: []Said{{Shows: true}}}
	p := New(Options{Lesson: predicting, Loop: loop, Source: tape(t, step("l/1-a/x", "1"), step("l/2-b/y", "4")), Save: func(state.Lesson) {}, Class: c})
	if got := answering(t, p, "!", "q"); !strings.Contains(got, "보고 있는 강사가 없습니다") || strings.Contains(fmt.Sprint(c.told), "Help:true") {
		t.Errorf("%s", got)
	}
	p.progress.Total = 2
	for name, want := range map[string]bool{"0": false, "1": true, "2": true, "3": false} {
		if _, ok := p.find(name); ok != want {
			t.Errorf("step %s: %t", name, ok)
		}
	}
}

// TestReplicasAreTheLastTold of the steps that were executed.
func TestReplicasAreTheLastTold(t *testing.T) {
	var frames []trace.Frame
	for _, n := range []string{"2", "4"} {
		f := trace.Frame{}
		f.Add("deploymentReplicas", n, "")
		frames = append(frames, f)
	}
	if n := replicasIn(append(frames, trace.Frame{})); n == nil || *n != 4 {
		t.Errorf("%v", n)
	}
}
