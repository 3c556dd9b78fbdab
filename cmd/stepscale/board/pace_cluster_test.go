package board

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// ahead is a step that comes next in a lesson of ten.
func ahead(lesson string, done int) play.Ahead {
	return play.Ahead{Lesson: lesson, Done: done, Find: func(step string) (int, bool) {
		var n int
		_, err := fmt.Sscanf(step, "step-%d", &n)
		return n, err == nil
	}}
}

// hears waits until what the instructor says is so.
func hears(t *testing.T, l *Lesson, at play.Ahead, what string, is func(play.Said) bool) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		said := l.Now(at)
		if is(said) {
			return
		}
		select {
		case <-said.Changed:
		case <-late:
			t.Fatalf("%s: %+v", what, said)
		}
	}
}

// instructor says something, and the learners hear it: the pace, hints, and a vote in two
// rounds.
func instructor(t *testing.T, s *school) {
	pupils := s.pupils(t, 3)
	if err := s.SetPace(t.Context(), Pace{Step: "step-2", Reason: "같이 \x1b예측해 봅시다"}); err != nil {
		t.Fatal(err)
	}
	var all []*Lesson
	for _, p := range pupils {
		l := p.Open(t.Context())
		all = append(all, l)
		t.Cleanup(func() { _ = l.Close(context.Background()) })
		if said := l.Now(ahead("hpa/02", 3)); !strings.Contains(said.Held, "step-2") || !strings.Contains(said.Held, `같이 \x1b예측해`) {
			t.Errorf("the first step of who comes later is not held: %+v", said)
		}
		if said := l.Now(ahead("hpa/02", 2)); said.Held != "" {
			t.Errorf("the step itself is held: %+v", said)
		}
	}
	if err := s.SetPace(t.Context(), Pace{}); err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		hears(t, l, ahead("hpa/02", 3), "free", func(said play.Said) bool { return said.Held == "" })
	}
	hints(t, s, all)
	votes(t, s, pupils, all)
}

func hints(t *testing.T, s *school, all []*Lesson) {
	t.Helper()
	if err := s.SetHint(t.Context(), "s002", Hint{ID: "1", Text: "하나에게", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := s.SetHint(t.Context(), "s999", Hint{ID: "1"}); err != ErrNoSeat {
		t.Error(err)
	}
	texts := func(l *Lesson, want string) {
		t.Helper()
		hears(t, l, ahead("hpa/02", 0), want, func(said play.Said) bool { return fmt.Sprint(said.News) == want })
	}
	texts(all[1], "[{강사: 하나에게}]")
	if err := s.SetHint(t.Context(), "", Hint{ID: "2", Text: "모두에게", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		texts(l, "[{강사: 모두에게}]")
	}
}

func votes(t *testing.T, s *school, pupils []Learner, all []*Lesson) {
	t.Helper()
	w, _ := s.watch(t)
	v := Vote{ID: "v1", Round: 1, Question: "몇?", Choices: []string{"2", "3"}, Open: true}
	set := func() {
		t.Helper()
		if err := s.SetVote(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	set()
	for i, l := range all {
		hears(t, l, ahead("", 0), "a ballot", func(said play.Said) bool {
			return said.Ballot != nil && said.Ballot.ID == "v1/1" && !said.Ballot.Answered
		})
		if i == 0 {
			if _, err := pupils[0].Answer(t.Context(), "셋"); err != nil {
				t.Fatal(err)
			}
			if _, err := pupils[0].Answer(t.Context(), "9"); err != ErrNoChoice {
				t.Error(err)
			}
			continue
		}
		l.Told(play.Progress{Vote: "v1/1", Choice: "2"})
	}
	count := func() Tally {
		t.Helper()
		reports, err := s.Reports(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return v.Count(v.Round, reports)
	}
	b := until(t, w, "three votes", func(b Board) bool { return b.Vote != nil && b.Vote.Given == 3 })
	if text := fmt.Sprint(b.remarks()); !strings.Contains(text, "3명이 답했고") || strings.Contains(text, "2명") {
		t.Error(text)
	}
	if got := fmt.Sprint(count()); got != "{1 [{2 2} {3 1}]}" {
		t.Error(got)
	}
	v = v.Show(count())
	set()
	for _, l := range all {
		hears(t, l, ahead("", 0), "the counts", func(said play.Said) bool {
			return slices.ContainsFunc(said.News, func(e play.Event) bool { tally, ok := e.(play.Tally); return ok && len(tally.Counts) == 2 }) && said.Ballot == nil
		})
	}
	v = v.Again()
	set()
	hears(t, all[1], ahead("", 0), "the second round", func(said play.Said) bool { return said.Ballot != nil && said.Ballot.ID == "v1/2" })
	all[1].Told(play.Progress{Vote: "v1/2", Choice: "3"})
	until(t, w, "a vote of the second round", func(b Board) bool { return b.Vote.Round == 2 && b.Vote.Given == 1 })
	v.Open = false
	set()
	if _, err := pupils[2].Answer(t.Context(), "2"); err != ErrNoVote {
		t.Errorf("a vote that is closed: %v", err)
	}
	reports, _ := s.Reports(t.Context())
	if second := v.Count(2, reports); second.Given() != 1 {
		t.Errorf("who comes too late counts: %+v", second)
	}
	if first := v.Count(1, reports); first.Given() != 3 { // both rounds are kept
		t.Errorf("%+v", first)
	}
}

// wire is a way to the API server that can be cut.
type wire struct {
	net.Listener
	to string

	mu    sync.Mutex
	dead  bool
	conns []net.Conn
}

func lay(t *testing.T, to string) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, to: to}
	t.Cleanup(func() { w.cut(); _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.join(c)
		}
	}()
	return w
}

func (w *wire) join(near net.Conn) {
	far, err := net.Dial("tcp", w.to)
	w.mu.Lock()
	if err != nil || w.dead {
		w.mu.Unlock()
		_ = near.Close()
		return
	}
	w.conns = append(w.conns, near, far)
	w.mu.Unlock()
	go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
	_, _ = io.Copy(near, far)
	_ = near.Close()
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = false
}

// over is the config by the way of the wire.
func (w *wire) over(cfg *rest.Config) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.Host = "https://" + w.Addr().String()
	return cfg
}

// cut takes the API server away from a running class: what was known stays, the learners go
// on and stay held, and all of it comes together when it is back.
func cut(t *testing.T, s *school) {
	u, err := url.Parse(s.cfg.Host)
	if err != nil {
		t.Fatal(err)
	}
	line := lay(t, u.Host)
	s.pupils(t, 1)
	s.cfg = line.over(s.cfg)
	other := s.pupil(t, "s900") // by the wire
	w, _ := s.watch(t)
	if err := s.SetPace(t.Context(), Pace{Step: "step-2"}); err != nil {
		t.Fatal(err)
	}
	l := other.Open(t.Context())
	defer func() { _ = l.Close(context.Background()) }()
	l.Told(at(1))
	until(t, w, "step 1", func(b Board) bool { return row(b, other.Namespace).Steps == 1 })
	line.cut()
	l.Told(at(2))
	l.Told(at(3))
	b := until(t, w, "trouble", func(b Board) bool { return b.Trouble != "" })
	if row(b, other.Namespace).Steps != 1 || len(b.Rows) != 2 || !strings.Contains(fmt.Sprint(b.remarks()), "마지막으로 본 것") {
		t.Errorf("%+v", b)
	}
	hears(t, l, ahead("hpa/02", 3), "the fault, once", func(said play.Said) bool {
		return len(said.News) == 1 || said.Held == ""
	})
	if said := l.Now(ahead("hpa/02", 3)); said.Held == "" || len(said.News) > 0 {
		t.Errorf("%+v", said)
	}
	if err := s.SetPace(t.Context(), Pace{}); err != nil { // by another way
		t.Fatal(err)
	}
	line.mend()
	until(t, w, "the newest", func(b Board) bool { return row(b, other.Namespace).Steps == 3 && b.Trouble == "" })
	hears(t, l, ahead("hpa/02", 3), "free", func(said play.Said) bool { return said.Held == "" })
}
