package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What one call of the program may cost, whatever it was given.
const (
	mostCPU    = 5 * time.Second
	mostOutput = 100 << 10
	mostMemory = 768 << 20        // the program itself takes 170 MB
	mostTime   = 20 * time.Second // of the wall: others use this machine too
)

// goWords are those of a program that broke, and rawWords those of one that does not
// say in its own what is wrong with a file.
var (
	goWords  = regexp.MustCompile(`panic|goroutine|runtime error|\.go:\d|%!|<nil>|invalid memory|\*errors\.`)
	rawWords = regexp.MustCompile(`strconv\.|(^|[^.\w])(yaml|json): |unmarshal`)
)

// hint is what every message has that somebody can act upon; the last is of a recording
// that differs.
var hint = regexp.MustCompile(`도움:|기록을 고치지 않으셨다면`)

// faults are what is wrong with how a call ended, whatever it was given.
func (o outcome) faults() (all []string) {
	fault := func(bad bool, format string, a ...any) {
		if bad {
			all = append(all, fmt.Sprintf(format, a...))
		}
	}
	fault(o.code < 0, "it was killed")
	fault(o.cpu > mostCPU, "it took %s of CPU", o.cpu)
	fault(o.memory > mostMemory, "it took %d MB", o.memory>>20)
	fault(len(o.screen) > mostOutput, "it wrote %d bytes", len(o.screen))
	fault(goWords.MatchString(o.screen), "it says %q", goWords.FindString(o.screen))
	fault(!utf8.ValidString(o.screen), "it wrote invalid UTF-8")
	fault(strings.ContainsFunc(o.screen, controls), "it wrote %q", firstControl(o.screen))
	return all
}

// refusal are the faults of a call that had to be refused, besides.
func (o outcome) refusal() (all []string) {
	if o.code == 0 {
		all = append(all, "the exit code is 0")
	}
	if !strings.ContainsFunc(o.screen, hangul) {
		all = append(all, "it says nothing in Korean")
	}
	if !hint.MatchString(o.screen) {
		all = append(all, "it gives no hint")
	}
	return all
}

// controls tells of a character whether it may move the terminal, or the eye: C0 and
// C1 except newline and tab, directions, and characters without width.
func controls(r rune) bool {
	return r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r >= 0x200b && r <= 0x200d || r == 0x2060 || r == 0xfeff
}

func hangul(r rune) bool { return unicode.Is(unicode.Hangul, r) }

func firstControl(text string) string {
	i := strings.IndexFunc(text, controls)
	if i < 0 {
		return ""
	}
	return text[i:min(i+12, len(text))]
}

// head is the beginning of a screen, as a test shows it.
func head(text string) string {
	const most = 1500
	return strings.ToValidUTF8(text[:min(len(text), most)], "?")
}
