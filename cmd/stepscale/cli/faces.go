package cli

import (
	"context"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"github.com/stepscale/stepscale/cmd/stepscale/full"
	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

func plainFlag(f *pflag.FlagSet, plain *bool) {
	f.BoolVar(plain, "plain", false, "터미널에서도 화면 전체를 쓰지 않고 한 줄씩 보여 드립니다(화면 낭독기, 느린 연결)")
}

// fullScreen tells whether a play may take the whole terminal: somebody sits at one that
// can do that, and has not said that lines are better.
func (d deps) fullScreen(plain bool) bool {
	_, seen := view.TerminalWidth(d.out)
	return !plain && seen && d.typed != nil && d.typed.Terminal && os.Getenv("TERM") != "dumb" && os.Getenv("ACCESSIBLE") == ""
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

// face is the one for a lesson on this loop.
func (t *tutor) face(loop engine.Definition) face {
	if !t.wide {
		return lineByLine{t.lines(), t}
	}
	return wholeScreen{&full.Face{In: t.deps.in, Out: t.deps.out, Heard: t.deps.heard, Setting: full.Setting{
		Loop: loop, Simulated: true, Color: os.Getenv("NO_COLOR") == ""}}, t}
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

// wholeScreen leaves a line behind when it gives the terminal back.
type wholeScreen struct {
	*full.Face
	t *tutor
}

func (w wholeScreen) begins(info engine.Info) {
	w.Simulated, w.Cluster, w.Notes = info.Simulated, w.t.o.target.kind(), info.Notes
	if info.Flags != "" {
		w.Notes = append(slices.Clip(w.Notes), info.Flags)
	}
}

func (w wholeScreen) frame(f trace.Frame) { w.Frame(f) }
