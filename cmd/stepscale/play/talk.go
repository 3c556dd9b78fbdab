package play

import (
	"context"
	"iter"
)

// Script is what a face renders: it tells events, and after an Ask it takes what was typed.
type Script interface {
	Events(ctx context.Context) iter.Seq[Event]
	Type(line string)
	Err() error
}

// talk is what all scripts have in common.
type talk struct {
	script func() error
	ctx    context.Context
	yield  func(Event) bool
	outer  *talk // that it is a part of; nil where it is the whole
	left   bool  // the face has turned away
	err    error
	typed  *string // by the learner, not taken yet
}

// Events is the play, once. After an Ask it goes on with what was sent, and without
// anything it ends as on Quit.
func (t *talk) Events(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		t.ctx, t.yield = ctx, yield
		t.err = t.script()
	}
}

// Err is how the play ended: ErrQuit on the learner's wish.
func (t *talk) Err() error { return t.err }

// Type sends a line that the learner has typed at a stop: a verb or an answer.
func (t *talk) Type(line string) { t.typed = &line }

func (t *talk) tell(e Event) {
	if t.outer != nil {
		t.outer.tell(e)
		t.left = t.outer.left
		return
	}
	if !t.left && !t.yield(e) {
		t.left = true
	}
}

func (t *talk) note(text string) { t.tell(Note{text}) }

// await stops until a line was sent, or, with Wake, until changed is closed.
func (t *talk) await(why Stop, changed <-chan struct{}) (string, error) {
	if t.outer != nil {
		return t.outer.await(why, changed)
	}
	t.tell(Ask{why, changed})
	if t.left || t.typed == nil {
		return "", ErrQuit
	}
	line := *t.typed
	t.typed = nil
	return line, nil
}
