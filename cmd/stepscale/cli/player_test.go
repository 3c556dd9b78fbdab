package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/lessons"
)

type played struct {
	out   string
	err   error
	saved []state.Lesson
	drift []string
	stage *fakeStage
}

// playFake plays the lesson with what the learner types; "" in auto mode.
func playFake(t *testing.T, l lessons.Lesson, typed string, auto bool, skip int, set func(*fakeStage, func())) played {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stage := newFakeStage(ctx, 5)
	defer stage.session.Close()
	if set != nil {
		set(stage, cancel)
	}
	var out bytes.Buffer
	r := played{stage: stage}
	p := play.New(play.Options{Lesson: l, Skip: skip, Loop: fakeLoop(), Source: stage, Auto: auto, Save: func(l state.Lesson) { r.saved = append(r.saved, l) }})
	face := &lines.Face{Screen: view.NewFixed(&out, 80, false), In: lines.NewReader(strings.NewReader(typed), &out)}
	r.err = face.Play(ctx, p)
	r.out, r.drift = out.String(), p.Drift()
	return r
}

func contains(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, w := range wants {
		if !strings.Contains(text, w) {
			t.Errorf("%q is missing in:\n%s", w, text)
		}
	}
}

func TestPlayRightAnswer(t *testing.T) {
	r := playFake(t, fakeLesson, "\n4\n다음\nn\n", false, 0, nil)
	if r.err != nil {
		t.Fatal(r.err)
	}
	contains(t, r.out, "✔ 맞았습니다.", "ceil(1.8 × 2)", "패스 5번", "끝 문단", "수업을 마쳤습니다")
	if last := r.saved[len(r.saved)-1]; !last.Done || last.Steps != 4 || last.Total != 4 {
		t.Errorf("saved %+v", last)
	}
	if r.stage.executed != 20 {
		t.Errorf("%d steps executed, want 20: five passes", r.stage.executed)
	}
}

func TestPlayWrongAnswerShowsHint(t *testing.T) {
	r := playFake(t, fakeLesson, "\n3\n", false, 0, nil)
	contains(t, r.out, "✘ 아쉽습니다.", "실제 값은 4입니다", "올림을 잊지 마세요.")
	if !errors.Is(r.err, play.ErrQuit) {
		t.Errorf("end of input: got %v", r.err)
	}
	if len(r.saved) != 2 || r.saved[1].Step != "hpa/2-replicas/proposal" {
		t.Errorf("saved %+v", r.saved)
	}
}

func TestPlaySkipsQuestionOnEnter(t *testing.T) {
	r := playFake(t, fakeLesson, "\n\n", false, 0, nil)
	contains(t, r.out, "· 답: 제안 레플리카 수 = 4")
	if strings.Contains(r.out, "아쉽습니다") {
		t.Error("a skipped question was marked wrong")
	}
}

func TestPlayAuto(t *testing.T) {
	r := playFake(t, fakeLesson, "", true, 0, nil)
	if r.err != nil || len(r.drift) > 0 {
		t.Fatal(r.err, r.drift)
	}
	contains(t, r.out, "다음 레플리카 수는?", "· 답: 제안 레플리카 수 = 4", "끝 문단")
	if strings.Contains(r.out, "예측>") {
		t.Error("auto mode prompts")
	}
}

func TestCommandsWhilePlaying(t *testing.T) {
	r := playFake(t, fakeLesson, "\n힌트\nk\nf\n?\nkubectll\nneext\nback\nback\nbanana\nq\n", false, 0, nil)
	contains(t, r.out, "힌트: 올림을", "export KUBECONFIG=/tmp/k", "현재 레플리카 수", "다음, next, n, Enter",
		"더 이전의 기록은 없습니다.", "혹시 'kubectl'입니까?", "읽을 수 없습니다: banana")
	if strings.Contains(r.out, "혹시 'next'") {
		t.Error("a mistyped line suggests a step")
	}
	if !errors.Is(r.err, play.ErrQuit) || r.stage.executed != 1 {
		t.Errorf("err %v, %d steps executed", r.err, r.stage.executed)
	}
}

func TestBackExecutesNothing(t *testing.T) {
	r := playFake(t, fakeLesson, "\n\nback\nback\nn\nn\nn\n", false, 0, nil)
	if r.err != nil {
		t.Fatal(r.err)
	}
	contains(t, r.out, "되돌린 것은 없습니다", "가장 최근 단계로 돌아왔습니다")
	if r.stage.executed != 20 {
		t.Errorf("%d steps executed, want 20", r.stage.executed)
	}
}

func TestAnswerFromThePastExecutesTheNextStep(t *testing.T) {
	l := fakeLesson
	l.Blocks = append([]lessons.Block{{Kind: "continue", Arg: "pass"}}, l.Blocks...)
	r := playFake(t, l, "\nc\nb\nb\nb\n4\nc\n", false, 0, nil)
	if r.err != nil {
		t.Fatal(r.err)
	}
	contains(t, r.out, "✔ 맞았습니다.")
}

func TestContinueStopsAtQuestions(t *testing.T) {
	r := playFake(t, fakeLesson, "c\nc\n", false, 0, nil)
	if r.err != nil {
		t.Fatal(r.err)
	}
	if n := strings.Count(r.out, "다음>"); n != 1 {
		t.Errorf("%d prompts for next, want 1", n)
	}
}

func TestResumeSkipsSilently(t *testing.T) {
	r := playFake(t, fakeLesson, "", true, 2, nil)
	if r.err != nil {
		t.Fatal(r.err)
	}
	contains(t, r.out, "앞의 2단계를 먼저 빠르게 실행합니다", "끝 문단")
	if strings.Contains(r.out, "둘째 문단") || strings.Contains(r.out, "── hpa/1-metrics/query") {
		t.Error("a skipped scene is on screen")
	}
	if r.saved[0].Steps != 3 {
		t.Errorf("saved %+v", r.saved[0])
	}
}

func TestStepFails(t *testing.T) {
	r := playFake(t, fakeLesson, "", true, 0, func(s *fakeStage, _ func()) { s.failAt = 2 })
	var u *problem.Error
	if !errors.As(r.err, &u) || !strings.Contains(u.What, "API 서버") || u.Hint == "" {
		t.Fatalf("got %#v", r.err)
	}
	contains(t, r.out, "connection refused")
	if len(r.saved) != 1 || r.saved[0].Steps != 1 {
		t.Errorf("saved %+v", r.saved)
	}
}

func TestInterruptInAStep(t *testing.T) {
	r := playFake(t, fakeLesson, "", true, 0, func(s *fakeStage, cancel func()) { s.failAt, s.cancel = 2, cancel })
	if !errors.Is(r.err, context.Canceled) || len(r.saved) != 1 {
		t.Errorf("err %v, saved %+v", r.err, r.saved)
	}
}

func TestInterruptAtThePrompt(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	face := &lines.Face{Screen: view.NewFixed(io.Discard, 80, false), In: lines.NewReader(r, io.Discard)}
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := face.Play(ctx, play.Between(lessons.Lesson{})); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestDriftIsNoted(t *testing.T) {
	for name, b := range map[string][]lessons.Block{
		"fact":   {{Kind: "predict", Arg: "nothing", Text: "?"}, {Kind: "step", Arg: "hpa/1-metrics/query"}},
		"step":   {{Kind: "step", Arg: "hpa/9-none"}},
		"change": {{Kind: "continue", Arg: "change", Max: "30s"}},
		"load":   {{Kind: "continue", Arg: "load", Max: "30s"}},
	} {
		r := playFake(t, lessons.Lesson{Title: name, Blocks: b}, "", true, 0, nil)
		if r.err != nil || len(r.drift) != 1 {
			t.Errorf("%s: err %v, drift %v", name, r.err, r.drift)
		}
	}
}

func TestContinueLoad(t *testing.T) {
	l := lessons.Lesson{Title: "부하", Blocks: []lessons.Block{{Kind: "continue", Arg: "load"}}}
	r := playFake(t, l, "", true, 0, func(s *fakeStage, _ func()) { s.loadAt = 10 })
	if r.err != nil || len(r.drift) > 0 || r.stage.executed != 12 {
		t.Errorf("err %v, drift %v, %d steps, want 12: whole passes", r.err, r.drift, r.stage.executed)
	}
}

func TestManyTicksAreCounted(t *testing.T) {
	l := lessons.Lesson{Title: "패스", Blocks: []lessons.Block{{Kind: "continue", Arg: "change", Max: "1h"}}}
	r := playFake(t, l, "", true, 0, func(s *fakeStage, _ func()) { s.scaleAt = 100 })
	contains(t, r.out, "같은 결정 69패스", "패스 100번")
}
