package play

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

// counting is a source that tells what is set, pass by pass; executed counts the steps.
type counting struct {
	session  *engine.Session
	replicas int
	executed int
}

func newCounting() *counting {
	c := &counting{replicas: 2}
	c.session = engine.NewSession(func(yield func(trace.Frame, error) bool) {
		for pass := 1; ; pass++ {
			for _, step := range []trace.StepID{"l/1-read", "l/2-write"} {
				f := trace.Frame{Pass: pass, Step: step, At: began.Add(time.Duration(pass) * time.Minute)}
				f.Add("podMetric/web-"+fmt.Sprint(c), "1m", "") // another name in every course
				f.Add("window", fmt.Sprintf("%p", c), "")       // and another text
				if step == "l/2-write" {
					f.Add("desiredReplicas", fmt.Sprint(c.replicas), "")
				}
				c.executed++
				if !yield(f, nil) {
					return
				}
			}
		}
	})
	return c
}

func (c *counting) Session() *engine.Session { return c.session }
func (c *counting) Info() engine.Info        { return engine.Info{Simulated: true} }
func (c *counting) LoadChanged() bool        { return false }

func counted() engine.Definition {
	return engine.Definition{Name: "l", Steps: []engine.Row{{ID: "l/1-read"}, {ID: "l/2-write"}}, Facts: engine.Facts{engine.Count: {"desiredReplicas"}, engine.Amount: {"podMetric"}, engine.Text: {"window"}}}
}

// branching is a lesson of three steps whose branches are counted.
func branching(t *testing.T, opened *[]*counting, closed *int) (*Play, *counting) {
	t.Helper()
	c := newCounting()
	t.Cleanup(c.session.Close)
	l := lessons.Lesson{Title: "x", Blocks: []lessons.Block{{Kind: lessons.Step, Arg: "l/1-read"}, {Kind: lessons.Step, Arg: "l/2-write"}, {Kind: lessons.Continue, Arg: "pass", Max: "2"}, {Kind: lessons.Step, Arg: "l/1-read"}}}
	p := New(Options{Lesson: l, Loop: counted(), Source: c, Save: func(state.Lesson) {}, Branch: func(context.Context) (*Branch, error) {
		b := newCounting()
		*opened = append(*opened, b)
		edit := func(_ context.Context, sets []string) error {
			if sets[0] != "replicas=5" {
				return errors.New("모르는 이름입니다: " + sets[0])
			}
			b.replicas = 5
			return nil
		}
		return &Branch{Source: b, Edit: edit, Close: func() error { b.session.Close(); *closed++; return nil }}, nil
	}})
	return p, c
}

// TestRewind: the same steps are run again somewhere else, something is changed there, the
// first step that is another one is named, and the lesson stands where it did.
func TestRewind(t *testing.T) {
	var opened []*counting
	closed := 0
	p, c := branching(t, &opened, &closed)
	got := answering(t, p, "", "", "", "되감기 2.1", "바꾸기 x=1", "바꾸기", "바꾸기 replicas=5", "", "되감기 1", "돌아가기", "돌아가기", "")
	for _, want := range []string{
		"같은 단계 3개를 다시", "Branched {Ends:false}", "모르는 이름입니다: x=1", "무엇을 바꿀지", "학습자가 HPA에 썼습니다: replicas=5",
		"Parting {Pass:2 Step:l/2-write Fact:desiredReplicas Was:2 Is:5}", "이미 되감은 자리", "Recorded:[2 2] Other:[2 5] Passes:[{Pass:2 Recorded:2 Other:5}]",
		"Branched {Ends:true}", "되감은 자리가 아닙니다", "Finished",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if len(opened) != 1 || opened[0].executed != 4 || closed != 1 || c.executed != 7 {
		t.Errorf("%d branches, %d closed; %d steps in it, and %d in the lesson", len(opened), closed, opened[0].executed, c.executed)
	}
	if strings.Contains(got, "원래와 다릅니다") {
		t.Error("names of pods are taken for another course")
	}
}

// TestForkInALesson rewinds to what is shown and changes it there.
func TestForkInALesson(t *testing.T) {
	var opened []*counting
	closed := 0
	p, _ := branching(t, &opened, &closed)
	got := answering(t, p, "", "", "", "b", "b", "갈래", "갈래 replicas=5", "갈래 replicas=5", "q", "q")
	if len(opened) != 1 || opened[0].executed != 5 || closed != 1 || strings.Count(got, "학습자가 HPA에") != 2 || !errors.Is(p.Err(), ErrQuit) {
		t.Errorf("%d branches, %d closed, %v\n%s", len(opened), closed, p.Err(), got)
	}
}

// TestRewindRefuses what cannot be, in words.
func TestRewindRefuses(t *testing.T) {
	var opened []*counting
	closed := 0
	p, _ := branching(t, &opened, &closed)
	got := answering(t, p, "되감기 1", "", "되감기 9", "되감기 x", "되감기", "바꾸기 replicas=5", "돌아가기")
	for _, want := range []string{"아직 실행한 단계가 없습니다", "9는 아직 실행하지 않은 자리입니다. 1.1까지", "패스의 단계(5.6)로", "먼저 '되감기 5'처럼", "되감은 자리가 아닙니다"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	p, _ = branching(t, &opened, &closed)
	p.Branch, p.NoBranch = nil, "실제라서"
	if got := answering(t, p, "", "되감기 1", "갈래 a=b"); strings.Count(got, "실제라서") != 2 || len(opened) > 0 {
		t.Errorf("%d branches\n%s", len(opened), got)
	}
	p, _ = branching(t, &opened, &closed)
	p.Branch = func(context.Context) (*Branch, error) { return nil, errors.New("boom") }
	if got := answering(t, p, "", "되감기 1", ""); !strings.Contains(got, "되감지 못했습니다") || !strings.Contains(got, "Branched {Ends:true}") || !strings.Contains(got, "desiredReplicas") && !strings.Contains(got, "l/2-write") {
		t.Errorf("%s", got)
	}
}

// TestRewindTellsOfAnotherCourse: what somebody has changed by hand is not repeated.
func TestRewindTellsOfAnotherCourse(t *testing.T) {
	var opened []*counting
	closed := 0
	p, c := branching(t, &opened, &closed)
	c.replicas = 3
	if got := answering(t, p, "", "", "", "되감기 2", "q"); !strings.Contains(got, "원래와 다릅니다") || !strings.Contains(got, "Was:3 Is:2") {
		t.Errorf("%s", got)
	}
}

// TestBranchGoesFurther: where the play that was rewound has ended there is nothing to compare,
// and that is said; and whoever continues where nothing changes comes back.
func TestBranchGoesFurther(t *testing.T) {
	var opened []*counting
	closed := 0
	p, _ := branching(t, &opened, &closed)
	got := answering(t, p, "", "", "", "되감기 3.2", "바꾸기 replicas=5", "c", "돌아가기", "q")
	for _, want := range []string{"Beyond:원래 자리는 패스 3까지만 실행되어", "갈래는 패스 19까지 갔고, 원하는 레플리카는 2 → 5의 순서로", "루프 시간 15분 동안 파드의 수도 크기도 바뀌지 않아"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestEditsAreChecked before a cluster is made to try them in; in the middle of a pass it is
// said when they will be seen.
func TestEditsAreChecked(t *testing.T) {
	var opened []*counting
	closed := 0
	p, _ := branching(t, &opened, &closed)
	p.CheckEdit = func(_ context.Context, sets []string) error {
		if sets[0] == "replicas=5" {
			return nil
		}
		return errors.New("모르는 이름입니다: " + sets[0])
	}
	got := answering(t, p, "", "", "", "갈래 x=1")
	if !strings.Contains(got, "모르는 이름입니다: x=1") || len(opened) > 0 {
		t.Errorf("%d branches\n%s", len(opened), got)
	}
	p, _ = branching(t, &opened, &closed)
	if got := answering(t, p, "", "", "", "되감기 2.1", "바꾸기 replicas=5", "", "바꾸기 replicas=5", "q", "q"); strings.Count(got, "이미 읽은 것은 옛 HPA") != 1 {
		t.Errorf("%s", got)
	}
}

// TestEndLingers: a lesson that is over is read until Enter, whatever it was about.
func TestEndLingers(t *testing.T) {
	var opened []*counting
	closed := 0
	live, c := branching(t, &opened, &closed)
	recorded, _ := aboutRecording(t, block(1, lessons.Prose, "", "글"), block(2, lessons.Replay, "s", ""))
	prose := New(Options{Lesson: lessons.Lesson{Title: "글", Blocks: []lessons.Block{block(1, lessons.Prose, "", "글")}}, Save: func(state.Lesson) {}})
	for p, over := range map[*Play]int{live: 1, recorded: 0, prose: 1} { // over a recording one may go on
		p.After = "끝냅니다."
		asked := 0
		var told strings.Builder
		for e := range p.Events(t.Context()) {
			switch e.(type) {
			case Finished:
				asked = 0
			case Ask:
				if asked++; asked == 1 && strings.Contains(told.String(), "Finished") {
					p.Type("c")
				} else {
					p.Type("")
				}
			}
			fmt.Fprintf(&told, "%T %+v\n", e, e)
		}
		if p.Err() != nil || asked != 2 || strings.Count(told.String(), "이어서 실행할 것이 없습니다. Enter를 누르시면 끝냅니다.") != over {
			t.Errorf("asked %d times, %v\n%s", asked, p.Err(), told.String())
		}
	}
	if c.executed != 7 {
		t.Errorf("%d steps", c.executed)
	}
}

// TestBranchTellsOnce where it parts, and compares nothing where nothing is another one; that
// its cluster could not be taken down is told.
func TestBranchTellsOnce(t *testing.T) {
	var opened []*counting
	closed := 0
	p, _ := branching(t, &opened, &closed)
	if got := answering(t, p, "", "", "", "되감기 1.1", "바꾸기 replicas=5", "", "", "", "", "돌아가기", "q"); strings.Count(got, "play.Parting") != 1 || strings.Count(got, "play.Forked") != 1 {
		t.Errorf("%s", got)
	}
	p, _ = branching(t, &opened, &closed)
	if got := answering(t, p, "", "", "", "되감기 1", "", "돌아가기", "q"); strings.Contains(got, "play.Forked") || strings.Contains(got, "play.Parting") {
		t.Errorf("compared: %s", got)
	}
	p, _ = branching(t, &opened, &closed)
	open := p.Branch
	p.Branch = func(ctx context.Context) (*Branch, error) {
		b, err := open(ctx)
		down := b.Close
		b.Close = func() error { return errors.Join(down(), errors.New("boom")) }
		return b, err
	}
	if got := answering(t, p, "", "되감기 1", "돌아가기", "q"); !strings.Contains(got, "되감지 못했습니다") {
		t.Errorf("%s", got)
	}
}

// TestContinueOnce: after a continue Enter is a step again.
func TestContinueOnce(t *testing.T) {
	c := newCounting()
	defer c.session.Close()
	p := NewRun("x", Options{Loop: counted(), Source: c})
	passes := 0
	for e := range p.Events(t.Context()) {
		switch e.(type) {
		case Ask:
			line := "c"
			if passes > 0 {
				line = ""
			}
			if passes++; passes > 3 {
				line = "q"
			}
			p.Type(line)
		}
	}
	if c.executed != 61*2+2 && c.executed != 60*2+2 { // an hour of passes of a minute, and two steps
		t.Errorf("%d steps", c.executed)
	}
}
