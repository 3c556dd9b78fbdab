package full

import (
	"slices"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/text/unicode/norm"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// field is a line that is being typed. bubbles' own puts the caret at the wrong column
// behind Hangul.
type field struct {
	text  []rune
	caret int // before which rune
}

func (f field) String() string { return string(f.text) }

// column is where the caret stands, in columns from the beginning.
func (f field) column() int { return ansi.StringWidth(string(f.text[:f.caret])) }

// mostTyped is how long a line may become; an answer is a word.
const mostTyped = 200

// typed puts text in at the caret. Hangul that comes in parts is put together, since
// terminals and width tables do not agree how wide the parts are.
func (f field) typed(text string) field {
	for _, r := range text {
		if !unicode.IsPrint(r) || len(f.text) >= mostTyped {
			continue
		}
		f.text = slices.Insert(slices.Clone(f.text), f.caret, r)
		f.caret++
	}
	whole := []rune(play.Composed(norm.NFC.String(string(f.text[:f.caret]))))
	f.text = append(whole, f.text[f.caret:]...)
	f.caret = len(whole)
	return f
}

// key edits; false where the key edits nothing.
func (f field) key(name string) (field, bool) {
	switch name {
	case "left", "ctrl+b":
		f.caret = max(f.caret-1, 0)
	case "right", "ctrl+f":
		f.caret = min(f.caret+1, len(f.text))
	case "home", "ctrl+a":
		f.caret = 0
	case "end", "ctrl+e":
		f.caret = len(f.text)
	case "backspace", "ctrl+h":
		if f.caret > 0 {
			f.text = slices.Delete(slices.Clone(f.text), f.caret-1, f.caret)
			f.caret--
		}
	case "delete", "ctrl+d":
		if f.caret < len(f.text) {
			f.text = slices.Delete(slices.Clone(f.text), f.caret, f.caret+1)
		}
	case "ctrl+u":
		f = field{}
	case "ctrl+w":
		f.text, f.caret = f.text[f.caret:], 0
	default:
		return f, false
	}
	return f, true
}
