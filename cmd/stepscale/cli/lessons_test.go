package cli

import (
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view/viewtest"
	"github.com/stepscale/stepscale/lessons"
)

// columns is how wide the screen is on which the tests of this package play.
const columns = 80

// TestEveryLesson plays every lesson to its end as a learner does who answers all
// questions right, and types every command that it offers, at its step, with a real
// kubectl in a second terminal. The answers are those beside the lesson: that a hint is
// wrong can be seen with them only.
func TestEveryLesson(t *testing.T) {
	t.Parallel()
	all, err := lessons.Load(lessons.FS)
	if err != nil || len(all) < 10 {
		t.Fatalf("%d lessons, %v", len(all), err)
	}
	kubectl := upstreamKubectl(t)
	observers := 0
	for _, l := range all {
		if loops[l.Loop].Observes { // as its definition says, and played nowhere else
			observers++
		}
		t.Run(l.ID, func(t *testing.T) {
			t.Parallel()
			playLesson(t, l, kubectl)
		})
	}
	if observers != 1 {
		t.Errorf("%d lessons are not played, want one", observers)
	}
}

func playLesson(t *testing.T, l lessons.Lesson, kubectl string) {
	a := testApp(t)
	if l.Recording == "" {
		a = appFor(t, l.Loop)
	}
	second, screens, whole := a.beside(t, kubectl), newPages(), newWide(t, l)
	screens.text(l)
	second.told = screens.told
	a.heard = func(e play.Event) {
		screens.show(e)
		whole.show(e)
		second.hear(e)
	}
	got, code := a.told(typed(l), "learn", l.ID)
	narrow(t, l, got)
	screens.check(t, l)
	whole.check(l)
	if loops[l.Loop].Observes {
		if code == 0 || !strings.Contains(strings.Join(strings.Fields(got), " "), "스스로 움직이는 HPA 컨트롤러가 있는 클러스터에서 합니다") {
			t.Errorf("exit code %d: %s", code, got)
		}
		return
	}
	right, done := strings.Count(got, "✔ 맞았습니다"), strings.Contains(got, "수업을 마쳤습니다: "+l.Title)
	if code != 0 || !done || right != len(l.Answers) || strings.Contains(got, "✘") {
		t.Errorf("exit code %d, finished %t, %d of %d answers are right\n%s", code, done, right, len(l.Answers), verdicts(got))
	}
	switch executes := play.Executions(play.Scenes(l.Blocks)) > 0; {
	case l.Recording != "" && second.ran > 0:
		t.Errorf("%d commands are offered where there is no cluster", second.ran)
	case l.Recording == "" && executes && second.ran < 2:
		t.Errorf("%d commands", second.ran)
	}
}

// typed is Enter at every stop, and the answers at those that ask.
func typed(l lessons.Lesson) string {
	var b strings.Builder
	answers := l.Answers
	asked := false
	for _, block := range l.Blocks {
		switch block.Kind {
		case lessons.Predict:
			asked = true
			if len(answers) > 0 {
				b.WriteString(answers[0].Text)
				answers = answers[1:]
			}
			b.WriteString("\n")
		case lessons.Step, lessons.Continue, lessons.Replay:
			if !asked {
				b.WriteString("\n")
			}
			asked = false
		}
	}
	return b.String()
}

// verdicts are the lines of a screen that tell what became of an answer, and those that
// tell of trouble.
func verdicts(screen string) string {
	var b strings.Builder
	for line := range strings.Lines(screen) {
		if strings.ContainsAny(line, "✔✘") || strings.Contains(line, "예측>") || strings.Contains(line, "읽을 수 없습니다") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// narrow fails on lines that are wider than the screen. Those that are there to be copied
// may be: what the lesson has as code, and commands.
func narrow(t *testing.T, l lessons.Lesson, screen string) {
	t.Helper()
	code := map[string]bool{}
	for _, b := range l.Blocks {
		for line := range strings.SplitSeq(b.Text, "\n") {
			code[strings.TrimSpace(line)] = strings.HasPrefix(line, "    ")
		}
	}
	for _, line := range viewtest.Wider(screen, columns, code) {
		t.Errorf("%d columns: %q", viewtest.Cells(line), line)
	}
}

// TestTyped: nothing is typed that the lesson does not stop for.
func TestTyped(t *testing.T) {
	for _, l := range []lessons.Lesson{{Answers: []lessons.Answer{{Text: "4"}, {Text: "유지"}}, Blocks: []lessons.Block{{Kind: lessons.Prose}, {Kind: lessons.Step}, {Kind: lessons.Predict}, {Kind: lessons.Hint}, {Kind: lessons.Predict}, {Kind: lessons.Continue}, {Kind: lessons.Step}}}} {
		if got := typed(l); got != "\n4\n유지\n\n" || strings.Count(got, "\n") != play.Executions(play.Scenes(l.Blocks))+1 {
			t.Errorf("typed %q", got)
		}
	}
}
