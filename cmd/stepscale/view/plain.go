package view

import (
	"io"
	"os"
	"strings"
)

// Plain is a writer whose screens can be read out: nothing is drawn in lines or bars, the
// numbers of which stand beside them, and the caret is never moved. ACCESSIBLE in the
// environment makes every screen such a one.
func Plain(w io.Writer) io.Writer { return plainWriter{w} }

type plainWriter struct{ io.Writer }

// Fd is that of the terminal, so that its width is known.
func (p plainWriter) Fd() uintptr {
	if f, ok := p.Writer.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}

// Accessible tells whether the environment asks for screens that can be read out.
func Accessible() bool { return os.Getenv("ACCESSIBLE") != "" }

// NewPlain returns a screen of a given width that can be read out.
func NewPlain(w io.Writer, width int) *Screen {
	s := NewFixed(w, width, false)
	s.plain = true
	return s
}

// spoken is text without lines and dots of box drawing and braille, which a screen reader
// names one by one; a lesson may draw with them, too.
func spoken(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '│' || r == '┃' || r == '║':
			return '|'
		case r == '─' || r == '━' || r == '═' || r == '┄' || r == '┈':
			return '-'
		case r >= 0x2500 && r <= 0x257f:
			return '+'
		case r >= 0x2800 && r <= 0x28ff:
			return '*'
		}
		return r
	}, text)
}
