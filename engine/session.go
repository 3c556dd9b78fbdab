package engine

import (
	"errors"
	"iter"

	"github.com/stepscale/stepscale/engine/trace"
)

// ErrEnd is returned by Next when the loop has no further step.
var ErrEnd = errors.New("no further step")

// Session is a loop in hand. Next and Continue execute; Back and Seek only move
// a cursor over what was executed: a write is never undone.
type Session struct {
	Heard func(trace.Frame) // is told of every frame that was executed; may be nil

	pull   func() (trace.Frame, error, bool)
	stop   func()
	frames []trace.Frame
	cursor int
}

// NewSession takes the frames from seq one at a time. Close must be called.
func NewSession(seq iter.Seq2[trace.Frame, error]) *Session {
	next, stop := iter.Pull2(seq)
	return &Session{pull: next, stop: stop, cursor: -1}
}

// Close ends the loop. It is safe to call twice.
func (s *Session) Close() { s.stop() }

// Next executes the next step, or moves the cursor forward when it was moved back.
func (s *Session) Next() (trace.Frame, error) {
	if s.cursor+1 < len(s.frames) {
		s.cursor++
		return s.frames[s.cursor], nil
	}
	f, err, ok := s.pull()
	if !ok {
		return trace.Frame{}, ErrEnd
	}
	s.frames = append(s.frames, f)
	s.cursor = len(s.frames) - 1
	if s.Heard != nil {
		s.Heard(f)
	}
	return f, err
}

// Continue executes steps until one satisfies until, and returns all of them.
func (s *Session) Continue(until func(trace.Frame) bool) ([]trace.Frame, error) {
	var run []trace.Frame
	for {
		f, err := s.Next()
		if errors.Is(err, ErrEnd) {
			return run, err
		}
		run = append(run, f)
		if err != nil || until(f) {
			return run, err
		}
	}
}

// Back moves the cursor one frame back. It reports false at the first frame.
func (s *Session) Back() (trace.Frame, bool) {
	return s.Seek(s.cursor - 1)
}

// Seek moves the cursor to the frame with that index, counted from 0.
func (s *Session) Seek(i int) (trace.Frame, bool) {
	if i < 0 || i >= len(s.frames) {
		return trace.Frame{}, false
	}
	s.cursor = i
	return s.frames[i], true
}

// Live reports whether the cursor stands on the step executed last.
func (s *Session) Live() bool { return s.cursor == len(s.frames)-1 }

// Frames returns what was executed so far, oldest first.
func (s *Session) Frames() []trace.Frame { return s.frames }
