package play

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/lessons"
)

// sweeper is a room whose instructor asks for the pods, or has taken them.
type sweeper struct {
	*room
	asked, swept string
	unseen       bool
}

func (s *sweeper) Now(at Ahead) Said {
	said := s.room.Now(at)
	said.Asked, said.Swept, said.Unseen = s.asked, s.swept, s.unseen
	return said
}

func (s *sweeper) Told(p Progress) {
	s.room.Told(p)
	if p.Kept != "" && p.Kept == s.swept {
		s.swept = ""
	}
}

// swept plays a lesson, typing the lines, and tells what is noted.
func swept(t *testing.T, s *sweeper, revive func(context.Context) error, lines ...string) (notes string, err error) {
	t.Helper()
	p := New(Options{Lesson: predicting, Loop: loop, Source: tape(t, step("l/1-a/x", "1"), step("l/2-b/y", "4")), Save: func(state.Lesson) {}, Class: s, Revive: revive})
	for e := range p.Events(t.Context()) {
		switch e := e.(type) {
		case Ask:
			if len(lines) == 0 {
				lines = []string{Quit}
			}
			p.Type(lines[0])
			lines = lines[1:]
		case Note:
			notes += e.Text + "\n"
		case Executed:
			notes += string(e.Frame.Step) + "\n"
		}
	}
	return notes, p.Err()
}

// TestKeep: the answer is told with the question that it answers, also before a prediction;
// without a question there is nothing to answer.
func TestKeep(t *testing.T) {
	for _, lines := range [][]string{{"남기기"}, {"stay"}, {"", "남기기"}} {
		s := &sweeper{room: newRoom(), asked: "a7"}
		notes, _ := swept(t, s, nil, lines...)
		if last := s.told[len(s.told)-1]; last.Kept != "a7" || !strings.Contains(notes, "그대로 둡니다") {
			t.Errorf("%q: kept %q, %s", lines, last.Kept, notes)
		}
	}
	s := &sweeper{room: newRoom()}
	before := len(s.told)
	if notes, _ := swept(t, s, nil, "남기기"); len(s.told) != before+1 || !strings.Contains(notes, "묻는 강사가 없습니다") {
		t.Errorf("nobody asks: %s", notes)
	}
}

// TestRevived: pods that were taken come back before the next step, once, and the instructor
// hears of it; a lesson without any goes on.
func TestRevived(t *testing.T) {
	s := &sweeper{room: newRoom(), swept: "a7"}
	times := 0
	notes, err := swept(t, s, func(context.Context) error { times++; return nil }, "", "4", "")
	if err != nil || times != 1 || s.swept != "" {
		t.Errorf("%v, revived %d times, %q", err, times, s.swept)
	}
	if back, first := strings.Index(notes, "모두 돌아왔습니다"), strings.Index(notes, "l/1-a/x"); back < 0 || back > first {
		t.Errorf("not before the step: %s", notes)
	}
	broken := errors.New("no")
	s = &sweeper{room: newRoom(), swept: "a7"}
	if notes, err := swept(t, s, func(context.Context) error { return broken }, "", "4"); !errors.Is(err, broken) || strings.Contains(notes, "l/1-a/x") || s.swept == "" {
		t.Errorf("%v: %s", err, notes)
	}
	s = &sweeper{room: newRoom(), swept: "a7"}
	if notes, err := swept(t, s, nil, "", "4", ""); err != nil || strings.Contains(notes, "다시 띄") || s.swept != "" {
		t.Errorf("%v: %s", err, notes)
	}
}

// TestUnseen: who does not report raises no hand, and gives no answer.
func TestUnseen(t *testing.T) {
	s := &sweeper{room: newRoom(), unseen: true}
	notes, _ := swept(t, s, nil, "!", "투표")
	if last := s.told[len(s.told)-1]; last.Help || !strings.Contains(notes, "손을 들 수 없습니다") || !strings.Contains(notes, "투표하실 수 없습니다") {
		t.Errorf("help %t: %s", last.Help, notes)
	}
}

// TestStillThere: passes that are executed for a long time tell the class now and then that
// somebody is there.
func TestStillThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		p := &Play{Options: Options{Class: r, Loop: loop}, last: "x"}
		p.talk = talk{yield: func(Event) bool { return true }}
		p.session = tape(t, step("l/1-a/x", "1")).Session()
		passes := p.passes(lessons.Block{Kind: "continue", Arg: "pass"})
		one := passes.each()
		for range 20 {
			f := step("l/1-a/x", "1")
			f.Step = p.last
			one(f)
			time.Sleep(15 * time.Second)
		}
		if len(r.told) != 3 { // in five minutes, with the pass after each
			t.Errorf("told %d times", len(r.told))
		}
	})
}
