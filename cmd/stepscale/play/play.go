// Package play is what a learner does with a lesson: a state machine without a terminal.
// It knows scenes, questions, verdicts and retries; it never prints and never reads a
// key. A face renders its events and sends what the learner does.
package play

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// ErrQuit ends the play on the learner's wish; it is no failure.
var ErrQuit = errors.New("quit")

// Source is where a play's frames come from: a cluster with a loop in hand, or a
// recording.
type Source interface {
	Session() *engine.Session
	Info() engine.Info
	// LoadChanged tells whether the load offered at the next pass differs from that of
	// the last executed pass.
	LoadChanged() bool
}

// Options are what a play is made of.
type Options struct {
	Lesson lessons.Lesson
	Skip   int               // so many executing scenes are executed silently
	Loop   engine.Definition // of the lesson
	Source Source            // nil when the lesson executes nothing
	// Recorded is the recording that the lesson is about, where it is about one; nil else.
	Recorded *ReplayOptions
	Auto     bool // play without stops
	// SecondTry gives the hints and asks once more where a prediction is wrong.
	SecondTry bool
	After     string // what Enter does after the lesson; empty: the lesson does not stop at its end
	Next      string // what comes after the lesson; empty where nothing does
	Save      func(state.Lesson)
	Class     Class // nil where nobody looks on
	// Revive brings pods back that somebody has taken; nil where nobody can.
	Revive func(ctx context.Context) error

	// Branch opens the same scenario on a cluster of its own; nil where it cannot, and
	// NoBranch says why.
	Branch   func(ctx context.Context) (*Branch, error)
	NoBranch string
	// CheckEdit reads what is to be changed in a branch; the error's text is Korean.
	CheckEdit func(ctx context.Context, sets []string) error
	// Word says in Korean why a step failed; problem.OfStep when nil.
	Word func(ctx context.Context, where string, err error) error
}

// Play is one lesson that is played.
type Play struct {
	Options
	talk

	session    *engine.Session
	branch     *branch  // nil in a play that is no branch of another
	recorded   *replays // nil in a lesson of a cluster
	info       engine.Info
	last       trace.StepID // the last step of the loop's pass
	silent     bool         // fast-forward
	running    bool         // continue was typed: do not stop before the next question
	hints      []string     // of where the learner stands
	cursor     int          // index of the frame shown last
	asked      *question    // that waits for its answer
	shownAgain bool         // the step executed last was shown once more
	drift      []Miss       // what the lesson says and the cluster does not do
	line       int          // of lesson.md, of the block that is played
	scenes     []scene      // of the lesson
	progress   Progress     // as the class knows it
	voted      string       // the ballot that the learner was asked to answer last
	recast     bool         // and asks for again
}

// New is the play of a lesson.
func New(o Options) *Play {
	p := &Play{Options: o}
	p.script = p.lesson
	if o.Source != nil {
		p.session, p.info = o.Source.Session(), o.Source.Info()
	}
	if o.Recorded != nil { // whose numbers are always the same
		p.recorded, p.info.Simulated = newReplays(*o.Recorded), true
	}
	if ids := o.Loop.StepIDs(); len(ids) > 0 {
		p.last = ids[len(ids)-1]
	}
	return p
}

// Between asks before the next lesson begins.
func Between(next lessons.Lesson) *Play {
	p := &Play{}
	p.script = func() error {
		p.note("다음 수업: " + next.Title)
		_, err := p.ask(ForNext)
		return err
	}
	return p
}

// Drift is what the lesson says and the cluster did not do.
func (p *Play) Drift() (texts []string) {
	for _, m := range p.drift {
		texts = append(texts, m.Text)
	}
	return texts
}

// conditions are what holds of the cluster: nobody has another than the embedded one in
// mind who reads without any.
func (p *Play) conditions() []string {
	time, admission := lessons.Simulated, lessons.Webhook
	if p.Source != nil && !p.info.Simulated || p.recorded != nil && !p.Recorded.Recording.Header.Virtual {
		time = lessons.Real
	}
	if p.info.Policy {
		admission = lessons.Policy
	}
	return []string{time, admission}
}

// lesson plays all of it.
func (p *Play) lesson() error {
	l := p.Lesson
	scenes := Scenes(l.Told(p.conditions()...))
	total, done := Executions(scenes), 0
	p.scenes = scenes
	p.tell(Title{l.Title})
	p.told(func(g *Progress) { *g = Progress{Lesson: l.ID, Total: total} })
	if p.Skip > 0 {
		how := "빠르게 실행합니다."
		if p.Source != nil && !p.info.Simulated {
			how = "실행합니다. 실제 시간이 걸립니다."
		}
		text := fmt.Sprintf("클러스터가 새것이므로 앞의 %d단계를 먼저 %s", p.Skip, how)
		if p.recorded != nil {
			text = fmt.Sprintf("기록에서 앞의 %d단계를 지나 이어집니다.", p.Skip)
		}
		p.note(text)
	}
	for _, sc := range scenes {
		if p.silent = done < p.Skip; p.silent {
			if sc.exec != nil {
				if err := p.held(); err != nil {
					return err
				}
				frames, err := p.forward(*sc.exec)
				if err != nil {
					return err
				}
				done++
				p.stepped(*sc.exec, frames)
			}
			continue
		}
		if err := p.scene(sc); err != nil {
			return err
		}
		if sc.exec != nil {
			done++
			p.Save(state.Lesson{Steps: done, Total: total, Step: sc.exec.Arg})
		}
		if p.left {
			return ErrQuit
		}
	}
	p.Save(state.Lesson{Done: true, Steps: total, Total: total})
	p.told(func(g *Progress) { g.Done = true })
	p.tell(Finished{Text: "수업을 마쳤습니다: " + l.Title, Remember: l.Remember(), Next: p.Next})
	return p.linger()
}

// forward executes a block without showing it.
func (p *Play) forward(b lessons.Block) ([]trace.Frame, error) {
	if b.Kind == lessons.Replay {
		return nil, p.carryOut(scene{exec: &b}, nil)
	}
	return p.execute(b, nil)
}

// scene plays prose, questions and the step.
func (p *Play) scene(sc scene) error {
	for _, text := range sc.prose {
		p.tell(Prose{text})
	}
	if sc.exec == nil {
		return nil
	}
	p.line = sc.exec.Line
	p.tell(Coming{announce(*sc.exec), p.takes(*sc.exec)})
	guesses := make([]string, len(sc.questions))
	for i, q := range sc.questions {
		p.running = false
		p.hints = append(append([]string(nil), sc.hints...), q.hints...)
		p.tell(Question{q.text, len(p.hints) > 0})
		p.asked = &q
		p.told(func(g *Progress) { g.Question, g.Answer, g.Open = q.fact, "", true })
		guess, err := p.ask(ForAnswer)
		p.asked = nil
		if err != nil {
			return err
		}
		guesses[i] = guess
		p.told(func(g *Progress) { g.Answer = Canonical(guess) })
	}
	if len(sc.questions) == 0 && !p.running {
		p.hints = sc.hints
		if _, err := p.ask(ForNext); err != nil {
			return err
		}
	}
	if err := p.held(); err != nil {
		return err
	}
	if sc.exec.Kind == lessons.Replay {
		err := p.carryOut(sc, guesses)
		if err == nil {
			p.stepped(*sc.exec, nil)
		}
		return err
	}
	t := p.passes(*sc.exec)
	frames, err := p.execute(*sc.exec, t.each())
	t.end()
	if err == nil && t == nil { // passes have been told one by one: the answer is out
		err = p.reconsider(sc.questions, guesses, frames)
	}
	if len(frames) > 0 && p.ctx.Err() == nil {
		p.show(frames[len(frames)-1], false)
	}
	if err != nil {
		return err
	}
	p.stepped(*sc.exec, frames)
	p.judge(sc.questions, guesses, frames)
	return nil
}

// stepped tells the class what was executed.
func (p *Play) stepped(b lessons.Block, frames []trace.Frame) {
	p.told(func(g *Progress) {
		g.Step, g.Open = b.Arg, false
		g.Steps++
		if n := replicasIn(frames); n != nil {
			g.Replicas = n
		}
	})
}

// announce says what the block is about to do; the lesson's own words first.
func announce(b lessons.Block) string {
	switch {
	case b.Kind == lessons.Replay:
		return strings.TrimSuffix(fmt.Sprintf("기록> %s — %s", b.Arg, b.Text), " — ")
	case b.Text != "":
		return b.Text
	case b.Kind == "step":
		return b.Arg + " 단계를 실행합니다."
	case b.ToStep():
		return b.Arg + " 단계까지 실행합니다."
	case b.Arg == "change":
		return "파드의 수나 크기가 바뀔 때까지 패스를 계속합니다."
	case b.Arg == "load":
		return "부하가 바뀔 때까지 패스를 계속합니다."
	}
	if n := b.Passes(); n > 1 {
		return fmt.Sprintf("패스 %d번을 이어서 실행합니다.", n)
	}
	return "이번 패스의 나머지를 실행합니다."
}

// takes is how long passes take where they take real time.
func (p *Play) takes(b lessons.Block) time.Duration {
	if b.Kind != "continue" || b.Arg != "pass" {
		return 0
	}
	return time.Duration(b.Passes()) * p.info.Period
}

// drifted notes that lesson and cluster disagree; --auto fails on it.
func (p *Play) drifted(text string) {
	p.miss(p.line, text)
	p.note(text)
}

// current is the frame under the cursor.
func (p *Play) current() (trace.Frame, bool) {
	if p.session == nil || p.cursor >= len(p.session.Frames()) {
		return trace.Frame{}, false
	}
	return p.session.Frames()[p.cursor], true
}

// latest moves the cursor to the step executed last.
func (p *Play) latest() {
	if p.session != nil {
		p.session.Seek(len(p.session.Frames()) - 1)
	}
}

func (p *Play) show(f trace.Frame, recorded bool) {
	for i, g := range p.session.Frames() {
		if g.Pass == f.Pass && g.Step == f.Step {
			p.cursor = i
		}
	}
	p.tell(Executed{Frame: f, Start: p.start(), Recorded: recorded, Simulated: p.info.Simulated})
}

// start is the loop time of the session's first frame.
func (p *Play) start() time.Time {
	if frames := p.session.Frames(); len(frames) > 0 {
		return frames[0].At
	}
	return time.Time{}
}
