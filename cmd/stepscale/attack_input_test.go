package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"
)

// input is one thing that nobody should give the program.
type input struct {
	name  string
	argv  []string          // run in a folder of its own
	files map[string]string // below the folder
	make  func(folder string) error
	env   []string
	fine  string // why it may end well; it has to be refused where this is empty
	says  string // a pattern of what it has to say; may be empty
	alone bool   // it needs a process of its own
}

// hostile are the characters that end up on a terminal, by the names that the tables
// have for them.
var hostile = strings.NewReplacer(
	"{osc}", "a\x1b]52;c;aGVsbG8=\x07b", "{csi}", "a\x1b[2J\x1b[1;1Hb", "{cr}", "a\rb", "{bidi}", "a\u202etxt.b", "{c1}", "a\u009b2Jb",
	"{utf8}", "a\xff\xfeb", "{zero}", "a\u200bb", "{nul}", "a\x00b", "{long}", strings.Repeat("a", 90<<10), "{empty}", "",
	"{tick}", "a`id`$(id)b",
)

// words splits a command line, so that a table can have one for a row.
func words(line string) []string {
	var argv []string
	for word := range strings.FieldsSeq(line) {
		argv = append(argv, hostile.Replace(word))
	}
	return argv
}

// swap puts something in the place of a part of a text, which has to be there.
func swap(text, part, with string) string {
	if !strings.Contains(text, part) {
		panic("there is no " + part)
	}
	return strings.Replace(text, part, with, 1)
}

// TestBadInputs gives the program everything that it should not be given. Whatever it
// is, the program ends by itself, says in Korean what is wrong and what to do, and
// leaves the terminal as it was.
func TestBadInputs(t *testing.T) {
	t.Cleanup(endWorkers)
	var count, red atomic.Int32
	t.Run("of", func(t *testing.T) {
		for group, rows := range map[string][]input{
			"words": wordRows(), "values": valueRows(), "files": fileRows(), "lessons": lessonRows(), "scenarios": scenarioRows(), "objects": objectRows(),
			"recordings": recordingRows(t), "progress": progressRows(), "kubeconfigs": kubeconfigRows(), "environment": environmentRows(),
		} {
			t.Run(group, func(t *testing.T) {
				for _, in := range rows {
					t.Run(in.name, func(t *testing.T) {
						t.Parallel()
						count.Add(1)
						if in.try(t); t.Failed() {
							red.Add(1)
						}
					})
				}
			})
		}
	})
	t.Logf("%d bad inputs, %d of them badly taken", count.Load(), red.Load())
}

func (in input) try(t *testing.T) {
	folder := t.TempDir()
	for name, text := range in.files {
		name = filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if in.make != nil {
		if err := in.make(folder); err != nil {
			t.Skip(err)
		}
	}
	run := callMany
	if in.alone || !utf8.ValidString(strings.Join(in.argv, "")) {
		run = call
	}
	got := run(t, mostTime, command(folder, in.env, in.argv...))
	faults := append(got.faults(), endAll(folder)...)
	if got.hung {
		faults = append(faults, "it did not end in "+mostTime.String())
	}
	if raw := rawWords.FindString(got.screen); raw != "" {
		faults = append(faults, "it says "+raw)
	}
	if in.fine == "" {
		faults = append(faults, got.refusal()...)
	}
	if in.says != "" && !regexp.MustCompile(in.says).MatchString(got.text()) {
		faults = append(faults, "it does not say "+in.says)
	}
	if len(faults) > 0 {
		t.Errorf("stepscale %.200q (exit code %d)\n- %s\n%s", in.argv, got.code, strings.Join(faults, "\n- "), head(got.screen))
	}
}
