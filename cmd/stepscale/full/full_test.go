package full

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view/viewtest"
)

var update = flag.Bool("update", false, "write the golden screens anew")

var sizes = []tea.WindowSizeMsg{{Width: 60, Height: 20}, {Width: 80, Height: 24}, {Width: 120, Height: 40}, {Width: 200, Height: 60}}

// recordings are the lessons that can be played here.
func recordings(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.jsonl.gz"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".jsonl.gz"))
	}
	return names
}

// plain is the screen as text.
func plain(m Model) string { return ansi.Strip(strings.Join(rows(m), "\n")) }

func rows(m Model) []string {
	all, _ := m.screen()
	return all
}

// packed is text without the spaces in it: where a line ends is the layout's.
func packed(text string) string { return strings.Join(strings.Fields(text), "") }

// TestEveryScreenFits plays lessons, and lays every state out for every size: no line is
// wider and no screen higher than the terminal, and what is asked is on it.
func TestEveryScreenFits(t *testing.T) {
	for _, name := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			screens := 0
			l := &learner{t: t, wrong: true, seen: func(m Model) {
				for _, size := range sizes {
					for _, color := range []bool{false, true} {
						m.width, m.height, m.Color = size.Width, size.Height, color
						fits(t, m)
						screens++
					}
				}
			}}
			l.plays(name, sizes[1], func(l *learner, stop play.Stop) {
				for _, key := range []string{"left", "left", "[", "end", "g", "esc", "tab", "tab"} {
					l.press(key)
				}
			})
			if screens < 1000 {
				t.Errorf("only %d screens", screens)
			}
		})
	}
}

func fits(t *testing.T, m Model) {
	t.Helper()
	all := rows(m)
	if len(all) != m.height {
		t.Errorf("%d rows on a screen of %d×%d", len(all), m.width, m.height)
	}
	for _, row := range all {
		text := ansi.Strip(row)
		if n := viewtest.Cells(text); n != m.width {
			t.Errorf("%d columns on a screen of %d: %q", n, m.width, text)
		}
		if !m.Color && text != row {
			t.Errorf("a styled row without colors: %q", row)
		}
	}
	if m.answering() {
		q := m.questions[m.current]
		if !strings.Contains(packed(strings.Join(all, "")), packed(q.text)) {
			t.Errorf("%d×%d: the question %q is not on the screen:\n%s", m.width, m.height, q.text, plain(m))
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// TestGoldenScreens plays the lesson of the HPA's five steps as a learner who answers all
// questions right does, on the size that the screen is made for.
func TestGoldenScreens(t *testing.T) {
	const name = "hpa-02-control-loop"
	var shown []string
	l := &learner{t: t, seen: func(m Model) {
		if text := trimRight(plain(m)); m.asking && len(m.field.text) == 0 && (len(shown) == 0 || shown[len(shown)-1] != text) {
			shown = append(shown, text)
		}
	}}
	l.plays(name, sizes[1], nil)
	golden(t, name, shown)
}

func trimRight(screen string) string {
	lines := strings.Split(screen, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

func golden(t *testing.T, name string, shown []string) {
	t.Helper()
	var b strings.Builder
	for i, s := range shown {
		b.WriteString(strings.Repeat("=", 70) + " " + strconv.Itoa(i+1) + "\n" + s + "\n")
	}
	file := filepath.Join("testdata", name+".screens")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(b.String(), "\n"); !slices.Equal(got, strings.Split(string(want), "\n")) {
		for i, line := range strings.Split(string(want), "\n") {
			if i >= len(got) || got[i] != line {
				t.Fatalf("%s:%d: want %q, got %q", file, i+1, line, got[min(i, len(got)-1)])
			}
		}
		t.Fatalf("%s: %d lines too many", file, len(got)-strings.Count(string(want), "\n"))
	}
}
