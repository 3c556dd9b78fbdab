package engine_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

// taken is a loop of three others, of which two may be left out; due says in which pass.
func taken(due func(pass int, turn string) (bool, error)) engine.Defined[counter] {
	do := func(_ context.Context, s *counter, f *trace.Frame) error {
		if f.Step == "last/2" {
			s.n++
		}
		return nil
	}
	var table []engine.Step[counter]
	for _, id := range []trace.StepID{"up/1", "up/2", "down/1", "last/1", "last/2"} {
		table = append(table, engine.Step[counter]{ID: id, Actor: "a", Do: do})
	}
	d := engine.Define(engine.Definition{Name: "t", Turns: []string{"up", "down"}}, table, func(*counter) string { return "ns/x" }, func(*counter) time.Time { return time.Unix(0, 0) })
	d.Due = func(_ context.Context, s *counter, turn string) (bool, error) { return due(s.n+1, turn) }
	return d
}

// TestTurnsAreLeftOut: a turn that has nothing to do has no frame, and the others of the
// pass have theirs. It is asked once, before its first step.
func TestTurnsAreLeftOut(t *testing.T) {
	var asked []string
	d := taken(func(pass int, turn string) (bool, error) {
		asked = append(asked, turn)
		return turn == "last" || turn == "up" && pass == 2, nil
	})
	s := engine.NewSession(d.Loop(&counter{}).Run(t.Context(), 1))
	defer s.Close()
	frames, err := s.Continue(func(f trace.Frame) bool { return f.Pass == 3 })
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, f := range frames {
		steps = append(steps, string(f.Step))
	}
	if want := []string{"last/1", "last/2", "up/1", "up/2", "last/1", "last/2", "last/1"}; !slices.Equal(steps, want) {
		t.Errorf("steps %v, want %v", steps, want)
	}
	if want := []string{"up", "down", "last", "up", "down", "last", "up", "down", "last"}; !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
}

// TestTurnThatCannotTell: the first step of the turn has the error, and is run again.
func TestTurnThatCannotTell(t *testing.T) {
	fails := true
	d := taken(func(int, string) (bool, error) {
		if fails {
			fails = false
			return false, errors.New("broken")
		}
		return true, nil
	})
	s := engine.NewSession(d.Loop(&counter{}).Run(t.Context(), 1))
	defer s.Close()
	f, err := s.Next()
	if err == nil || f.Step != "up/1" || f.Err != "broken" {
		t.Errorf("%s: %q, %v", f.Step, f.Err, err)
	}
	if f, err = s.Next(); err != nil || f.Step != "up/1" {
		t.Errorf("then %s, %v", f.Step, err)
	}
}

// TestWhatMayComeNext: a step may follow another where only whole turns are between them
// that may be left out.
func TestWhatMayComeNext(t *testing.T) {
	d := taken(nil).Definition
	for _, c := range []struct {
		after, step int
		want        bool
	}{
		{-1, 0, true}, {-1, 2, true}, {-1, 3, true}, {-1, 1, false}, {-1, 4, false}, // a pass begins
		{0, 1, true}, {0, 2, false}, {0, 3, false}, // in the middle of a turn
		{1, 2, true}, {1, 3, true}, {2, 3, true}, {2, 0, false},
		{4, 0, true}, {4, 3, true}, {4, 1, false}, {4, 4, false}, // and the next
	} {
		if got := d.Next(c.after, c.step); got != c.want {
			t.Errorf("%d after %d: %t", c.step, c.after, got)
		}
	}
	if !d.MayBeLeftOut("up/2") || d.MayBeLeftOut("last/1") {
		t.Error("turns that may be left out")
	}
}

func TestFromAStepOn(t *testing.T) {
	table := taken(nil).Table
	if got := engine.From(table, "down/1"); len(got) != 3 || got[0].ID != "down/1" {
		t.Errorf("%d steps", len(got))
	}
	if got := engine.From(table, "no/1"); got != nil {
		t.Errorf("%d steps from one that is not there", len(got))
	}
}
