package handout_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/stepscale/stepscale/cmd/stepscale/browsertest"
	"github.com/stepscale/stepscale/cmd/stepscale/handout"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/recording/recordingtest"
)

// largest is how large the page of a lesson may be, in bytes.
const largest = 300_000

// lessonPage makes the page of a lesson that was recorded on the embedded cluster.
func lessonPage(t *testing.T, recorded string) (html []byte) {
	t.Helper()
	raw, err := recordingtest.Unpacked(filepath.Join("..", "full", "testdata", recorded))
	if err != nil {
		t.Fatal(err)
	}
	rec, err := recording.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := handout.Make(t.Context(), rec, strings.TrimSuffix(recorded, ".jsonl.gz"), []string{"수업의 기록입니다."})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.WriteHTML(&b, bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// lessonRecordings are those that are kept beside the full screen.
func lessonRecordings(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "full", "testdata", "*.jsonl.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d recordings", err, len(files))
	}
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	return names
}

func TestPagesOfLessonsAreSmall(t *testing.T) {
	for _, name := range lessonRecordings(t) {
		if n := len(lessonPage(t, name)); n > largest {
			t.Errorf("%s: %d bytes, more than %d", name, n, largest)
		} else {
			t.Logf("%s: %d bytes", name, n)
		}
	}
}

// TestPageInABrowser asks nobody for anything, says nothing on the console, and can be read by
// everybody: on a telephone, on a screen, in the dark, on paper.
func TestPageInABrowser(t *testing.T) {
	for _, name := range []string{"hpa-02-control-loop.jsonl.gz", "vpa-02-control-loop.jsonl.gz"} {
		file := filepath.Join(t.TempDir(), "report.html")
		if err := os.WriteFile(file, lessonPage(t, name), 0o600); err != nil {
			t.Fatal(err)
		}
		for look, o := range map[string]browsertest.Options{
			"telephone": {Width: 360, Height: 640}, "screen": {Width: 1280, Height: 800}, "dark": {Width: 1280, Height: 800, Dark: true}, "paper": {Width: 794, Height: 1123, Print: true},
		} {
			t.Run(name+"/"+look, func(t *testing.T) {
				p := browsertest.Open(t, "file://"+file, o)
				charts := picture(t, p, name+"-"+look)
				p.Press("a") // all is unfolded
				if found := p.Unreadable(); len(found) > 0 {
					t.Errorf("%d: %q", len(found), found[:min(len(found), 5)])
				}
				if asked := p.Requests(); !slices.Equal(asked, []string{"file://" + file}) {
					t.Errorf("the page asks for %q", asked)
				}
				if said := p.Errors(); len(said) > 0 {
					t.Errorf("the console says %q", said)
				}
				if charts < 2 {
					t.Errorf("%d charts", charts)
				}
			})
		}
	}
}

// picture counts the charts, and keeps a picture where somebody asks for it.
func picture(t *testing.T, p *browsertest.Page, name string) (charts int) {
	t.Helper()
	charts = browsertest.Eval[int](p, `document.querySelectorAll("figure > svg").length`)
	if dir := os.Getenv("STEPSCALE_PICTURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), p.Picture(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return charts
}

// TestKeysOfAPage are those of the terminal.
func TestKeysOfAPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, lessonPage(t, "vpa-02-control-loop.jsonl.gz"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := browsertest.Open(t, "file://"+file, browsertest.Options{Width: 1280, Height: 800})
	focused := func() string { return browsertest.Eval[string](p, `document.activeElement.textContent`) }
	passes := browsertest.Eval[[]string](p, `Array.from(document.querySelectorAll("details.pass > summary")).map((s) => s.textContent)`)
	if len(passes) < 3 {
		t.Fatalf("%q", passes)
	}
	for _, step := range []struct {
		key  string
		pass int
	}{{kb.ArrowRight, 0}, {"n", 1}, {kb.ArrowRight, 2}, {"p", 1}, {kb.ArrowLeft, 0}, {kb.ArrowLeft, 0}} {
		if p.Press(step.key); focused() != passes[step.pass] {
			t.Errorf("after %q: %q, want %q", step.key, focused(), passes[step.pass])
		}
	}
	open := func() int { return browsertest.Eval[int](p, `document.querySelectorAll("details.pass[open]").length`) }
	if p.Press(kb.Enter); open() != 1 {
		t.Errorf("Enter unfolds %d", open())
	}
	if p.Press("a"); open() != len(passes) {
		t.Errorf("a unfolds %d of %d", open(), len(passes))
	}
	if p.Press("a"); open() != 0 {
		t.Errorf("a again leaves %d unfolded", open())
	}
}
