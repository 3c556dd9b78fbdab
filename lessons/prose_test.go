package lessons_test

import (
	_ "embed" // the seed
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/lessons"
)

// seed is the document that the lessons teach.
//
//go:embed testdata/seed.txt
var seed string

var (
	image = regexp.MustCompile(`!\[image]\(.*?\)`)
	mark  = regexp.MustCompile(`^(#+ |- |\d\) )?(\d[.)] )?`) // of a heading or a list
	quote = regexp.MustCompile(`(?m)^> \*\*원문( [\d)-]+)?\*\* (.*)$`)
)

// words are a line's own words: without its place in a list, its stops and its weight.
func words(line string) string {
	line = strings.Join(strings.Fields(strings.ReplaceAll(image.ReplaceAllString(line, ""), "**", "")), " ")
	line = strings.ReplaceAll(mark.ReplaceAllString(line, ""), ". ", " ")
	return strings.TrimSpace(strings.TrimSuffix(line, "."))
}

func seedLines() (lines []string) {
	for l := range strings.Lines(seed) {
		if w := words(l); w != "" {
			lines = append(lines, w)
		}
	}
	return lines
}

// quotes are what the lessons quote, by where.
func quotes(all []lessons.Lesson) map[string]string {
	found := map[string]string{}
	for _, l := range all {
		for _, b := range l.Blocks {
			for _, q := range quote.FindAllStringSubmatch(b.Text, -1) {
				found[fmt.Sprintf("%s, the block at line %d: %s", l.File, b.Line, q[2])] = words(q[2])
			}
		}
	}
	return found
}

func ownLessons(t *testing.T) []lessons.Lesson {
	t.Helper()
	all, err := lessons.Load(lessons.FS)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSeedIsQuoted holds every line of the seed against the lessons, and every
// quotation against the seed: nothing is left out, and no word is put in its mouth.
func TestSeedIsQuoted(t *testing.T) {
	lines, quoted := seedLines(), quotes(ownLessons(t))
	if len(lines) < 50 {
		t.Fatalf("only %d lines in the seed", len(lines))
	}
	for _, line := range lines {
		if !anyContains(quoted, line) {
			t.Errorf("no lesson quotes %q", line)
		}
	}
	whole := strings.Join(lines, " ")
	for where, q := range quoted {
		if !strings.Contains(whole, q) {
			t.Errorf("%s\nis not what the seed says", where)
		}
	}
}

func anyContains(texts map[string]string, part string) bool {
	for _, text := range texts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// asterisks finds marks of weight that would stand on the screen as they are: markdown
// closes nothing at "**10.4%**입니다", where punctuation comes before the marks and a letter
// behind them.
func asterisks(markdown string) (found []string) {
	source := []byte(markdown)
	root := goldmark.DefaultParser().Parse(text.NewReader(source))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Kind() == ast.KindCodeSpan {
			return ast.WalkSkipChildren, nil
		}
		if leaf, ok := n.(*ast.Text); ok && entering {
			if s := string(leaf.Value(source)); strings.Contains(s, "**") {
				found = append(found, s)
			}
		}
		return ast.WalkContinue, nil
	})
	return found
}

func TestAsterisksAreFound(t *testing.T) {
	for markdown, want := range map[string]bool{
		"**10.4%**입니다": true, "값은**'가'**뿐": true, "> **거짓(false)**으로": true,
		"**10.4**%입니다": false, "**거짓**(`false`)으로": false, "`2 ** 3`": false, "    a ** b": false, "(**가**)": false,
	} {
		if got := asterisks(markdown); len(got) > 0 != want {
			t.Errorf("%q: found %q", markdown, got)
		}
	}
}

// eitherParticle is a particle that the writer left to the reader.
var eitherParticle = regexp.MustCompile(`[은을이와]\([는를가과]\)|\(으\)로`)

func TestProseReadsAsWritten(t *testing.T) {
	for _, l := range ownLessons(t) {
		for _, b := range l.Blocks {
			for _, s := range asterisks(b.Text) {
				t.Errorf("%s, the block at line %d: asterisks are printed in %q", l.File, b.Line, s)
			}
			for _, s := range eitherParticle.FindAllString(b.Text, -1) {
				t.Errorf("%s, the block at line %d: %s", l.File, b.Line, s)
			}
		}
	}
}

// TestNumbersOfTheProseAreOwned: a learner who is sent to another terminal can change what
// the prose counts on, so such a lesson says which numbers hold then.
func TestNumbersOfTheProseAreOwned(t *testing.T) {
	for _, l := range ownLessons(t) {
		var prose strings.Builder
		for _, b := range l.Blocks {
			if b.Kind == lessons.Prose || b.Kind == lessons.When {
				prose.WriteString(b.Text)
			}
		}
		all := prose.String()
		sends := strings.Contains(all, "다른 터미널") || strings.Contains(all, "$NS")
		if sends && !strings.Contains(all, "**숫자에 대하여**") {
			t.Errorf("%s sends the learner to a terminal and does not say which numbers hold", l.File)
		}
	}
}

// afterNumber is a number with its unit and the particle behind it, also in bold.
var afterNumber = regexp.MustCompile(`([0-9](?:m|%|Mi|Gi|s)?)(?:\*\*)?(은|는|이|가|을|를|과|와|으로|로)[ ,.)]`)

// TestParticlesAfterNumbers: what follows a number is right when it is read aloud.
func TestParticlesAfterNumbers(t *testing.T) {
	follows := func(word, particle string) bool {
		for _, with := range []func(string) string{korean.Topic, korean.Subject, korean.Object, korean.And, korean.By} {
			if with(word) == word+particle {
				return true
			}
		}
		return false
	}
	all, err := lessons.Load(lessons.FS)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, l := range all {
		for _, b := range l.Blocks {
			for _, m := range afterNumber.FindAllStringSubmatch(b.Text, -1) {
				if seen++; !follows(m[1], m[2]) {
					t.Errorf("%s:%d: %s", l.File, b.Line, m[0])
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("%d numbers with a particle", seen)
	}
}
