package view

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/engine/outside"
)

// Title opens a lesson.
func (s *Screen) Title(text string) {
	rule := s.style(title, strings.Repeat("═", s.width)) + "\n"
	if s.plain {
		rule = ""
	}
	s.print("\n" + rule)
	s.line(s.style(title, cell(seen(text))))
	s.print(rule + "\n")
}

// Coming says what the next step is about to do.
func (s *Screen) Coming(text string) {
	s.print(s.wrap(s.style(bold, "▶ 곧 일어날 일: ")+oneLine(seen(text)), 3) + "\n")
}

// Question asks the learner to predict a value.
func (s *Screen) Question(text string) {
	s.print("\n" + s.wrap(s.style(yellow, "? 예측: ")+oneLine(seen(text)), 3) + "\n")
}

// Prompt leaves the cursor where the learner types.
func (s *Screen) Prompt(text string) { s.print(s.style(bold, cell(seen(text))) + " ") }

// Echo shows a line that was read from a pipe where a terminal would have.
func (s *Screen) Echo(line string) { s.print(cell(seen(line)) + "\n") }

// Right and Wrong answer a prediction with the value that really came out.
func (s *Screen) Right(label, value string) {
	s.verdict(s.style(green, "✔ 맞았습니다.") + fmt.Sprintf(" %s: %s", seen(label), FactValue(seen(value))))
}

func (s *Screen) Wrong(label, guess, value string) {
	s.verdict(s.style(red, "✘ 아쉽습니다.") + fmt.Sprintf(" 예측하신 값은 %s, 실제 값은 %s입니다. (%s)",
		seen(guess), s.style(bold, FactValue(seen(value))), seen(label)))
}

// Answer tells a value that nobody predicted.
func (s *Screen) Answer(label, value string) {
	s.verdict(s.style(bold, "· 답:") + fmt.Sprintf(" %s = %s", seen(label), FactValue(seen(value))))
}

func (s *Screen) verdict(styled string) { s.print(s.wrap(cell(styled), 2) + "\n") }

// Hint shows a lesson's hint.
func (s *Screen) Hint(text string) {
	s.print(s.wrap(s.style(yellow, "힌트: ")+oneLine(seen(text)), 6) + "\n")
}

// Note is a remark of the program itself.
func (s *Screen) Note(text string) { s.print(s.wrap(s.style(faint, "· "+seen(text)), 2) + "\n") }

// Remaining shows, on a terminal only, how long a wait still takes. It is written
// over the line that it wrote before; Erase removes it.
func (s *Screen) Remaining(left time.Duration) {
	if s.tty {
		s.print("\r\x1b[K" + s.style(faint, fmt.Sprintf("· 실제 시간으로 %d초 더 기다립니다…", int(math.Ceil(left.Seconds())))))
	}
}

// Waiting tells of a wait where Remaining cannot count it down.
func (s *Screen) Waiting(d time.Duration) {
	if !s.tty && d >= time.Second {
		s.Note(fmt.Sprintf("실제 시간으로 %s 기다립니다.", Duration(d)))
	}
}

// Busy shows on a terminal what is being done, until Erase.
func (s *Screen) Busy(text string) {
	if s.tty {
		s.print("\r\x1b[K" + s.style(faint, shorten("· "+seen(text)+"…", s.width-1))) // Erase removes one line
	}
}

// Doing tells of what takes a while where Busy cannot show it.
func (s *Screen) Doing(text string) {
	if !s.tty {
		s.Note(text + ".")
	}
}

// Erase removes what Remaining or Busy left.
func (s *Screen) Erase() {
	if s.tty {
		s.print("\r\x1b[K")
	}
}

// Done marks something that came to its end.
func (s *Screen) Done(text string) { s.print(s.wrap(s.style(green, "✔ "+seen(text)), 2) + "\n") }

// Problem prints an error with the place it happened and what to do about it.
func (s *Screen) Problem(what, where, hint string) {
	s.print(s.wrap(s.style(boldRed, "오류: ")+seen(what), 2) + "\n")
	if where != "" {
		s.print(s.wrap("  위치: "+seen(where), 8) + "\n")
	}
	if hint != "" {
		s.print(s.wrap("  도움: "+seen(hint), 8) + "\n")
	}
}

// Pairs is a two-column list: names on the left, wrapped text on the right.
func (s *Screen) Pairs(rows [][2]string) {
	rows = seenIn(rows)
	left := 0
	for i, r := range rows {
		rows[i][0] = cell(r[0])
		left = max(left, ansi.StringWidth(r[0]))
	}
	stacked := left+4 > s.width/2
	for _, r := range rows {
		switch {
		case r[1] == "":
			s.print("  " + s.style(cyan, r[0]) + "\n")
		case stacked:
			s.print("  " + s.style(cyan, r[0]) + "\n")
			s.print(s.wrap("      "+r[1], 6) + "\n")
		default:
			s.print("  " + s.style(cyan, pad(r[0], left)) + "  " + hang(r[1], s.width, left+4) + "\n")
		}
	}
}

// Section names what follows.
func (s *Screen) Section(name string) { s.section(cell(seen(name))) }

// Raw writes text without wrapping it or making it shorter: it is there to be copied.
func (s *Screen) Raw(text string) { s.print(outside.Text(strings.TrimRight(text, "\n")) + "\n") }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
