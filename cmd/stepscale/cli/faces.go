package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/stepscale/stepscale/cmd/stepscale/full"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

func plainFlag(f *pflag.FlagSet, plain *bool) {
	f.BoolVar(plain, "plain", false, "화면 전체를 쓰지 않고 한 줄씩, 선과 막대 없이 글로만 보여 드립니다(화면 낭독기, 느린 연결). ACCESSIBLE=1도 같습니다")
}

// plainly is for people who have said that lines are better, and that nothing but text is
// to be on them.
func (d deps) plainly(plain bool) deps {
	if !plain {
		return d
	}
	d.typed.Plainly()
	d.out, d.errOut = view.Plain(d.out), view.Plain(d.errOut)
	if _, ours := d.waits.(terminal); ours {
		d.waits = terminal{d.errOut}
	}
	return d
}

// fullScreen tells whether a play may take the whole terminal: somebody sits at one that
// can do that, and has not said that lines are better.
func (d deps) fullScreen(plain bool) bool {
	_, seen := view.TerminalWidth(d.out)
	return !plain && seen && d.typed != nil && d.typed.Terminal && os.Getenv("TERM") != "dumb" && !view.Accessible()
}

// face shows one play after it was told where its frames come from.
type face interface {
	Play(ctx context.Context, p play.Script) error
	begins(engine.Info)
	frame(trace.Frame)
}

// lines is the face of lines, where that is right or asked for.
func (t *tutor) lines() *lines.Face {
	return &lines.Face{Screen: t.screen, In: t.typed, Heard: t.deps.heard}
}

// face is the one for a lesson.
func (t *tutor) face(l lessons.Lesson) face {
	if !t.wide {
		return lineByLine{t.lines(), t}
	}
	w := wholeScreen{t.deps.screen(t.deps.loops[l.Loop]), t.o.target}
	w.Replay, w.Lesson = l.Recording != "", l.Recording != ""
	t.on.face = w.Face
	return w
}

// screen is a whole one for frames of a loop.
func (d deps) screen(loop engine.Definition) *full.Face {
	return &full.Face{In: d.in, Out: d.out, Heard: d.heard, Setting: full.Setting{Loop: loop, Simulated: true, Color: os.Getenv("NO_COLOR") == ""}}
}

// runStepwise goes over a loop without a lesson, as far as the learner likes.
func (d deps) runStepwise(ctx context.Context, scenario string, r *runner, s stage, on *onScreen) error {
	w := wholeScreen{d.screen(r.loop), r.o.target}
	on.face = w.Face
	w.begins(s.Info())
	s.Session().Heard = func(f trace.Frame) {
		r.err = errors.Join(r.err, r.rec.frame(f))
		w.Frame(f)
	}
	o := play.Options{Loop: r.loop, Source: s, Word: wordedBy(s), CheckEdit: editing(s, true)}
	o.Branch, o.NoBranch = d.branches(r.o.target, r.scenarios, r.o.loop, scenario, w.Frame)
	err := w.Play(ctx, play.NewRun(scenario, o))
	if errors.Is(err, play.ErrQuit) {
		err = nil
	}
	return errors.Join(r.err, err)
}

// lineByLine tells what is to be known before the first line of the lesson.
type lineByLine struct {
	*lines.Face
	t *tutor
}

func (l lineByLine) begins(info engine.Info) {
	for _, n := range info.Notes {
		l.Screen.Note(n)
	}
	if info.Flags != "" {
		l.Screen.Note(info.Flags)
	}
}

func (l lineByLine) Play(ctx context.Context, p play.Script) error {
	if !l.t.auto {
		l.Screen.Note("Enter를 누르시면 다음으로 넘어갑니다. 명령 목록은 ?, 끝내시려면 q를 적어 주십시오.")
	}
	return l.Face.Play(ctx, p)
}

func (lineByLine) frame(trace.Frame) {}

// wholeScreen has what is to be known on its first page.
type wholeScreen struct {
	*full.Face
	target target
}

func (w wholeScreen) begins(info engine.Info) {
	w.Simulated, w.Cluster, w.Notes = info.Simulated, w.target.label(), info.Notes
	if info.Flags != "" {
		w.Notes = append(slices.Clip(w.Notes), info.Flags)
	}
}

func (w wholeScreen) frame(f trace.Frame) { w.Frame(f) }

// onScreen shows what takes real time on the screen while there is one, and on the
// terminal else.
type onScreen struct {
	lab.Waits
	face *full.Face
}

func (o *onScreen) shown() bool { return o.face != nil && o.face.Shown() }

func (o *onScreen) Pause(ctx context.Context, d time.Duration) error {
	if !o.shown() {
		return o.Waits.Pause(ctx, d)
	}
	defer o.face.Awaits("")
	for until := time.Now().Add(d); ; {
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		o.face.Awaits(fmt.Sprintf("실제 시간으로 %d초 더 기다립니다", int(math.Ceil(left.Seconds()))))
		if err := play.Wait(ctx, min(left, time.Second)); err != nil {
			return err
		}
	}
}

func (o *onScreen) Busy(what string) (done func()) {
	if !o.shown() {
		return o.Waits.Busy(what)
	}
	o.face.Awaits(what)
	return func() { o.face.Awaits("") }
}
