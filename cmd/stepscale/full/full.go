// Package full is the face of a play that takes the whole screen of a terminal: who acts
// on whom, what the step did, and what the lesson says and asks, all at once.
package full

import (
	"context"
	"errors"
	"io"

	tea "charm.land/bubbletea/v2"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/engine/trace"
)

// Face renders plays on a terminal and sends them what is typed. The terminal is as it was
// before whenever no play runs.
type Face struct {
	Setting
	In    io.Reader // the terminal's keys
	Out   io.Writer // the terminal
	Heard func(play.Event)

	before  *Model       // the screen, while a play runs that has not taken it yet
	program *tea.Program // while it has
	pulse   *pulse
}

// Frame takes in a frame that was executed; the play tells of some of them only.
func (f *Face) Frame(x trace.Frame) { f.send(Framed{x}) }

func (f *Face) send(msg tea.Msg) {
	switch {
	case f.program != nil:
		f.program.Send(msg)
	case f.before != nil:
		next, _ := f.before.Update(msg)
		m := next.(Model)
		f.before = &m
	}
}

// Shown tells whether the screen is there.
func (f *Face) Shown() bool { return f.program != nil }

// Awaits says what takes real time while a step runs; empty when it is over.
func (f *Face) Awaits(what string) { f.send(awaits(what)) }

// Play renders it to its end. It ends with the context, too. The screen is taken when there is
// something to do on it: what is told before is on its first frame.
func (f *Face) Play(ctx context.Context, p play.Script) (err error) {
	typed, gone := make(chan string, 1), make(chan error, 1)
	model := New(f.Setting, func(line string) { typed <- line })
	f.before = &model
	defer func() { // also where the play panics: the terminal is given back first
		if f.before = nil; f.program == nil {
			return
		}
		f.program.Send(ended{})
		if failed := <-gone; err == nil && failed != nil && !errors.Is(failed, tea.ErrProgramKilled) {
			err = failed
		}
		f.pulse.ends()
		f.program = nil
	}()
	for e := range p.Events(ctx) {
		if f.Heard != nil {
			f.Heard(e)
		}
		if f.send(Told{e}); f.program == nil && !prefaces(e) {
			f.begins(ctx, gone)
		}
		ask, ok := e.(play.Ask)
		if !ok {
			continue
		}
		line, err := f.line(ctx, ask, typed, gone)
		if err != nil {
			return err
		}
		p.Type(line)
	}
	return p.Err()
}

// prefaces tells of an event that another one follows at once.
func prefaces(e play.Event) bool {
	switch e.(type) {
	case play.Title, play.Prose, play.Coming, play.Question:
		return true
	}
	return false
}

// begins takes the screen.
func (f *Face) begins(ctx context.Context, gone chan<- error) {
	noted := func(_ tea.Model, msg tea.Msg) tea.Msg {
		f.pulse.beats()
		return msg
	}
	program := tea.NewProgram(*f.before, tea.WithContext(ctx), tea.WithInput(f.In), tea.WithOutput(f.Out), tea.WithoutSignalHandler(), tea.WithFilter(noted))
	f.program, f.pulse = program, pulseOf(program)
	go func() {
		_, err := program.Run()
		gone <- err
	}()
}

// line is what is typed, or Wake where what was asked has changed before.
func (f *Face) line(ctx context.Context, ask play.Ask, typed <-chan string, gone chan error) (string, error) {
	asked := make(chan bool, 1)
	changed := ask.Changed
	for {
		select {
		case line := <-typed:
			return line, nil
		case <-changed:
			changed = nil
			f.program.Send(woken{asked})
		case still := <-asked:
			if still {
				return play.Wake, nil
			} // else a key was pressed before, and its line is on the way
		case <-ctx.Done():
			return "", ctx.Err()
		case failed := <-gone: // the screen is gone without having been asked to
			gone <- failed
			return "", errors.Join(ctx.Err(), failed)
		}
	}
}
