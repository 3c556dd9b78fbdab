package full

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/wording"
	"github.com/stepscale/stepscale/engine/recording/recordingtest"
	"github.com/stepscale/stepscale/lessons"
)

// TestEveryLessonIsRecorded: a lesson that was added has its screens looked at, too.
func TestEveryLessonIsRecorded(t *testing.T) {
	all, err := lessons.Load(lessons.FS)
	if err != nil {
		t.Fatal(err)
	}
	known := recordings(t)
	for _, l := range all {
		if l.Recording != "" { // it stands beside the lesson already
			continue
		}
		if !loops()[l.Loop].Observes && !slices.Contains(known, strings.ReplaceAll(l.ID, "/", "-")) {
			t.Errorf("%s has no recording in testdata: play it once with learn %s --auto, and pack what it keeps of itself", l.ID, l.ID)
		}
	}
}

// viewer looks at all screens of a lesson at one size, and keeps them.
type viewer struct {
	t        *testing.T
	size     tea.WindowSizeMsg
	states   int
	kept     []string          // what the golden file has of them
	colors   map[string]string // of every text, how it was colored
	verdicts play.Verdicts     // that were told since the last stop
	judged   int
}

// TestScreens plays every lesson at every size as a learner who gives wrong answers first
// and looks around at every stop. Nothing is wider or higher than the terminal, what is
// asked and what became of it is on the screen, nothing is told by color alone, the colors
// fit light and dark backgrounds, and all is as it was.
func TestScreens(t *testing.T) {
	for _, name := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all []string
			for _, size := range sizes {
				v := &viewer{t: t, size: size, colors: map[string]string{}}
				l := &learner{t: t, wrong: true, color: true, seen: v.see, told: v.hear}
				l.plays(name, size, func(l *learner, stop play.Stop) {
					v.verdict(l.m)
					for _, key := range []string{"left", "[", "end", "v", "esc", "tab", "tab"} {
						l.press(key)
					}
				})
				if len(v.kept) < 10 {
					t.Errorf("only %d screens at %v", len(v.kept), size)
				}
				all = append(all, v.kept...)
			}
			golden(t, name, all)
		})
	}
}

// see holds a state against all that is promised of screens.
func (v *viewer) see(m Model) {
	if v.states++; !m.asking && v.states%10 != 0 { // while a step runs, most are alike
		return
	}
	styled := strings.Join(fits(v.t, m), "\n")
	text := ansi.Strip(styled)
	if before, ok := v.colors[text]; ok && before != styled {
		v.t.Errorf("only the color tells one from the other:\n%q\n%q", before, styled)
	} else if ok {
		return // it was there before
	}
	v.colors[text] = styled
	for _, codes := range sgr.FindAllString(styled, -1) {
		for code := range strings.SplitSeq(strings.Trim(codes, "\x1b[m"), ";") {
			if !slices.Contains(fitBoth, code) {
				v.t.Errorf("%q does not fit light and dark backgrounds", codes)
			}
		}
	}
	if len(v.colors)%10 == 0 {
		quotes := strings.NewReplacer("┃", "|") // the bar of a quotation
		if m.Color = false; quotes.Replace(plain(m)) != quotes.Replace(text) {
			v.t.Errorf("NO_COLOR shows something else:\n%s", plain(m))
		}
	}
	v.keep(text, styled)
}

// fitBoth are the styles that can be read on light and on dark: bold, faint, italic,
// underlined, reverse, and red, green, yellow and cyan of the terminal's own sixteen. No
// black, no white, no background of its own.
var fitBoth = []string{"", "0", "1", "2", "3", "4", "7", "31", "32", "33", "36"}

// keep has the screen in the golden file: as text at the size that it is made for, else,
// and for its colors, as a number.
func (v *viewer) keep(text, styled string) {
	sum := fnv.New64a()
	_, _ = io.WriteString(sum, styled)
	kept := fmt.Sprintf("== %d×%d %d %016x\n", v.size.Width, v.size.Height, len(v.kept)+1, sum.Sum64())
	if v.size == sizes[1] {
		for line := range strings.Lines(text) {
			kept += strings.TrimRight(line, " \n") + "\n"
		}
	}
	v.kept = append(v.kept, kept)
}

func (v *viewer) hear(e play.Event) {
	if e, ok := e.(play.Verdicts); ok {
		v.verdicts = e
	}
}

// verdict is on the screen at the first stop behind it, whatever else there is.
func (v *viewer) verdict(m Model) {
	seen := packed(plain(m))
	if m.beside() { // its rows are cut by what stands beside them
		seen = packed(ansi.Strip(strings.Join(window(m.lines(deed), m.scroll[deed], m.bodyHeight()), "\n")))
	}
	for _, one := range v.verdicts {
		said := dense(written(m.width, false, func(s *view.Screen) { wording.Write(s, play.Verdicts{one}) }))
		if !strings.Contains(seen, packed(said[0])) {
			v.t.Errorf("%v: the verdict %q is not on the screen:\n%s", v.size, said[0], plain(m))
		}
		v.judged++
	}
	v.verdicts = nil
}

// golden holds the screens of a lesson against those that were looked at last.
func golden(t *testing.T, name string, shown []string) {
	t.Helper()
	file, got := filepath.Join("testdata", name+".screens.gz"), strings.Join(shown, "")
	if *update {
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		_, _ = io.WriteString(w, got)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := recordingtest.Unpacked(file)
	if err != nil {
		t.Fatal(err)
	}
	was := strings.Split(string(want), "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(was) || was[i] != line {
			t.Fatalf("%s, line %d unpacked: want %q, got %q (-update writes it anew; look at the difference with zdiff)", file, i+1, was[min(i, len(was)-1)], line)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: screens are missing", file)
	}
}
