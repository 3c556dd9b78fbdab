// Package lines is the face of a play on a terminal that goes on line by line: for
// pipes, screen readers and plain terminals.
package lines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
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

// Prompts are what stands before the caret at a stop.
var Prompts = map[play.Stop]string{play.ForNext: "다음>", play.ForAnswer: "예측>", play.ForRepair: "다시>", play.ForReplay: "기록>"}

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
		f.Screen.Prompt(Prompts[ask.Stop])
		return nil
	}
	line, err := f.In.Ask(ctx, f.Screen, Prompts[ask.Stop])
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
		s.Title(e.Text)
	case play.Prose:
		s.Prose(e.Text)
	case play.Coming:
		s.Coming(Coming(e))
	case play.Question:
		s.Question(e.Text)
	case play.Note:
		s.Note(e.Text)
	case play.Hint:
		s.Hint(e.Text)
	case play.Executed:
		s.Step(view.StepView{Frame: e.Frame, Start: e.Start, Recorded: e.Recorded, Simulated: e.Simulated})
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
	case play.Verdicts:
		f.verdicts(e)
	case play.Kubectl:
		for _, l := range e.Access {
			s.Raw("  " + l)
		}
		if e.Executed {
			s.Kubectl(e.Frame)
		}
	case play.Facts:
		s.Facts(e.Frame)
	case play.Help:
		Help(s)
	case play.Trouble:
		s.Problem(e.What, e.Where, e.Hint)
	case play.Finished:
		s.Done(e.Text)
	default:
		f.replay(e)
	}
}

// Coming is what is about to happen, with how long that takes where it takes real time.
func Coming(e play.Coming) string {
	if e.Takes == 0 {
		return e.Text
	}
	return e.Text + fmt.Sprintf(" 실제 시간으로 %s쯤 걸립니다.", view.Duration(e.Takes))
}

// untold says of a value that a real cluster did not give whether nobody can know it, or
// there is none because the step had nothing to do.
func untold(label, why string) string {
	if why != "" {
		return fmt.Sprintf("이번에는 나오지 않은 값입니다: %s. %s", label, why)
	}
	return "이 클러스터에서는 알 수 없는 값입니다: " + label
}

func (f *Face) verdicts(all play.Verdicts) {
	s := f.Screen
	for _, v := range all {
		label := view.FactLabel(v.Fact)
		switch v.Kind {
		case play.Unknown:
			s.Note(untold(label, v.Why))
		case play.Missing:
			s.Note(fmt.Sprintf("질문한 값(%s)이 이번 단계에서 나오지 않았습니다.", v.Fact))
		case play.Answer:
			s.Answer(label, v.Value)
		case play.Right:
			s.Right(label, v.Value)
		case play.Differs:
			s.Note(fmt.Sprintf("예측하신 값은 %s, 이번에 실제로 나온 값은 %s입니다: %s. 실제 클러스터에서는 수업에 적힌 숫자와 달라질 수 있습니다.", v.Guess, view.FactValue(v.Value), label))
		case play.Wrong:
			s.Wrong(label, v.Guess, v.Value)
			for _, h := range v.Hints {
				s.Hint(h)
			}
		}
	}
	s.Blank()
}

// Help shows the verbs.
func Help(s *view.Screen) {
	var rows [][2]string
	for _, v := range play.Verbs() {
		rows = append(rows, [2]string{strings.Join(v.Names, ", "), v.Help})
	}
	help(s, rows, "질문에는 숫자(예: 4, 180%, 1.8)나 확장·축소·유지, 예·아니요로 답하시면 됩니다.")
}

func help(s *view.Screen, rows [][2]string, note string) {
	s.Section("명령")
	s.Pairs(rows)
	s.Note(note)
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
		passed = fmt.Sprintf(", 지나간 %s: %s", TimeWord(e.Simulated), view.Duration(e.Took))
	}
	s.Note(fmt.Sprintf("패스 %d번%s. 지나간 단계는 b로 다시 볼 수 있습니다.", t.rows, passed))
	s.Blank()
}

// TimeWord names the time of a loop.
func TimeWord(simulated bool) string {
	if simulated {
		return "가상 시간"
	}
	return "시간"
}
