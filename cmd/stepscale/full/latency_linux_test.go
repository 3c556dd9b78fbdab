package full

import (
	"context"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// crowd is a play in which a hundred pods have moved, and that waits for keys.
type crowd struct{ face *Face }

func (c crowd) Events(context.Context) iter.Seq[play.Event] {
	return func(yield func(play.Event) bool) {
		for _, f := range crowded().frames {
			c.face.Frame(f)
		}
		yield(play.Ask{Stop: play.ForNext})
	}
}

func (crowd) Type(string) {}
func (crowd) Err() error  { return nil }

func playsCrowded(ctx context.Context) error {
	f := &Face{In: os.Stdin, Out: os.Stdout, Setting: Setting{Loop: loops()["hpa"], Simulated: true, Color: true}}
	return f.Play(ctx, crowd{f})
}

// BenchmarkKeyOnTerminal is a key, and the frame that it leads to on a pseudo-terminal of
// 200×60 with a hundred pods that move: all that a learner waits for.
func BenchmarkKeyOnTerminal(b *testing.B) {
	s := sit(b, "crowded")
	s.resize(200, 60)
	for !strings.Contains(s.text(), "Enter") { // it is waited for
		time.Sleep(10 * time.Millisecond)
	}
	s.settles()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		before := s.written()
		key := "\x1b[D"
		if i%40 >= 20 {
			key = "\x1b[C"
		}
		began := time.Now()
		if _, err := s.keys.WriteString(key); err != nil {
			b.Fatal(err)
		}
		for s.written() == before {
			time.Sleep(200 * time.Microsecond)
			if time.Since(began) > 5*time.Second {
				b.Fatal("the key changes nothing")
			}
		}
		took = append(took, time.Since(began))
		s.settles()
	}
	s.stop()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
}

// settles waits until nothing is written any more.
func (s *seat) settles() {
	for before := -1; before != s.written(); time.Sleep(40 * time.Millisecond) {
		before = s.written()
	}
}
