package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// errQuit ends the play on the learner's wish; it is no failure.
var errQuit = errors.New("quit")

// player plays one lesson on a stage.
type player struct {
	ctx     context.Context
	screen  *view.Screen
	in      *lineReader // nil: play without questions
	stage   Stage       // nil when the lesson executes nothing
	session *engine.Session
	info    StageInfo
	last    trace.StepID       // the last step of the loop's pass
	save    func(state.Lesson) // after every executed scene

	silent  bool     // fast-forward
	running bool     // continue was typed: do not stop before the next question
	hints   []string // of where the learner stands
	cursor  int      // index of the frame shown last
	drift   []string // what the lesson says and the cluster does not do
}

// play plays the lesson; the first skip executing scenes are executed silently.
func (p *player) play(l lessons.Lesson, skip int) error {
	scenes := scenesOf(l.Blocks)
	total, done := executions(scenes), 0
	if p.stage != nil {
		p.session, p.info = p.stage.Session(), p.stage.Info()
	}
	p.screen.Title(l.Title)
	if skip > 0 {
		how := "빠르게 실행합니다."
		if p.stage != nil && !p.info.Simulated {
			how = "실행합니다. 실제 시간이 걸립니다."
		}
		p.screen.Note(fmt.Sprintf("클러스터가 새것이므로 앞의 %d단계를 먼저 %s", skip, how))
	}
	for _, sc := range scenes {
		if p.silent = done < skip; p.silent {
			if sc.exec != nil {
				if _, err := p.execute(*sc.exec, nil); err != nil {
					return err
				}
				done++
			}
			continue
		}
		if err := p.scene(sc); err != nil {
			return err
		}
		if sc.exec != nil {
			done++
			p.save(state.Lesson{Steps: done, Total: total, Step: sc.exec.Arg})
		}
		if err := p.screen.Err(); err != nil {
			return err
		}
	}
	p.save(state.Lesson{Done: true, Steps: total, Total: total})
	p.screen.Done("수업을 마쳤습니다: " + l.Title)
	return nil
}

// scene plays prose, questions and the step.
func (p *player) scene(sc scene) error {
	for _, text := range sc.prose {
		p.screen.Prose(text)
	}
	if sc.exec == nil {
		return nil
	}
	p.screen.Coming(announce(*sc.exec) + p.takes(*sc.exec))
	guesses := make([]string, len(sc.questions))
	for i, q := range sc.questions {
		p.running = false
		p.hints = append(append([]string(nil), sc.hints...), q.hints...)
		p.screen.Question(q.text)
		guess, err := p.ask("예측>", true)
		if err != nil {
			return err
		}
		guesses[i] = guess
	}
	if len(sc.questions) == 0 && !p.running {
		p.hints = sc.hints
		if _, err := p.ask("다음>", false); err != nil {
			return err
		}
	}
	var t ticker
	frames, err := p.execute(*sc.exec, t.of(p, *sc.exec))
	t.end(p)
	if len(frames) > 0 && p.ctx.Err() == nil {
		p.show(frames[len(frames)-1], "", false)
	}
	if err != nil {
		return err
	}
	p.verdicts(sc.questions, guesses, frames)
	return nil
}

// announce says what the block is about to do; the lesson's own words first.
func announce(b lessons.Block) string {
	switch {
	case b.Text != "":
		return b.Text
	case b.Kind == "step":
		return b.Arg + " 단계를 실행합니다."
	case b.ToStep():
		return b.Arg + " 단계까지 실행합니다."
	case b.Arg == "change":
		return "파드의 수나 크기가 바뀔 때까지 틱을 계속합니다."
	case b.Arg == "load":
		return "부하가 바뀔 때까지 틱을 계속합니다."
	}
	if n := b.Passes(); n > 1 {
		return fmt.Sprintf("패스 %d번을 이어서 실행합니다.", n)
	}
	return "이번 패스의 나머지를 실행합니다."
}

// takes says how long passes take where they take real time.
func (p *player) takes(b lessons.Block) string {
	if p.info.Period == 0 || b.Kind != "continue" || b.Arg != "pass" {
		return ""
	}
	return fmt.Sprintf(" 실제 시간으로 %s쯤 걸립니다.", view.Duration(time.Duration(b.Passes())*p.info.Period))
}

// ask waits for the learner. It returns the answer, empty when there is none.
func (p *player) ask(prompt string, answers bool) (string, error) {
	if p.in == nil {
		return "", p.ctx.Err()
	}
	for {
		p.screen.Prompt(prompt)
		line, err := p.in.read(p.ctx)
		if errors.Is(err, io.EOF) {
			p.screen.Blank()
			return "", errQuit
		}
		if err != nil {
			return "", err
		}
		if p.in.echo {
			p.screen.Echo(line)
		}
		c, ok := lookup(line)
		switch {
		case ok:
			switch c.do(p) {
			case forward:
				return "", nil
			case quit:
				return "", errQuit
			}
		case answers && plausible(line):
			p.latest()
			return line, nil
		default:
			p.unknown(line, answers)
		}
		if err := p.screen.Err(); err != nil {
			return "", err
		}
	}
}

func (p *player) unknown(line string, answers bool) {
	var names []string
	for _, c := range commandTable() {
		names = append(names, c.names...)
	}
	text := fmt.Sprintf("알 수 없는 명령입니다: %s. 명령 목록은 ?로 볼 수 있습니다.", line)
	if answers {
		text = fmt.Sprintf("답이나 명령으로 읽을 수 없습니다: %s. 숫자나 괄호 안의 말 가운데 하나를 적거나, Enter로 넘어가 주십시오.", line)
	}
	if near := problem.Nearest(line, names); near != "" {
		text += fmt.Sprintf(" 혹시 '%s'입니까?", near)
	}
	p.screen.Note(text)
}

func (p *player) verdicts(questions []question, guesses []string, frames []trace.Frame) {
	for i, q := range questions {
		label := view.FactLabel(q.fact)
		value, ok := lastFact(frames, q.fact)
		switch {
		case !ok && !p.info.Simulated: // somebody else's part, which cannot be looked into
			p.screen.Note(fmt.Sprintf("이 클러스터에서는 알 수 없는 값입니다: %s", label))
		case !ok:
			p.drifted(fmt.Sprintf("질문한 값(%s)이 이번 단계에서 나오지 않았습니다.", q.fact))
		case guesses[i] == "":
			p.screen.Answer(label, value)
		case right(guesses[i], value):
			p.screen.Right(label, value)
		case !p.info.Simulated: // the question has the numbers of a load that is always the same
			p.screen.Note(fmt.Sprintf("예측하신 값은 %s, 이번에 실제로 나온 값은 %s입니다: %s. 실제 클러스터에서는 수업에 적힌 숫자와 달라질 수 있습니다.", guesses[i], view.FactValue(value), label))
		default:
			p.screen.Wrong(label, guesses[i], value)
			for _, h := range q.hints {
				p.screen.Hint(h)
			}
		}
	}
	if len(questions) > 0 {
		p.screen.Blank()
	}
}

// drifted notes that lesson and cluster disagree; --auto fails on it.
func (p *player) drifted(text string) {
	p.drift = append(p.drift, text)
	p.screen.Note(text)
}

// current is the frame under the cursor.
func (p *player) current() (trace.Frame, bool) {
	if p.session == nil || p.cursor >= len(p.session.Frames()) {
		return trace.Frame{}, false
	}
	return p.session.Frames()[p.cursor], true
}

// latest moves the cursor to the step executed last.
func (p *player) latest() {
	if p.session != nil {
		p.session.Seek(len(p.session.Frames()) - 1)
	}
}

func (p *player) show(f trace.Frame, title string, recorded bool) {
	for i, g := range p.session.Frames() {
		if g.Pass == f.Pass && g.Step == f.Step {
			p.cursor = i
		}
	}
	p.screen.Step(view.StepView{Frame: f, Start: p.start(), Title: title, Recorded: recorded, Simulated: p.info.Simulated})
}

// start is the loop time of the session's first frame.
func (p *player) start() time.Time {
	if frames := p.session.Frames(); len(frames) > 0 {
		return frames[0].At
	}
	return time.Time{}
}
