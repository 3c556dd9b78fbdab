package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a scenario, as its author reads it.
type Problem struct {
	File string
	Line int // counted from 1; 0 when the file as a whole is meant
	Msg  string
	Hint string
}

// Error is the problem on one line.
func (p Problem) Error() string {
	where := p.File
	if p.Line > 0 {
		where = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	if p.Hint == "" {
		return where + ": " + p.Msg
	}
	return fmt.Sprintf("%s: %s (도움: %s)", where, p.Msg, p.Hint)
}

// Problems is everything that is wrong with a scenario.
type Problems []Problem

// Error has one problem per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, x := range p {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap takes the problems apart.
func (p Problems) Unwrap() []error {
	errs := make([]error, len(p))
	for i, x := range p {
		errs[i] = x
	}
	return errs
}

// err is nil when there are no problems. They come sorted by file and line.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(-strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return p
}
