package play

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// replays are the two over the recording that a lesson is about. The lesson moves over it with the
// commands of a replay, and so does the learner who looks around meanwhile: neither moves
// the other's cursor.
type replays struct {
	lesson, learner *Replay
}

func newReplays(o ReplayOptions) *replays {
	beside := NewReplay(o)
	beside.beside = true
	return &replays{lesson: NewReplay(o), learner: beside}
}

// Result is what a command of a lesson's has found, other than a frame.
type Result struct{ Event Event }

// LessonCommands are the commands of a replay that a learner has in a lesson about a
// recording, beside the verbs that are Recorded.
func LessonCommands() []Command {
	return slices.DeleteFunc(Commands(), func(c Command) bool {
		return slices.ContainsFunc(c.Names, func(name string) bool { v, ok := verb(name); return ok && v.still })
	})
}

// LessonVerbs are the verbs of a play that a lesson about a recording has.
func LessonVerbs() []Verb {
	return slices.DeleteFunc(Verbs(), func(v Verb) bool { return !v.still })
}

// carryOut has the lesson's command carried out, and holds the guesses against what came.
func (p *Play) carryOut(sc scene, guesses []string) error {
	told, frames := p.command(*sc.exec)
	if err := p.ctx.Err(); err != nil {
		return err
	}
	if p.silent {
		return nil
	}
	if err := p.reconsider(sc.questions, guesses, frames); err != nil {
		return err
	}
	for _, e := range told {
		p.tell(e)
	}
	p.judge(sc.questions, guesses, frames)
	return nil
}

// command carries a lesson's command out. What can be asked about are the facts of the
// frame on which the cursor stands then, and those of what the command has found.
func (p *Play) command(b lessons.Block) (told []Event, frames []trace.Frame) {
	r, away := p.recorded.lesson, p.recorded.learner
	var back []Event
	if away.cursor != r.cursor {
		back = append(back, Note{fmt.Sprintf("둘러보시던 %s에서 수업이 있던 %s 돌아와 이어 갑니다.", away.Place(), korean.By(r.Place().String()))})
	}
	var found trace.Frame
	r.ctx, r.refused = p.ctx, ""
	r.yield = func(e Event) bool {
		switch e.(type) {
		case Replayed, Note:
		default:
			e = Result{e}
		}
		if f, ok := e.(Result); ok {
			found.Facts = append(found.Facts, factsOf(f.Event)...)
		}
		told = append(told, e)
		return true
	}
	if r.do(b.Arg) == quit {
		r.refused = "수업이 할 수 없는 명령입니다: " + b.Arg
	}
	if r.refused != "" {
		p.miss(b.Line, fmt.Sprintf("%s: %s", b.Arg, r.refused))
	}
	moved := slices.ContainsFunc(told, func(e Event) bool { _, ok := e.(Replayed); return ok })
	if len(back) > 0 && !moved { // the command shows no frame: the one that it is about is shown
		r.yield = func(e Event) bool { back = append(back, e); return true }
		r.show()
	}
	away.cursor = r.cursor
	if f, ok := r.frame(r.cursor); ok {
		frames = append(frames, f)
	}
	return append(back, told...), append(frames, found)
}

// factsOf are the facts of what a command has found, where it has any.
func factsOf(e Event) []trace.Fact {
	if reasons, ok := e.(Reasons); ok {
		e = reasons.Answer
	}
	if told, ok := e.(interface{ Facts() []trace.Fact }); ok {
		return told.Facts()
	}
	return nil
}

// looksAround carries out what a learner does with the recording at a stop of the lesson;
// false where the line is none of its commands.
func (p *Play) looksAround(line string) bool {
	if p.recorded == nil || line == "" {
		return false
	}
	name, _, _ := strings.Cut(line, " ")
	if v, ok := verb(name); ok && v.still {
		return false
	}
	if _, ok := command(name); !ok && !strings.HasPrefix(line, "/") {
		return false
	}
	r := p.recorded.learner
	r.ctx, r.yield = p.ctx, func(e Event) bool { p.tell(e); return !p.left }
	r.do(line)
	return true
}

// Miss is something that a lesson says and that was not so.
type Miss struct {
	Line int // of lesson.md; 0 where it is not known
	Text string
}

func (p *Play) miss(line int, text string) { p.drift = append(p.drift, Miss{line, text}) }

// Misses is what the lesson says and what was not so.
func (p *Play) Misses() []Miss { return p.drift }

// Rehearse plays a lesson about a recording to its end, for nobody, and tells what it says
// that the recording does not have.
func Rehearse(ctx context.Context, o Options) []Miss {
	o.Auto, o.Save = true, func(state.Lesson) {}
	p := New(o)
	for range p.Events(ctx) { // nobody looks
	}
	return p.Misses()
}
