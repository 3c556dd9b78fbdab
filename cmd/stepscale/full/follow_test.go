package full

import (
	"iter"
	"regexp"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/trace"
)

// shown is a demo whose parts a test has in hand.
type shown struct {
	parts   []play.Event
	changed chan struct{}
}

func (s *shown) Heard() ([]play.Event, <-chan struct{}) {
	all := s.parts
	s.parts = nil
	return all, s.changed
}

// mirrored is what goes to those who follow, of a lesson that is played on a screen.
func mirrored(t *testing.T, name string) (*learner, []play.Event) {
	t.Helper()
	l := &learner{t: t}
	var parts []play.Event // by the way that they go
	send := func(e play.Event) {
		raw, err := play.EncodePart(e)
		if err != nil {
			t.Fatal(err)
		}
		if e, err = play.DecodePart(raw); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, e)
	}
	frames := 0
	l.told = func(e play.Event) {
		for ; frames < len(l.m.frames); frames++ {
			send(play.Public(l.m.frames[frames]))
		}
		if told, ok := play.Mirrored(e); ok {
			send(told)
		}
	}
	l.plays(name, sizes[1], nil)
	return l, parts
}

// follower is the screen of one who follows; the keys are what a test sends.
type follower struct {
	learner
	from *shown
	play *play.Following
	next func() (play.Event, bool)
}

func newFollower(t *testing.T, name string) *follower {
	t.Helper()
	lesson, err := lessonOf(name)
	if err != nil {
		t.Fatal(err)
	}
	loop := loops()[lesson.Loop]
	f := &follower{learner: learner{t: t}, from: &shown{changed: make(chan struct{})}}
	f.m = New(Setting{Loop: loop, Simulated: true, Follows: true}, func(line string) { f.sent = append(f.sent, line) })
	f.update(sizes[1])
	f.play = play.Follow(f.from, play.Begun{Title: lesson.Title, Simulated: true}, loop, false, func(x trace.Frame) { f.update(Framed{x}) })
	next, stop := iter.Pull(f.play.Events(t.Context()))
	f.next = next
	t.Cleanup(func() { stop(); f.play.Close() })
	f.comes()
	return f
}

// comes is what happens when parts come, or a line was sent: up to the next stop.
func (f *follower) comes(parts ...play.Event) {
	f.t.Helper()
	if f.from.parts = parts; len(parts) > 0 {
		f.wake()
	}
	for {
		e, ok := f.next()
		if !ok {
			return
		}
		f.update(Told{e})
		if _, stops := e.(play.Ask); stops {
			return
		}
	}
}

func (f *follower) wake() {
	f.t.Helper()
	asked := make(chan bool, 1)
	next, cmd := f.m.Update(woken{asked})
	f.m = next.(Model)
	if run(cmd); !<-asked {
		f.t.Fatal("nothing was asked")
	}
	f.play.Type(play.Wake)
}

// types presses a key, and has the play answer what it sends.
func (f *follower) types(key string) {
	f.t.Helper()
	sent := len(f.sent)
	if f.press(key); len(f.sent) > sent {
		f.play.Type(f.sent[sent])
		f.comes()
	}
}

func (f *follower) shows(want string) {
	f.t.Helper()
	if !strings.Contains(packed(plain(f.m)), packed(want)) {
		f.t.Errorf("no %q in\n%s", want, plain(f.m))
	}
}

// TestFollowersSeeTheSameScreen: all that a lesson says and does is on the screen of who
// follows, as on the instructor's.
func TestFollowersSeeTheSameScreen(t *testing.T) {
	for _, name := range recordings(t) {
		l, parts := mirrored(t, name)
		f := newFollower(t, name)
		for len(parts) > 0 { // up to each question or step
			n := 1 + slices.IndexFunc(parts, func(e play.Event) bool {
				switch e.(type) {
				case play.Question, play.Shown:
					return true
				}
				return false
			})
			if n == 0 {
				n = len(parts)
			}
			f.comes(parts[:n]...)
			fits(t, f.m)
			if q, asks := parts[n-1].(play.Question); asks {
				f.m.focus = story
				f.shows(q.Text)
			}
			parts = parts[n:]
		}
		if len(f.m.frames) != len(l.m.frames) || f.m.now != l.m.now || len(f.m.stories) != len(l.m.stories) || len(f.m.deeds) != len(l.m.deeds) {
			t.Fatalf("%s: %d frames, %d pages and %d deeds, not %d, %d and %d", name, len(f.m.frames), len(f.m.stories), len(f.m.deeds), len(l.m.frames), len(l.m.stories), len(l.m.deeds))
		}
		for i := range l.m.stories[:len(l.m.stories)-1] { // the last one has the results
			if a, b := l.m.stories[i].lines(80, false), f.m.stories[i].lines(80, false); !slices.Equal(a, b) {
				t.Errorf("%s: page %d is\n%s\nnot\n%s", name, i, strings.Join(b, "\n"), strings.Join(a, "\n"))
			}
		}
		for i := range l.m.deeds {
			if a, b := deedOf(l.m, i), deedOf(f.m, i); a != b {
				t.Errorf("%s: deed %d is\n%s\nnot\n%s", name, i, b, a)
			}
		}
	}
}

// deedOf is what a step did, without what became of anybody's guess.
func deedOf(m Model, i int) string {
	lines := slices.DeleteFunc(strings.Split(ansi.Strip(strings.Join(m.deeds[i].lines(200, false), "\n")), "\n"), func(l string) bool {
		l = strings.TrimSpace(l)
		return strings.HasPrefix(l, "✔ 맞았습니다") || strings.HasPrefix(l, "· 답:")
	})
	return server.ReplaceAllString(strings.Join(lines, "\n"), "/")
}

// server is where the webhook is, which is not told to anybody.
var server = regexp.MustCompile(`https://[0-9.:]+/`)

// TestFollowersLookBack: at what they like, while steps come; they are told why there is no
// next one, and every key that is offered does something.
func TestFollowersLookBack(t *testing.T) {
	const name = "hpa-02-control-loop"
	_, parts := mirrored(t, name)
	f := newFollower(t, name)
	third := 0
	for i, e := range parts {
		if _, is := e.(play.Shown); is {
			if third++; third == 3 {
				third = i + 1
				break
			}
		}
	}
	f.comes(parts[:third]...)
	f.types("enter")
	f.types("n")
	f.shows("단계는 강사만 실행하고")
	f.types("left")
	f.types("left")
	at := f.m.cursor
	f.m.scroll[deed] = 3
	f.shows("지나간 기록")
	f.comes(parts[third : third+20]...)
	if f.m.cursor != at || f.m.now <= at+2 {
		t.Errorf("at %d of %d, not at %d", f.m.cursor, f.m.now, at)
	}
	if f.m.scroll[deed] != 3 {
		t.Errorf("who reads is taken to line %d", f.m.scroll[deed])
	}
	f.types("right")
	if f.m.cursor != at+1 {
		t.Errorf("→ leads from %d to %d", at, f.m.cursor)
	}
	for _, back := range []string{"end", "enter", "n", "ㅜ", ":지금|enter", ":다음|enter"} {
		f.types("left")
		f.types("left")
		for key := range strings.SplitSeq(back, "|") {
			f.types(key)
		}
		if f.m.past() {
			t.Errorf("%s does not lead to now", back)
		}
	}
	f.types("left")
	f.types("left")
	f.types(":앞으로")
	if f.types("enter"); f.m.cursor != f.m.now-1 {
		t.Errorf("앞으로 leads from %d to %d", f.m.now-2, f.m.cursor)
	}
	f.types(":뒤로")
	if f.types("enter"); f.m.cursor != f.m.now-2 {
		t.Errorf("뒤로 leads from %d to %d", f.m.now-1, f.m.cursor)
	}
	f.shows("Enter 지금으로")
	f.types("end")
	f.types("?")
	f.update(tea.WindowSizeMsg{Width: 200, Height: 60})
	for _, row := range []string{"Enter, n 글을 더 읽고, 지나간 단계를 보고 계시면 지금으로", "→ 지나간 단계를 하나씩 앞으로", "End 지금으로"} {
		f.shows(row)
	}
	f.update(sizes[1])
	f.types("esc")
	f.types("end")
	if f.m.past() {
		t.Error("End does not lead to now")
	}
	f.m.scroll[deed] = 3
	f.comes(parts[third+20 : third+40]...)
	if f.m.scroll[deed] != 0 {
		t.Errorf("who looks at now is at line %d of what was done", f.m.scroll[deed])
	}
	for key, want := range map[string]string{"f": "이 단계가 읽고 계산한 값", "a": "이 단계의 API 호출", "?": "따라가기를 끝냅니다", "g": "패스마다의 흐름"} {
		f.types(key)
		if f.shows(want); key == "?" && strings.Contains(plain(f.m), "진도를 저장") {
			t.Error("there is nothing to save")
		}
		f.types("esc")
	}
	f.types("c")
	for _, size := range sizes {
		f.update(size)
		for _, no := range []string{"c 계속", "k kubectl", "예측>", "Enter 다음 단계"} {
			if strings.Contains(plain(f.m), no) {
				t.Errorf("%q is offered:\n%s", no, plain(f.m))
			}
		}
		fits(t, f.m)
	}
	f.comes(play.Over{})
	f.shows("강사의 시연이 끝났습니다")
	f.types("q")
	if f.play.Err() != play.ErrQuit {
		t.Errorf("ended with %v", f.play.Err())
	}
}

// TestFollowersDoNotSeeAhead: a frame that has come is on nobody's screen before the instructor's
// shows it: it is the answer to the question that is asked.
func TestFollowersDoNotSeeAhead(t *testing.T) {
	const name = "hpa-02-control-loop"
	_, parts := mirrored(t, name)
	f := newFollower(t, name)
	hidden := 0
	for len(parts) > 0 {
		n := 1 + slices.IndexFunc(parts, func(e play.Event) bool { _, is := e.(trace.Frame); return is })
		if n == 0 {
			break
		}
		f.comes(parts[:n]...)
		parts = parts[n:]
		if len(parts) == 0 {
			break
		}
		if _, shown := parts[0].(play.Shown); !shown {
			continue // one of several that are shown together
		}
		hidden++
		if last := len(f.m.frames) - 1; f.m.now >= last || f.m.cursor >= last {
			t.Fatalf("frame %d is shown before its time", last)
		}
		f.comes(parts[0])
		if parts = parts[1:]; f.m.now != len(f.m.frames)-1 {
			t.Fatalf("frame %d is not shown", len(f.m.frames)-1)
		}
	}
	if hidden < 5 {
		t.Errorf("only %d frames have come before they were shown", hidden)
	}
}
