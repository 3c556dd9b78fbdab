package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/stepscale/stepscale/engine/trace"
)

// What is wrong with a line that is no frame.
var (
	ErrTorn = errors.New("the file ends in the middle of a line")
	ErrUTF8 = errors.New("the line is not UTF-8")
	ErrStep = errors.New("the line names no step")

	// ErrHeader tells of a second header: two recordings in one file.
	ErrHeader = errors.New("a header that is not the first line")
)

// LineError names the line of a recording that could not be read, counted from 1.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// Reader reads a recording frame by frame.
type Reader struct {
	in     *bufio.Reader
	line   int
	offset int64 // behind the line
	last   int   // bytes of the line
	header Header
	seen   bool // a line that is not blank
}

// NewReader returns a reader of the recording in r.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReader(r)} }

// Line is the line of the frame that Next returned last.
func (r *Reader) Line() int { return r.line }

// Header is what the recording says of itself; of an old one, nothing. It is known once
// Next was called.
func (r *Reader) Header() Header { return r.header }

// Next returns the next frame, and io.EOF after the last one. A line that cannot be
// read is a *LineError.
func (r *Reader) Next() (trace.Frame, error) {
	var f trace.Frame
	if err := r.next(&f, func() trace.StepID { return f.Step }); err != nil {
		return trace.Frame{}, err
	}
	return f, nil
}

// next decodes the next line into v, which names its step then.
func (r *Reader) next(v any, step func() trace.StepID) error {
	b, err := r.text()
	if err != nil {
		return err
	}
	if !r.seen {
		r.seen = true
		h, is, err := header(b)
		if err != nil {
			return &LineError{Line: r.line, Err: err}
		}
		if is {
			r.header = h
			return r.next(v, step)
		}
	}
	err = decode(b, v)
	switch {
	case err != nil && !bytes.HasSuffix(b, newline):
		err = fmt.Errorf("%w: %w", ErrTorn, err)
	case err == nil && step() == "":
		err = ErrStep
		if _, is, _ := header(b); is {
			err = ErrHeader
		}
	}
	if err != nil {
		return &LineError{Line: r.line, Err: err}
	}
	return nil
}

var newline = []byte("\n")

// text is the next line that is not blank.
func (r *Reader) text() ([]byte, error) {
	for {
		b, end := r.in.ReadBytes('\n')
		if end != nil && !errors.Is(end, io.EOF) {
			return nil, end
		}
		r.line, r.last, r.offset = r.line+1, len(b), r.offset+int64(len(b))
		if len(bytes.TrimSpace(b)) > 0 {
			return b, nil
		}
		if end != nil {
			return nil, io.EOF
		}
	}
}

func decode(line []byte, v any) error {
	if !utf8.Valid(line) { // which encoding/json would mend in silence
		return ErrUTF8
	}
	return json.Unmarshal(line, v)
}

// Read decodes a whole recording. On an error the frames before it are returned, too.
func Read(r io.Reader) ([]trace.Frame, error) {
	var frames []trace.Frame
	for in := NewReader(r); ; {
		f, err := in.Next()
		if errors.Is(err, io.EOF) {
			return frames, nil
		}
		if err != nil {
			return frames, err
		}
		frames = append(frames, f)
	}
}
