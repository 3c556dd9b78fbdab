package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// What is wrong with a line that is no frame.
var (
	ErrTorn = errors.New("the file ends in the middle of a line")
	ErrUTF8 = errors.New("the line is not UTF-8")
	ErrStep = errors.New("the line names no step")
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
	in   *bufio.Reader
	line int
}

// NewReader returns a reader of the recording in r.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReader(r)} }

// Line is the line of the frame that Next returned last.
func (r *Reader) Line() int { return r.line }

// Next returns the next frame, and io.EOF after the last one. A line that cannot be
// read is a *LineError.
func (r *Reader) Next() (Frame, error) {
	for {
		b, end := r.in.ReadBytes('\n')
		if end != nil && !errors.Is(end, io.EOF) {
			return Frame{}, end
		}
		r.line++
		if len(bytes.TrimSpace(b)) == 0 {
			if end != nil {
				return Frame{}, io.EOF
			}
			continue
		}
		f, err := decode(b)
		if err != nil && end != nil && !errors.Is(err, ErrStep) {
			err = fmt.Errorf("%w: %w", ErrTorn, err)
		}
		if err != nil {
			return Frame{}, &LineError{Line: r.line, Err: err}
		}
		return f, nil
	}
}

func decode(line []byte) (f Frame, err error) {
	if !utf8.Valid(line) { // which encoding/json would mend in silence
		return f, ErrUTF8
	}
	if err := json.Unmarshal(line, &f); err != nil {
		return f, err
	}
	if f.Step == "" {
		return f, ErrStep
	}
	return f, nil
}

// Read decodes a whole recording. On an error the frames before it are returned, too.
func Read(r io.Reader) ([]Frame, error) {
	var frames []Frame
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
