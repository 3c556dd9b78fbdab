package world

import (
	"context"
	"testing"
	"time"
)

// metronome is a pulse that beats when the test says so.
type metronome struct {
	revision int64
	newest   int64
	beats    chan int64
}

func (s *metronome) Beats(ctx context.Context, after int64) (int64, error) {
	if after < 0 {
		return 0, nil
	}
	select {
	case n := <-s.beats:
		return n, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (s *metronome) Newest(context.Context, string) (int64, error) { return s.newest, nil }

func (s *metronome) Revision(context.Context) (int64, error) { return s.revision, nil }

func TestKeepReadsAgainWhenTheStoreHasMoved(t *testing.T) {
	p := &metronome{revision: 7}
	for name, c := range map[string]struct {
		world *World
		want  int // reads of three, the store having moved before the third
	}{
		"with a pulse": {&World{Pulse: p}, 2},
		"without":      {&World{}, 3},
	} {
		p.revision = 7
		reads := 0
		for i := range 3 {
			if i == 2 {
				p.revision++
			}
			if _, err := Keep(t.Context(), c.world, "x", func() (int, error) { reads++; return reads, nil }); err != nil {
				t.Fatal(err)
			}
		}
		if reads != c.want {
			t.Errorf("%s: %d reads, want %d", name, reads, c.want)
		}
	}
}

// TestPollLooksAgainAtABeat: without one it would look again after pollReal only.
func TestPollLooksAgainAtABeat(t *testing.T) {
	p := &metronome{beats: make(chan int64, 1)}
	w := &World{Pulse: p}
	p.beats <- 1
	looks, start := 0, time.Now()
	err := w.Poll(t.Context(), 10*time.Second, func(context.Context) (bool, error) { looks++; return looks == 2, nil })
	if took := time.Since(start); err != nil || took >= pollReal {
		t.Errorf("%v after %s and %d looks", err, took, looks)
	}
}
