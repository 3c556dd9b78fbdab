package view

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// blockStart is how a line begins that is no continuation of the one before.
var blockStart = regexp.MustCompile("^ *([-*+] |[0-9]+[.)] |#|>|\\||```|~~~|---|===|\\* \\*)")

// joinLines makes one line of each paragraph: where the source breaks a line is no
// business of the screen.
func joinLines(source string) string {
	var out []string
	fence, open := false, false // open: the last line may go on
	for l := range strings.SplitSeq(source, "\n") {
		mark := strings.HasPrefix(strings.TrimSpace(l), "```") || strings.HasPrefix(strings.TrimSpace(l), "~~~")
		blank := strings.TrimSpace(l) == ""
		switch {
		case !fence && open && !blank && !blockStart.MatchString(l):
			out[len(out)-1] += " " + strings.TrimSpace(l)
		default:
			out = append(out, l)
		}
		open = !fence && !mark && !blank && !strings.HasPrefix(l, "#") && !strings.HasSuffix(l, "  ") && !strings.HasSuffix(l, `\`)
		if mark {
			fence = !fence
		}
	}
	return strings.Join(out, "\n")
}

// boundary is a punctuation mark that nobody writes. It stands for a moment between a
// mark of strong emphasis and a Korean particle, and is taken out again.
const boundary = "\u2e31"

// closeBold lets **10.4%**입니다 be bold. CommonMark closes emphasis after punctuation only
// before a space or more punctuation, and a particle is neither; it is the same before
// the mark that opens it. Korean code gets its quotes first.
func closeBold(source string) string {
	var out []string
	fence := false
	for l := range strings.SplitSeq(source, "\n") {
		if strings.HasPrefix(strings.TrimSpace(l), "```") {
			fence = !fence
		}
		if !fence {
			l = closeBoldLine(quoteWords(l))
		}
		out = append(out, l)
	}
	return strings.Join(out, "\n")
}

func closeBoldLine(line string) string {
	const mark = "**"
	var b strings.Builder
	strong := false
	for i, code := range strings.Split(line, "`") {
		if i > 0 {
			b.WriteByte('`')
		}
		if i%2 == 1 { // inside of code
			b.WriteString(code)
			continue
		}
		for n, text := range strings.Split(code, mark) {
			if n > 0 {
				before, _ := utf8.DecodeLastRuneInString(b.String())
				after, _ := utf8.DecodeRuneInString(text)
				if text == "" { // code follows, or the end of the line
					after = ' '
				}
				switch {
				case strong && unicode.IsLetter(after) && (closes(before) || before == '`'):
					b.WriteString(mark + boundary)
				case !strong && unicode.IsLetter(before) && closes(after):
					b.WriteString(boundary + mark)
				default:
					b.WriteString(mark)
				}
				strong = !strong
			}
			b.WriteString(text)
		}
	}
	return b.String()
}

// quoteWords puts code that is a Korean word into quotes: where code has no color, nobody
// could read a sentence about the command `왜`.
func quoteWords(line string) string {
	parts := strings.Split(line, "`")
	for i := 1; i+1 < len(parts); i += 2 {
		if r, _ := utf8.DecodeRuneInString(parts[i]); unicode.Is(unicode.Hangul, r) {
			parts[i-1] += "‘"
			parts[i+1] = "’" + parts[i+1]
		}
	}
	return strings.Join(parts, "`")
}

func closes(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }
