// Package lines is the face of a play on a terminal that goes on line by line: for
// pipes, screen readers and plain terminals.
package lines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/wording"
)

// Face renders plays on a screen and sends them what is typed.
type Face struct {
	Screen *view.Screen
	In     *Reader          // nil where nobody types
	Heard  func(play.Event) // what is told of every event before it is shown; may be nil

	ticks  Ticks
	course []view.Tick // all passes of the lesson
	start  time.Time   // of the first
}

// Play renders it to its end.
func (f *Face) Play(ctx context.Context, p play.Script) error {
	for e := range p.Events(ctx) {
		if f.Heard != nil {
			f.Heard(e)
		}
		if ask, ok := e.(play.Ask); ok {
			if err := f.ask(ctx, p, ask); err != nil {
				return err
			}
		} else {
			f.Render(e)
		}
		if err := f.Screen.Err(); err != nil {
			return err
		}
	}
	return p.Err()
}

// ask sends a line. When there are no more, nothing is sent, and the play ends.
func (f *Face) ask(ctx context.Context, p play.Script, ask play.Ask) error {
	if f.In == nil {
		f.Screen.Prompt(wording.Prompts[ask.Stop])
		return nil
	}
	line, err := f.In.AskUntil(ctx, f.Screen, wording.Prompts[ask.Stop], ask.Changed)
	if errors.Is(err, ErrChanged) {
		line, err = play.Wake, nil
	}
	if errors.Is(err, io.EOF) {
		f.Screen.Blank()
		return nil
	}
	if err != nil {
		return err
	}
	p.Type(line)
	return nil
}

// Render shows an event that asks for nothing.
func (f *Face) Render(e play.Event) {
	s := f.Screen
	switch e := e.(type) {
	case play.Title:
		f.course = nil
		wording.Write(s, e)
	case play.Running:
		f.ticks = Ticks{}
	case play.Pass:
		tick := view.NewTick(e.Frames)
		f.course, f.start = append(f.course, tick), e.Start
		f.ticks.Row(s, tick, e.Start)
	case play.Passed:
		f.ticks.end(s, e)
		if f.ticks.rows > mostTickRows { // more than can be taken in row by row
			s.Course(f.course, f.start)
			s.Blank()
		}
	default:
		wording.Write(s, e)
	}
}

// mostTickRows is how many rows are shown before those that say the same are
// only counted.
const mostTickRows = 30

// Ticks writes one row per pass.
type Ticks struct {
	rows, skipped int
	last          view.Tick
}

// Row writes the row of a pass; start is the loop time of the first frame.
func (t *Ticks) Row(s *view.Screen, tick view.Tick, start time.Time) {
	if t.rows == 0 {
		s.Blank()
		s.TickHeader(tick)
	}
	t.rows++
	same := t.rows > mostTickRows && tick.Action == t.last.Action && tick.Desired == t.last.Desired && len(tick.Events) == 0
	t.last = tick
	if same {
		t.skipped++
		return
	}
	if t.skipped > 0 {
		s.Skipped(t.skipped)
		t.skipped = 0
	}
	s.Tick(tick, start)
}

func (t *Ticks) end(s *view.Screen, e play.Passed) {
	if t.skipped > 0 {
		s.Skipped(t.skipped)
	}
	passed := ""
	if e.Took >= time.Second { // the first pass has nothing before it to count from
		passed = fmt.Sprintf(", 지나간 %s: %s", wording.TimeWord(e.Simulated), view.Duration(e.Took))
	}
	s.Note(fmt.Sprintf("패스 %d번%s. 지나간 단계는 b로 다시 볼 수 있습니다.", t.rows, passed))
	s.Blank()
}
