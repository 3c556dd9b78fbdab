package lines

import (
	"bufio"
	"context"
	"io"
	"strings"
	"sync"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// Reader reads lines so that waiting for one ends with the context.
type Reader struct {
	r     io.Reader
	Echo  bool // no terminal shows what was typed
	once  sync.Once
	lines chan string
	err   error // set before lines is closed
}

// NewReader reads what is typed into r.
func NewReader(r io.Reader) *Reader {
	_, tty := view.TerminalWidth(r)
	return &Reader{r: r, Echo: !tty, lines: make(chan string)}
}

// Read returns the next line without the space around it, or io.EOF.
func (l *Reader) Read(ctx context.Context) (string, error) {
	l.once.Do(func() { go l.run() })
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case line, ok := <-l.lines:
		if !ok {
			return "", l.err
		}
		return strings.TrimSpace(line), nil
	}
}

func (l *Reader) run() {
	defer close(l.lines)
	s := bufio.NewScanner(l.r)
	for s.Scan() {
		l.lines <- s.Text()
	}
	if l.err = s.Err(); l.err == nil {
		l.err = io.EOF
	}
}
