package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

type counter struct{ n int }

func loop(fail int) engine.Loop[counter] {
	do := func(_ context.Context, s *counter, f *trace.Frame) error {
		s.n++
		f.Add("n", fmt.Sprint(s.n), "")
		if s.n == fail {
			return errors.New("broken")
		}
		return nil
	}
	now := time.Unix(0, 0)
	return engine.Loop[counter]{
		Steps:   []engine.Step[counter]{{ID: "t/1", Actor: "a", Do: do}, {ID: "t/2", Actor: "b", Do: do}},
		State:   &counter{},
		Subject: "ns/x",
		Now:     func() time.Time { now = now.Add(time.Second); return now },
	}
}

func TestNextExecutesOneStepAndBackExecutesNone(t *testing.T) {
	l := loop(0)
	s := engine.NewSession(l.Run(t.Context(), 1))
	defer s.Close()
	for i, want := range []struct {
		pass int
		step trace.StepID
	}{{1, "t/1"}, {1, "t/2"}, {2, "t/1"}} {
		f, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if f.Pass != want.pass || f.Step != want.step || f.Subject != "ns/x" {
			t.Errorf("frame %d is %d %s %s, want %d %s", i, f.Pass, f.Step, f.Subject, want.pass, want.step)
		}
		if l.State.n != i+1 {
			t.Errorf("%d steps executed after %d times next", l.State.n, i+1)
		}
	}
	if f, ok := s.Back(); !ok || f.Pass != 1 || f.Step != "t/2" {
		t.Errorf("back shows %+v", f)
	}
	if s.Live() {
		t.Error("live after back")
	}
	if f, _ := s.Next(); f.Pass != 2 || l.State.n != 3 {
		t.Errorf("next after back executed: pass %d, %d steps", f.Pass, l.State.n)
	}
	if _, ok := s.Seek(99); ok {
		t.Error("seek beyond the end")
	}
}

func TestContinueStopsAtTheFrameThatSatisfies(t *testing.T) {
	s := engine.NewSession(loop(0).Run(t.Context(), 1))
	defer s.Close()
	frames, err := s.Continue(func(f trace.Frame) bool { return f.Pass == 3 })
	if err != nil || len(frames) != 5 {
		t.Fatalf("%d frames, %v; want 5", len(frames), err)
	}
}

func TestFailedStepKeepsItsFrameAndIsRunAgain(t *testing.T) {
	s := engine.NewSession(loop(2).Run(t.Context(), 1))
	defer s.Close()
	frames, err := s.Continue(func(trace.Frame) bool { return false })
	if err == nil || len(frames) != 2 || frames[1].Err != "broken" {
		t.Fatalf("%v, %+v", err, frames)
	}
	if f, err := s.Next(); err != nil || f.Step != frames[1].Step || f.Pass != 1 || f.Err != "" {
		t.Errorf("next after a failure: %+v, %v", f, err)
	}
	if f, err := s.Next(); err != nil || f.Pass != 2 {
		t.Errorf("and then: %+v, %v", f, err)
	}
}

func TestInterruptedContextStopsBeforeTheNextStep(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := loop(0)
	s := engine.NewSession(l.Run(ctx, 1))
	defer s.Close()
	if _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := s.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
	if l.State.n != 1 {
		t.Errorf("%d steps executed, want 1", l.State.n)
	}
}
