package play

import (
	"fmt"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// defaultMax is how much loop time a continue may take when it names no limit.
const defaultMax = time.Hour

// execute runs the block on the session. each is called after every frame and
// may be nil. The frames that were executed come back even with an error.
func (p *Play) execute(b lessons.Block, each func(trace.Frame)) ([]trace.Frame, error) {
	if p.session == nil {
		return nil, &problem.Error{What: "이 수업에는 실행할 클러스터가 없습니다", Where: b.Arg}
	}
	p.latest()
	p.shownAgain = false
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
			return until(f) || p.left || p.ctx.Err() != nil
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
	if p.left {
		return frames, ErrQuit
	}
	p.checkEnd(b, frames)
	return frames, nil
}

// condition is when a block ends.
func (p *Play) condition(b lessons.Block) (func(trace.Frame) bool, error) {
	if b.Kind == "step" && b.Arg == "" { // whichever comes
		return func(trace.Frame) bool { return true }, nil
	}
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
	limit, err := most(b)
	if err != nil {
		return nil, err
	}
	var start time.Time
	return func(f trace.Frame) bool {
		if start.IsZero() {
			start = f.At
		}
		passEnd := f.Step == p.last
		switch {
		case b.Arg == "change" && p.Loop.Changed(f):
			return true
		case b.Arg == "load" && passEnd && p.Source.LoadChanged():
			return true
		}
		return passEnd && f.At.Sub(start) >= limit
	}, nil
}

// most is how much loop time a block may take.
func most(b lessons.Block) (time.Duration, error) {
	if b.Max == "" {
		return defaultMax, nil
	}
	limit, err := time.ParseDuration(b.Max)
	if err != nil || limit <= 0 {
		return 0, problem.Usage(fmt.Sprintf("continue의 한도를 읽을 수 없습니다: %s", b.Max), "10m처럼 적어 주십시오.")
	}
	return limit, nil
}

// limitOf is most of a block that has run, in words.
func limitOf(b lessons.Block) string {
	limit, _ := most(b)
	return "루프 시간 " + korean.Age(limit)
}

// checkEnd notes a block that ended for another reason than its own.
func (p *Play) checkEnd(b lessons.Block, frames []trace.Frame) {
	f := frames[len(frames)-1]
	switch {
	case b.Kind == "step" && b.Arg == "":
	case (b.Kind == "step" || b.ToStep()) && string(f.Step) != b.Arg && p.Loop.MayBeLeftOut(trace.StepID(b.Arg)):
		p.drifted(fmt.Sprintf("이번 패스에도 다음 패스에도 %s 단계의 차례가 오지 않았습니다. 할 일이 없었기 때문입니다.", b.Arg))
	case (b.Kind == "step" || b.ToStep()) && string(f.Step) != b.Arg:
		p.drifted(fmt.Sprintf("이 루프에는 %s 단계가 없습니다.", b.Arg))
	case p.silent:
	case (b.Kind == "step" || b.ToStep()) && len(frames) > 1:
		p.note(fmt.Sprintf("그 앞의 %d단계도 함께 실행했습니다. b로 다시 볼 수 있습니다.", len(frames)-1))
	case b.Arg == "change" && !p.Loop.Changed(f):
		p.drifted(limitOf(b) + " 동안 파드의 수도 크기도 바뀌지 않아 여기서 멈춥니다.")
	case b.Arg == "load" && !p.Source.LoadChanged():
		p.drifted(limitOf(b) + " 동안 부하가 바뀌지 않아 여기서 멈춥니다.")
	}
}

// pass is the pass of the frame executed last; 1 before the first.
func (p *Play) pass() int {
	frames := p.session.Frames()
	if len(frames) == 0 {
		return 1
	}
	return frames[len(frames)-1].Pass
}

// OfPass are the frames of one pass, which is the last of all frames.
func OfPass(frames []trace.Frame, pass int) []trace.Frame {
	n := len(frames)
	for n > 0 && frames[n-1].Pass == pass {
		n--
	}
	return frames[n:]
}

// passes tells of every pass while a continue runs; nil where a step does.
type passes struct {
	p         *Play
	b         lessons.Block
	first, at time.Time
	told      time.Time // the class that the learner is there
}

// stillThere is how often the class is told of a learner whose lesson executes passes by
// itself.
const stillThere = time.Minute

func (p *Play) passes(b lessons.Block) *passes {
	if b.Kind != "continue" || b.ToStep() {
		return nil
	}
	t := &passes{p: p, b: b, told: time.Now()}
	if p.session != nil {
		if frames := p.session.Frames(); len(frames) > 0 {
			t.first = frames[len(frames)-1].At
		}
	}
	p.tell(Running{})
	return t
}

func (t *passes) each() func(trace.Frame) {
	if t == nil {
		return nil
	}
	return func(f trace.Frame) {
		if t.first.IsZero() {
			t.first = f.At
		}
		t.at = f.At
		if f.Step == t.p.last || t.b.Arg == "change" && t.p.Loop.Changed(f) {
			t.p.tell(Pass{OfPass(t.p.session.Frames(), f.Pass), t.p.start()})
			if time.Since(t.told) > stillThere {
				t.told = time.Now()
				t.p.told(func(*Progress) {})
			}
		}
	}
}

func (t *passes) end() {
	if t != nil {
		t.p.tell(Passed{t.at.Sub(t.first), t.p.info.Simulated})
	}
}
