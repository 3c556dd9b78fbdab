package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/stepscale/stepscale/engine/trace"
)

// Recording is a recorded loop that can be read at any place. Frames stay in the file
// until they are asked for; what they are searched by is in memory.
type Recording struct {
	Header Header
	Torn   *LineError // of a last line that was cut off; nil when there is none

	src   io.ReaderAt
	size  int64
	rows  []Row
	facts map[string][]Value
}

// Row is what is known of a frame without reading it.
type Row struct {
	Line    int // in the file, counted from 1
	Pass    int
	Step    trace.StepID
	Subject string
	At      time.Time
	Failed  bool // the step was broken off
	Moved   bool // something changed that is not a status

	offset int64
	length int
}

// Value is what a fact was in a frame.
type Value struct {
	Frame int // its index
	Text  string
}

// sketch is the part of a frame that it is searched by.
type sketch struct {
	Pass    int            `json:"pass"`
	Step    trace.StepID   `json:"step"`
	Subject string         `json:"subject"`
	At      time.Time      `json:"at"`
	Facts   []trace.Fact   `json:"facts"`
	Changes []trace.Change `json:"changes"`
	Err     string         `json:"err"`
}

// Open reads the recording of that many bytes once. A line that cannot be read is a
// *LineError, but for one that the end of the file cuts off: that one is left out, and
// told in Torn.
func Open(src io.ReaderAt, size int64) (*Recording, error) {
	r := &Recording{src: src, size: size, facts: map[string][]Value{}}
	for in := NewReader(io.NewSectionReader(src, 0, size)); ; {
		var s sketch
		err := in.next(&s, func() trace.StepID { return s.Step })
		r.Header = in.header
		var at *LineError
		switch {
		case errors.Is(err, io.EOF):
			return r, nil
		case errors.As(err, &at) && errors.Is(err, ErrTorn) && len(r.rows) > 0:
			r.Torn = at
			return r, nil
		case err != nil:
			return nil, err
		}
		r.add(in, s)
	}
}

func (r *Recording) add(in *Reader, s sketch) {
	moved := slices.ContainsFunc(s.Changes, func(c trace.Change) bool { return !strings.HasPrefix(c.Field, "status.") })
	r.rows = append(r.rows, Row{
		Line: in.line, Pass: s.Pass, Step: trace.StepID(shared(string(s.Step))), Subject: shared(s.Subject), At: s.At,
		Failed: s.Err != "", Moved: moved, offset: in.offset - int64(in.last), length: in.last,
	})
	for _, f := range s.Facts {
		name := shared(f.Name)
		r.facts[name] = append(r.facts[name], Value{len(r.rows) - 1, shared(f.Value)})
		if why := reasonOf(f); why != "" {
			r.facts[reasonFact] = append(r.facts[reasonFact], Value{len(r.rows) - 1, shared(why)})
		}
	}
}

// reasonFact has the reasons of all conditions that a step tells.
const reasonFact = "conditionReason"

// reasonOf is the reason of a condition that is told with its status: "True ReadyForNewScale".
func reasonOf(f trace.Fact) string {
	if !strings.HasPrefix(f.Name, "condition/") {
		return ""
	}
	_, why, _ := strings.Cut(f.Value, " ")
	return why
}

// shared is the one copy of a text that comes again and again.
func shared(s string) string { return unique.Make(s).Value() }

// Len is how many frames there are.
func (r *Recording) Len() int { return len(r.rows) }

// Row is what is known of the frame with that index, counted from 0.
func (r *Recording) Row(i int) Row { return r.rows[i] }

// Frame reads the frame with that index.
func (r *Recording) Frame(i int) (f trace.Frame, err error) {
	row := r.rows[i]
	b := make([]byte, row.length)
	if _, err = r.src.ReadAt(b, row.offset); err != nil && !errors.Is(err, io.EOF) {
		return f, err
	}
	if err = json.Unmarshal(b, &f); err == nil && (f.Step != row.Step || f.Pass != row.Pass) {
		err = fmt.Errorf("the file has changed since it was opened")
	}
	if err != nil {
		return f, &LineError{Line: row.Line, Err: err}
	}
	return f, nil
}

// Pass are the indices of the first frame of a pass and of the one behind its last; equal
// where there is no such pass.
func (r *Recording) Pass(n int) (first, end int) {
	first, _ = slices.BinarySearchFunc(r.rows, n, func(row Row, n int) int { return row.Pass - n })
	for end = first; end < len(r.rows) && r.rows[end].Pass == n; end++ {
	}
	return first, end
}

// Values are what a fact was, in order.
func (r *Recording) Values(fact string) []Value { return r.facts[fact] }

// Names are those of all facts, sorted.
func (r *Recording) Names() []string {
	names := make([]string, 0, len(r.facts))
	for name := range r.facts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
