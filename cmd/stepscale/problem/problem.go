// Package problem has what went wrong as a learner reads it: what, where, what to do
// next, and the exit code. The Korean for errors that other rooms know by name stands
// here, once.
package problem

import "errors"

// Exit codes.
const (
	ExitOK          = 0
	ExitFailure     = 1
	ExitUsage       = 2
	ExitInterrupted = 130
)

// Error is an error as the learner reads it. The cause, if there is one,
// stays reachable for errors.Is.
type Error struct {
	What  string // what went wrong, one sentence
	Where string // file and line, step, path; may be empty
	Hint  string // what to do about it; may be empty
	Code  int    // exit code; 0 means ExitFailure
	Cause error
}

func (e *Error) Error() string { return e.What }
func (e *Error) Unwrap() error { return e.Cause }

// Sentence is what is wrong, and where, on one line.
func Sentence(err error) string {
	var u *Error
	if !errors.As(err, &u) {
		return err.Error()
	}
	text := u.What
	if u.Cause != nil {
		text += ": " + u.Cause.Error()
	}
	if u.Where != "" {
		text += " (" + u.Where + ")"
	}
	return text
}

// Usage is an error of the command line.
func Usage(what, hint string) error {
	return &Error{What: what, Hint: hint, Code: ExitUsage}
}

// Flatten takes errors that were joined apart.
func Flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, Flatten(e)...)
	}
	return all
}
