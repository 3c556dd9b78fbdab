package cli

import (
	"bufio"
	"context"
	"io"
	"strings"
	"sync"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// lineReader reads lines so that waiting for one ends with the context.
type lineReader struct {
	r     io.Reader
	echo  bool // no terminal shows what was typed
	once  sync.Once
	lines chan string
	err   error // set before lines is closed
}

func newLineReader(r io.Reader) *lineReader {
	_, tty := view.TerminalWidth(r)
	return &lineReader{r: r, echo: !tty, lines: make(chan string)}
}

// lines is the one reader of what is typed: two would take each other's lines.
func (a *app) lines() *lineReader {
	if a.typed == nil {
		a.typed = newLineReader(a.in)
	}
	return a.typed
}

// read returns the next line without the space around it, or io.EOF.
func (l *lineReader) read(ctx context.Context) (string, error) {
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

func (l *lineReader) run() {
	defer close(l.lines)
	s := bufio.NewScanner(l.r)
	for s.Scan() {
		l.lines <- s.Text()
	}
	if l.err = s.Err(); l.err == nil {
		l.err = io.EOF
	}
}
