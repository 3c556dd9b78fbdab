// Package outside is where text and files come in that somebody else wrote: messages
// of an API server, names of objects, lessons, recordings, arguments. It takes from
// text what would move a terminal or deceive its reader, and opens no file that may
// never end.
package outside

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/runenames"
)

// unseen are the characters that a reader cannot see: what controls a terminal, what
// turns the direction of text, what has no width, and what is reserved for such.
var unseen = []*unicode.RangeTable{unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
	unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector}

// Refused tells whether a screen must not show r. Newline and tab it may, and the two
// selectors that choose between the faces of an emoji.
func Refused(r rune) bool {
	switch {
	case r >= ' ' && r < unicode.MaxASCII, r == '\n', r == '\t', r == '\ufe0e', r == '\ufe0f':
		return false
	}
	return unicode.In(r, unseen...)
}

// tab is what a screen shows for a tab: one that is laid out in columns has no other.
const tab = "    "

// Text is s with everything that Refused refuses, and bytes that are no UTF-8, written
// out as Go would: \x1b, \u202e. The reader sees that something was there.
func Text(s string) string { return visible(s, tab) }

func visible(s, tab string) string {
	if !strings.ContainsFunc(s, doubtful) {
		return s
	}
	var b strings.Builder
	for i, n := 0, 0; i < len(s); i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\t':
			b.WriteString(tab)
		case r == '\r' && strings.HasPrefix(s[i+n:], "\n"): // the end of a line elsewhere
		case Refused(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteString(s[i : i+n])
		}
	}
	return b.String()
}

func doubtful(r rune) bool { return r == '\t' || r == utf8.RuneError || Refused(r) }

// How long a text may be that is one of many on a screen.
const (
	mostRunes = 2000
	mostLines = 40
)

// Brief is s, or its beginning and how long it was.
func Brief(s string) string {
	runes, lines := 0, 1
	for i, r := range s {
		if r == '\n' {
			lines++
		}
		if runes++; runes > mostRunes || lines > mostLines {
			return fmt.Sprintf("%s… (전체 %d바이트)", s[:i], len(s))
		}
	}
	return s
}

// Place is where a text has a character that Refused refuses.
type Place struct {
	Line, Column int    // counted from 1, in characters
	What         string // "U+202E RIGHT-TO-LEFT OVERRIDE"
}

// mostPlaces are enough to mend a text by: a binary file has millions.
const mostPlaces = 10

// Find is where refused characters and bytes that are no UTF-8 are in text, the first
// few of them, and how many there are.
func Find(text string) (places []Place, all int) {
	for i, n, line, column := 0, 0, 1, 1; i < len(text); i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(text[i:])
		broken := r == utf8.RuneError && n == 1
		switch {
		case r == '\r' && strings.HasPrefix(text[i+n:], "\n"):
		case broken, Refused(r):
			if all++; all <= mostPlaces {
				what := Name(r)
				if broken {
					what = fmt.Sprintf(`UTF-8이 아닌 바이트 \x%02x`, text[i])
				}
				places = append(places, Place{line, column, what})
			}
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
	return places, all
}

// controls are the names that the standard does not give to control characters.
var controls = map[rune]string{0: "NULL", '\a': "BELL", '\b': "BACKSPACE", '\r': "CARRIAGE RETURN", 0x1b: "ESCAPE", 0x7f: "DELETE"}

// Name is a code point as the standard writes it.
func Name(r rune) string {
	name := controls[r]
	if name == "" {
		name = runenames.Name(r)
	}
	return strings.TrimSpace(fmt.Sprintf("%U %s", r, name))
}

// entity is a reference to a character in markdown, also one that is hidden in another,
// and also without its semicolon: renderers are lenient, and decode more than once.
var entity = regexp.MustCompile(`&(?:(?:amp|AMP|#0*38|#[xX]0*26);?)*(?:#[xX]?[0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);?`)

// Unfold puts the character in place of the markdown entity that hides a refused one:
// a renderer would, after it was looked for.
func Unfold(markdown string) string {
	return entity.ReplaceAllStringFunc(markdown, func(e string) string {
		for _, decode := range []func(string) string{html.UnescapeString, numeric} {
			if text := repeat(decode, e); strings.ContainsFunc(text, Refused) {
				return text
			}
		}
		return e
	})
}

// repeat applies decode until nothing changes.
func repeat(decode func(string) string, text string) string {
	for next := decode(text); next != text; next = decode(text) {
		text = next
	}
	return text
}

var number = regexp.MustCompile(`&#([0-9]+|[xX][0-9a-fA-F]+);?`)

// numeric reads numbers as CommonMark does: the browsers, and Go, take C1 for the
// characters of Windows-1252.
func numeric(text string) string {
	return number.ReplaceAllStringFunc(strings.ReplaceAll(text, "&amp;", "&"), func(e string) string {
		digits, base := strings.Trim(e, "&#;"), 10
		if digits[0]|' ' == 'x' {
			digits, base = digits[1:], 16
		}
		n, err := strconv.ParseInt(digits, base, 32)
		if err != nil || n > unicode.MaxRune {
			return e
		}
		return string(rune(n))
	})
}
