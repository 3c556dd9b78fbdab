package lines

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/peterh/liner"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// Reader reads lines so that waiting for one ends with the context. On a terminal the
// line can be edited: over Hangul, with the arrow keys, and with what was typed before.
type Reader struct {
	Terminal bool // somebody types, and sees it

	r      io.Reader
	editor *editor // nil where lines cannot be edited
	once   sync.Once
	asked  chan string
	lines  chan line
	left   bool // a line was asked for, and nobody waited for it
}

// ErrChanged tells that what was asked is not asked any more.
var ErrChanged = errors.New("what was asked has changed")

// errInterrupted tells that the signal is on its way.
var errInterrupted = errors.New("interrupted")

type line struct {
	text string
	err  error
}

// NewReader reads what is typed into r, and shows on out what is asked.
func NewReader(r io.Reader, out io.Writer) *Reader {
	_, tty := view.TerminalWidth(r)
	l := &Reader{r: r, Terminal: tty, asked: make(chan string), lines: make(chan line)}
	if _, seen := view.TerminalWidth(out); tty && seen && !view.Accessible() && r == os.Stdin && out == os.Stdout && liner.TerminalSupported() {
		l.editor = newEditor()
	}
	return l
}

// Plainly reads without moving the caret.
func (l *Reader) Plainly() {
	if l != nil && l.editor != nil {
		l.editor.restore()
		l.editor = nil
	}
}

// Ask asks on the screen, and returns the next line without the space around it, or io.EOF.
func (l *Reader) Ask(ctx context.Context, s *view.Screen, prompt string) (string, error) {
	return l.AskUntil(ctx, s, prompt, nil)
}

// AskUntil is Ask that ends with ErrChanged, too, as soon as changed is closed. What is
// typed then is for whoever asks next.
func (l *Reader) AskUntil(ctx context.Context, s *view.Screen, prompt string, changed <-chan struct{}) (string, error) {
	l.once.Do(func() { go l.run() })
	if l.editor == nil || l.left {
		s.Prompt(prompt)
	}
	if err := l.ask(ctx, prompt); err != nil {
		return "", err
	}
	select {
	case <-ctx.Done():
		if l.editor != nil {
			l.editor.restore()
		}
		return "", ctx.Err()
	case <-changed:
		if l.left = true; l.editor != nil {
			l.editor.restore()
		}
		s.Blank()
		return "", ErrChanged
	case got := <-l.lines:
		if errors.Is(got.err, errInterrupted) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		text := strings.TrimSpace(got.text)
		if got.err == nil && !l.Terminal {
			s.Echo(text)
		}
		return text, got.err
	}
}

// ask lets the next line be read, where that was not asked for before.
func (l *Reader) ask(ctx context.Context, prompt string) error {
	if l.left {
		if l.left = false; l.editor != nil {
			_ = l.editor.raw.ApplyMode()
		}
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case l.asked <- prompt + " ":
		return nil
	}
}

func (l *Reader) run() {
	scanner := bufio.NewScanner(l.r)
	for prompt := range l.asked {
		var got line
		switch {
		case l.editor != nil:
			got.text, got.err = l.editor.read(prompt)
		case scanner.Scan():
			got.text = scanner.Text()
		default:
			if got.err = scanner.Err(); got.err == nil {
				got.err = io.EOF
			}
		}
		l.lines <- got
	}
}

// editor is a line that can be edited. The terminal is raw only while one is typed.
type editor struct {
	state       *liner.State
	normal, raw liner.ModeApplier
}

func newEditor() *editor {
	e := &editor{}
	var err error
	if e.normal, err = liner.TerminalMode(); err != nil {
		return nil
	}
	e.state = liner.NewLiner()
	e.state.SetCtrlCAborts(true)
	if e.raw, err = liner.TerminalMode(); err != nil {
		_ = e.state.Close()
		return nil
	}
	e.restore()
	return e
}

func (e *editor) restore() { _ = e.normal.ApplyMode() }

func (e *editor) read(prompt string) (string, error) {
	_ = e.raw.ApplyMode()
	text, err := e.state.Prompt(prompt)
	e.restore()
	if errors.Is(err, liner.ErrPromptAborted) { // as where the terminal itself sends the signal
		self, err := os.FindProcess(os.Getpid())
		if err == nil && self.Signal(os.Interrupt) == nil {
			return "", errInterrupted
		}
		return "", io.EOF
	}
	if strings.TrimSpace(text) != "" {
		e.state.AppendHistory(text)
	}
	return text, err
}
