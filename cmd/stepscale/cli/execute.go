package cli

import (
	"fmt"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// defaultMax is how much loop time a continue may take when it names no limit.
const defaultMax = time.Hour

// execute runs the block on the session. each is called after every frame and
// may be nil. The frames that were executed come back even with an error.
func (p *player) execute(b lessons.Block, each func(trace.Frame)) ([]trace.Frame, error) {
	if p.session == nil {
		return nil, &problem.Error{What: "이 수업에는 실행할 클러스터가 없습니다", Where: b.Arg}
	}
	p.latest()
	until, err := p.condition(b)
	if err != nil {
		return nil, err
	}
	var frames []trace.Frame
	for failures := 0; ; failures++ {
		run, err := p.session.Continue(func(f trace.Frame) bool {
			failures = 0
			if each != nil {
				each(f)
			}
			return until(f) || p.ctx.Err() != nil
		})
		frames = append(frames, run...)
		if err == nil {
			break
		}
		if !p.again(b.Arg, err, failures) {
			return frames, p.failed(b.Arg, err)
		}
	}
	if err := p.ctx.Err(); err != nil {
		return frames, err
	}
	p.checkEnd(b, frames)
	return frames, nil
}

// condition is when a block ends.
func (p *player) condition(b lessons.Block) (func(trace.Frame) bool, error) {
	if b.Kind == "step" || b.ToStep() {
		first := p.pass() + 1
		return func(f trace.Frame) bool { return string(f.Step) == b.Arg || f.Pass > first }, nil
	}
	if b.Arg == "pass" {
		left := b.Passes()
		return func(f trace.Frame) bool {
			if f.Step == p.last {
				left--
			}
			return left <= 0
		}, nil
	}
	limit := defaultMax
	if b.Max != "" {
		var err error
		if limit, err = time.ParseDuration(b.Max); err != nil || limit <= 0 {
			return nil, problem.Usage(fmt.Sprintf("continue의 한도를 읽을 수 없습니다: %s", b.Max), "10m처럼 적어 주십시오.")
		}
	}
	var start time.Time
	return func(f trace.Frame) bool {
		if start.IsZero() {
			start = f.At
		}
		passEnd := f.Step == p.last
		switch {
		case b.Arg == "change" && scaled(f):
			return true
		case b.Arg == "load" && passEnd && p.stage.LoadChanged():
			return true
		}
		return passEnd && f.At.Sub(start) >= limit
	}, nil
}

// scaled tells whether the frame changed the pods' number or size: the
// autoscaler's own status changes on every pass and does not count.
func scaled(f trace.Frame) bool {
	for _, l := range loops {
		if l.Changed(f) {
			return true
		}
	}
	return false
}

// checkEnd notes a block that ended for another reason than its own.
func (p *player) checkEnd(b lessons.Block, frames []trace.Frame) {
	f := frames[len(frames)-1]
	switch {
	case (b.Kind == "step" || b.ToStep()) && string(f.Step) != b.Arg:
		p.drifted(fmt.Sprintf("이 루프에는 %s 단계가 없습니다.", b.Arg))
	case p.silent:
	case (b.Kind == "step" || b.ToStep()) && len(frames) > 1:
		p.screen.Note(fmt.Sprintf("그 앞의 %d단계도 함께 실행했습니다. back으로 볼 수 있습니다.", len(frames)-1))
	case b.Arg == "change" && !scaled(f):
		p.drifted("정해진 시간 안에 파드의 수도 크기도 바뀌지 않았습니다.")
	case b.Arg == "load" && !p.stage.LoadChanged():
		p.drifted("정해진 시간 안에 부하가 바뀌지 않았습니다.")
	}
}

// pass is the pass of the frame executed last; 1 before the first.
func (p *player) pass() int {
	frames := p.session.Frames()
	if len(frames) == 0 {
		return 1
	}
	return frames[len(frames)-1].Pass
}

// maxTickRows is how many rows are shown before those that say the same are
// only counted.
const maxTickRows = 30

// ticker writes one row per pass while a continue runs.
type ticker struct {
	rows, skipped int
	last          view.Tick
	first, at     time.Time
	on            bool
}

func (t *ticker) of(p *player, b lessons.Block) func(trace.Frame) {
	t.on = b.Kind == "continue" && !b.ToStep()
	if !t.on {
		return nil
	}
	if frames := p.session.Frames(); len(frames) > 0 {
		t.first = frames[len(frames)-1].At
	}
	return func(f trace.Frame) {
		if t.first.IsZero() {
			t.first = f.At
		}
		t.at = f.At
		if f.Step == p.last || b.Arg == "change" && scaled(f) {
			t.row(p.screen, passTick(p.session.Frames(), f.Pass), p.start())
		}
	}
}

// timeWord names the time of a loop.
func timeWord(simulated bool) string {
	if simulated {
		return "가상 시간"
	}
	return "시간"
}

// passTick sums up one pass out of all frames.
func passTick(frames []trace.Frame, pass int) view.Tick {
	n := len(frames)
	for n > 0 && frames[n-1].Pass == pass {
		n--
	}
	return view.NewTick(frames[n:])
}

func (t *ticker) row(s *view.Screen, tick view.Tick, start time.Time) {
	if t.rows == 0 {
		s.Blank()
		s.TickHeader(tick)
	}
	t.rows++
	same := t.rows > maxTickRows && tick.Action == t.last.Action && tick.Desired == t.last.Desired
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

func (t *ticker) end(p *player) {
	if !t.on {
		return
	}
	if t.skipped > 0 {
		p.screen.Skipped(t.skipped)
	}
	passed := ""
	if d := t.at.Sub(t.first); d >= time.Second { // the first pass has nothing before it to count from
		passed = fmt.Sprintf(", 지나간 %s: %s", timeWord(p.info.Simulated), view.Duration(d))
	}
	p.screen.Note(fmt.Sprintf("틱 %d번%s. 지나간 단계는 back으로 볼 수 있습니다.", t.rows, passed))
	p.screen.Blank()
}
