package cli

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stepscale/stepscale/cmd/stepscale/full"
	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/view/viewtest"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// wide is the whole screen beside the lines: it hears what is played, and has to say the
// same.
type wide struct {
	t      *testing.T
	m      full.Model
	lines  bytes.Buffer
	face   *lines.Face
	spoken bytes.Buffer
	plain  *lines.Face
	framed map[string]bool
	random *rand.Rand

	sent             bool // a line was sent to the play
	question         string
	judged           bool
	frames, verdicts int
}

func newWide(t *testing.T, l lessons.Lesson) *wide {
	seed := fnv.New64()
	_, _ = seed.Write([]byte(l.ID))
	w := &wide{t: t, framed: map[string]bool{}, random: rand.New(rand.NewPCG(seed.Sum64(), 1))}
	w.m = full.New(full.Setting{Loop: loops[l.Loop], Simulated: true, Replay: l.Recording != "", Lesson: l.Recording != ""}, func(string) { w.sent = true })
	w.face = &lines.Face{Screen: view.NewFixed(&w.lines, columns, false)}
	w.plain = &lines.Face{Screen: view.NewPlain(&w.spoken, columns)}
	return w
}

func (w *wide) tell(msg tea.Msg) {
	next, _ := w.m.Update(msg)
	w.m = next.(full.Model)
}

func (w *wide) frame(f trace.Frame) {
	if key := fmt.Sprint(f.Pass, f.Step, f.Err, f.At); !w.framed[key] {
		w.framed[key] = true
		w.tell(full.Framed{Frame: f})
	}
}

// show takes an event in, and holds the screens against what is asked of them.
func (w *wide) show(e play.Event) {
	switch e := e.(type) {
	case play.Executed:
		w.frame(e.Frame)
	case play.Pass:
		for _, f := range e.Frames {
			w.frame(f)
		}
	case play.Replayed, play.Result: // a lesson about a recording has no other
		w.frames++
	case play.Question:
		w.question = e.Text
	case play.Verdicts:
		w.judged = true
	}
	w.face.Render(e)
	w.plain.Render(e)
	w.tell(full.Told{Event: e})
	w.resized()
	switch e := e.(type) {
	case play.Executed:
		w.same(e)
	case play.Ask:
		w.asks(e.Stop)
	}
}

// screen is what stands on the model's screen at a size.
func screen(m full.Model, columns, rows int) string {
	next, _ := m.Update(tea.WindowSizeMsg{Width: columns, Height: rows})
	return ansi.Strip(next.(full.Model).View().Content)
}

// resized lays the screen out for a size that nobody has thought of.
func (w *wide) resized() {
	columns, rows := 1+w.random.IntN(240), 1+w.random.IntN(80)
	text := screen(w.m, columns, rows)
	lines := strings.Split(text, "\n")
	if len(lines) != rows {
		w.t.Errorf("%d rows on a screen of %d×%d", len(lines), columns, rows)
	}
	for _, line := range lines {
		if n := viewtest.Cells(line); n != columns && columns > 2 {
			w.t.Errorf("%d columns on a screen of %d×%d: %q", n, columns, rows, line)
		}
	}
}

// asks holds what is asked for against the sizes that are promised.
func (w *wide) asks(stop play.Stop) {
	for _, size := range [][2]int{{60, 20}, {80, 24}, {120, 40}, {200, 60}} {
		text := screen(w.m, size[0], size[1])
		if w.judged && !strings.ContainsAny(text, "✔✘·") {
			w.t.Errorf("%v: the verdict is not on the screen:\n%s", size, text)
		}
		if w.judged {
			w.verdicts++
		}
		m := w.m
		for range 100 { // a learner reads on until the answer can be typed
			text = screen(m, size[0], size[1])
			if stop != play.ForAnswer || strings.Contains(text, "예측>") {
				break
			}
			next, _ := m.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			next, _ = next.(full.Model).Update(tea.KeyPressMsg{Code: tea.KeyEnter})
			m = next.(full.Model)
		}
		if stop == play.ForAnswer && !strings.Contains(packed(text), packed(w.question)) {
			w.t.Errorf("%v: the question %q is not on the screen:\n%s", size, w.question, text)
		}
	}
	w.judged = false
	w.goesOn()
}

// goesOn presses Enter until the screen has sent a line, and waits for what comes of it.
func (w *wide) goesOn() {
	w.sent = false
	for range 100 {
		next, cmd := w.m.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
		if w.m = next.(full.Model); cmd == nil {
			continue
		}
		if batch, ok := cmd().(tea.BatchMsg); ok {
			batch[0]() // the line; the rest is a tick
		}
		if w.sent {
			return
		}
	}
	w.t.Errorf("Enter leads nowhere:\n%s", screen(w.m, columns, 24))
}

func packed(text string) string { return strings.Join(strings.Fields(text), "") }

// passRow is how the row of a pass begins: its number, and the time since the start.
var passRow = regexp.MustCompile(`^\d+\+\d+:\d\d`)

// tall is a screen on which every page is seen whole.
const tall = 600

// pages are all that the whole screen can show of the step that it has just been told of:
// what it did, its calls, all of its facts, and the commands that show the same.
func (w *wide) pages(e play.Executed) (head, bodies string) {
	next, _ := w.m.Update(full.Told{Event: play.Ask{Stop: play.ForNext}})
	m := next.(full.Model)
	deed := screen(m, columns, tall)
	head, _, _ = strings.Cut(deed, "\n── ")
	bodies = body(deed)
	calls, _ := m.Update(tea.KeyPressMsg{Code: 'a', Text: "a"})
	bodies += body(screen(calls.(full.Model), columns, tall))
	for _, over := range []play.Event{play.Facts{Frame: e.Frame}, play.Kubectl{Frame: e.Frame, Executed: true}} {
		shown, _ := m.Update(full.Told{Event: over})
		bodies += body(screen(shown.(full.Model), columns, tall))
	}
	return head, bodies
}

// goesOn ends a line of a command that goes on in the next.
var goesOn = regexp.MustCompile(` \\ *\n`)

// body is what stands between the rule and the foot.
func body(screen string) string {
	_, text, _ := strings.Cut(screen, "\n── ")
	_, text, _ = strings.Cut(text, "\n")
	text, _, _ = strings.Cut(text, "┄┄┄┄")
	lines := strings.Split(goesOn.ReplaceAllString(text, "\n"), "\n")
	return "\n" + strings.Join(lines[:len(lines)-1], "\n")
}

// same fails where one face says of a step what the other does not.
func (w *wide) same(e play.Executed) {
	w.frames++
	var out, plain bytes.Buffer
	for _, s := range []*view.Screen{view.NewFixed(&out, columns, false), view.NewPlain(&plain, columns)} {
		face := &lines.Face{Screen: s}
		face.Render(e)
		face.Render(play.Facts{Frame: e.Frame})
	}
	head, bodies := w.pages(e)
	for _, missing := range lacks(head+bodies, items(out.String())) {
		w.t.Errorf("%s: the whole screen does not say %q", e.Frame.Step, missing)
	}
	for _, missing := range lacks(out.String(), items(bodies)) {
		if passRow.MatchString(missing) {
			continue // of a pass before, which the lines have told when it was over, or counted among the calm ones
		}
		if head, tail, cut := strings.Cut(missing, "…"); cut && len(lacks(out.String(), []string{head, tail})) == 0 {
			continue // a path, which is whole there, and a key away here
		}
		w.t.Errorf("%s: only the whole screen says %q", e.Frame.Step, missing)
	}
	for _, missing := range lacks(plain.String(), items(out.String())) {
		if strings.ContainsAny(missing, "█┃▏") { // the numbers of a bar stand beside it
			continue
		}
		w.t.Errorf("%s: --plain does not say %q", e.Frame.Step, missing)
	}
	if w.t.Failed() {
		w.t.Logf("%s\n%s", out.String(), head+bodies)
	}
}

// items are the facts of a screen, each without the spaces that the layout puts in: what is
// indented by two columns, with what is indented further below it. A change has another
// word before it where there are no sections.
func items(screen string) (all []string) {
	for line := range strings.SplitSeq(screen, "\n") {
		line = strings.TrimRight(line, " ")
		text := strings.TrimLeft(line, " ")
		switch indent := len(line) - len(text); {
		case text == "" || indent < 2 || strings.HasPrefix(text, "…"):
		case strings.ContainsAny(text, "█┃"): // a bar, and none of what is above it
			all = append(all, packed(text))
		case indent > 2 && len(all) > 0:
			all[len(all)-1] += packed(text)
		case indent == 2:
			all = append(all, packed(strings.TrimPrefix(text, "바뀜 ")))
		}
	}
	return all
}

// lacks are the items that a screen does not say.
func lacks(screen string, items []string) (missing []string) {
	text := packed(screen)
	for _, i := range items {
		if !strings.Contains(text, i) {
			missing = append(missing, i)
		}
	}
	return missing
}

// check is asked when the lesson is over.
func (w *wide) check(l lessons.Lesson) {
	for line := range strings.Lines(w.spoken.String()) {
		for _, r := range line {
			if r >= 0x2500 && r <= 0x257f || r >= 0x2800 && r <= 0x28ff || r < ' ' && r != '\n' {
				w.t.Errorf("--plain draws %q in %q", r, line)
				break
			}
		}
	}
	if play.Executions(play.Scenes(l.Blocks)) > 0 && !loops[l.Loop].Observes && (w.frames < 3 || len(l.Answers) > 0 && w.verdicts == 0) {
		w.t.Errorf("only %d frames and %d verdicts", w.frames, w.verdicts)
	}
}
