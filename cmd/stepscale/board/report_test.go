package board

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// shelf is a store that a test can take away.
type shelf struct {
	mu     sync.Mutex
	err    error
	hangs  bool
	takes  time.Duration
	tried  int
	flying int
	most   int // writes at a time
	got    []Report
}

func (s *shelf) Write(ctx context.Context, raw []byte) error {
	s.mu.Lock()
	s.tried++
	s.flying++
	s.most = max(s.most, s.flying)
	err, hangs, takes := s.err, s.hangs, s.takes
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.flying--
		s.mu.Unlock()
	}()
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	time.Sleep(takes)
	if err != nil {
		return err
	}
	var r Report
	if err := json.Unmarshal(raw, &r); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, r)
	return nil
}

func (s *shelf) is(err error, hangs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.hangs = err, hangs
}

func (s *shelf) last() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.got) == 0 {
		return Report{}
	}
	return s.got[len(s.got)-1]
}

func at(n int) play.Progress {
	return play.Progress{Lesson: "hpa/02", Step: fmt.Sprint("step-", n), Steps: n, Total: 100}
}

// TestOneWriteAStep: a step, what is asked next and a raised hand that come together are one
// write, and so is each step of a learner who takes longer than that.
func TestOneWriteAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		r := NewReporter(s, nil, nil)
		for n := range 10 {
			p := at(n)
			r.Told(p)
			time.Sleep(time.Millisecond)
			p.Question, p.Open = "desired", true
			r.Told(p)
			time.Sleep(3 * time.Second)
		}
		if err := r.Close(t.Context()); err != nil || len(s.got) != 10 || s.last().Question != "desired" {
			t.Errorf("%v, %d writes, %+v", err, len(s.got), s.last())
		}
	})
}

// TestNeverMoreThanOneInFlight: a store that is slower than the learner gets the newest.
func TestNeverMoreThanOneInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{takes: 2 * time.Second}
		r := NewReporter(s, nil, nil)
		for n := range 100 {
			began := time.Now()
			r.Told(at(n))
			if time.Since(began) != 0 {
				t.Fatal("the lesson has waited")
			}
			time.Sleep(100 * time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := r.Close(ctx); err != nil || s.most != 1 || len(s.got) > 7 || s.last().Steps != 99 {
			t.Errorf("%v, %d at a time, %d writes, at last %d", err, s.most, len(s.got), s.last().Steps)
		}
	})
}

// TestOffline: ten minutes without a network, refused, too many requests, an expired token:
// the lesson goes on, one failure is told, few requests are made, and what is newest is
// written when the cluster is back.
func TestOffline(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		hangs bool
		most  int // requests
	}{
		"refused":       {errors.New("connection refused"), false, 60},
		"too many":      {apierrors.NewTooManyRequests("later", 30), false, 24},
		"expired token": {apierrors.NewUnauthorized("expired"), false, 60},
		"no answer":     {nil, true, 60},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &shelf{err: c.err, hangs: c.hangs}
				told := 0
				r := NewReporter(s, nil, func(error) { told++ })
				for n := range 60 {
					r.Told(at(n))
					time.Sleep(10 * time.Second)
				}
				if told != 1 || s.tried > c.most || s.tried < 10 {
					t.Errorf("told %d times, %d requests", told, s.tried)
				}
				s.is(nil, false)
				time.Sleep(45 * time.Second) // a write that hangs, and the longest pause
				if got := s.last(); got.Steps != 59 || len(s.got) != 1 || got.Sent.Sub(got.Since) < 10*time.Second {
					t.Errorf("%d writes, at last %+v", len(s.got), got)
				}
				if err := r.Close(t.Context()); err != nil || len(s.got) != 1 {
					t.Errorf("%v, %d writes", err, len(s.got))
				}
			})
		})
	}
}

// TestLastReport: nothing is lost at the end, and the end does not wait for ever.
func TestLastReport(t *testing.T) {
	for name, c := range map[string]struct {
		back   time.Duration
		within bool
	}{"back in time": {2 * time.Second, true}, "not back": {time.Minute, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &shelf{err: errors.New("refused")}
				r := NewReporter(s, nil, nil)
				r.Told(at(1))
				time.Sleep(time.Minute) // it waits long by now
				r.Told(at(2))
				stop := time.AfterFunc(c.back, func() { s.is(nil, false) })
				defer stop.Stop()
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				err := r.Close(ctx)
				if (err == nil) != c.within || time.Since(began) > 5*time.Second || c.within && s.last().Steps != 2 {
					t.Errorf("%v after %v, %+v", err, time.Since(began), s.last())
				}
				if again := r.Close(t.Context()); (again == nil) != c.within {
					t.Errorf("closed again: %v", again)
				}
			})
		})
	}
}

// TestReportIsBounded: whatever is typed, and however many votes there were.
func TestReportIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		r := NewReporter(s, nil, nil)
		for n := range 200 {
			p := at(n)
			p.Answer = strings.Repeat("가", 5000)
			p.Vote, p.Choice = fmt.Sprintf("v%d/1", n), strings.Repeat("\"", 300)
			r.Told(p)
			time.Sleep(time.Second)
			if raw, _ := json.Marshal(s.last()); len(raw) > MaxReport {
				t.Fatalf("%d bytes", len(raw))
			}
		}
		if got := s.last(); got.Steps != 199 || got.Answer != strings.Repeat("가", mostWord/3) {
			t.Errorf("%+v", got)
		}
		_ = r.Close(t.Context())
	})
}

// TestVotesAreKept: over programs that end, and beside a lesson.
func TestVotesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		r := NewReporter(s, map[string]string{"v1/1": "3"}, nil)
		p := at(1)
		p.Vote, p.Choice = "v1/2", "4"
		r.Told(p)
		_ = r.Close(t.Context())
		raw, _ := json.Marshal(s.last())
		got, err := ReadReport(&corev1.ConfigMap{Data: map[string]string{Key: string(raw), KeyVotes: `{"v2/1":"5"}`}})
		if err != nil || fmt.Sprint(got.Votes) != "map[v1/1:3 v1/2:4 v2/1:5]" {
			t.Errorf("%v, %v", err, got.Votes)
		}
	})
}

// TestHostileReport: what somebody else wrote moves no terminal and fills no screen.
func TestHostileReport(t *testing.T) {
	read := func(json string) (Report, error) {
		return ReadReport(&corev1.ConfigMap{Data: map[string]string{Key: json}})
	}
	r, err := read(`{"lesson":"a\u001b[2J\nb","step":"\u202ex","answer":"` + strings.Repeat("A", 3000) + `","steps":900,"total":-3,"replicas":-1,"votes":{"v1/1":"\u0007"}}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{r.Lesson, r.Step, r.Answer, r.Votes["v1/1"]} {
		if strings.ContainsAny(text, "\x1b\n\a\u202e") || len(text) > mostWord {
			t.Errorf("%q", text)
		}
	}
	if r.Steps != 0 || r.Total != 0 || r.Replicas != nil {
		t.Errorf("%+v", r)
	}
	for _, bad := range []string{"{", `{"steps":"x"}`, `{"since":"yesterday"}`, `[1]`, `{"answer":"` + strings.Repeat("A", MaxReport) + `"}`} {
		if _, err := read(bad); err == nil {
			t.Errorf("%.40s is a report", bad)
		}
	}
	if r, err := read(""); err != nil || r.Lesson != "" {
		t.Errorf("empty: %+v %v", r, err)
	}
}
