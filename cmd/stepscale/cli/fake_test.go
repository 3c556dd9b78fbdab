package cli

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

var fakeSteps = []trace.StepID{"hpa/1-metrics/query", "hpa/2-replicas/proposal", "hpa/3-scale/update", "hpa/5-pods/run"}

// fakeLoop is what the loop of fakeStage says of itself.
func fakeLoop() engine.Definition {
	d := engine.Definition{Name: "hpa"}
	for _, id := range fakeSteps {
		d.Steps = append(d.Steps, engine.Row{ID: id, Changes: id == fakeSteps[2]})
	}
	return d
}

// fakeStage is a loop of four steps that scales from 2 to 4 in pass scaleAt.
type fakeStage struct {
	session  *engine.Session
	executed int
	scaleAt  int
	failAt   int // number of the step that fails; 0: none
	loadAt   int // LoadChanged once this many steps were executed
	cancel   func()
	closed   *int // counts; may be nil
	closeErr error
}

func (f *fakeStage) Session() *engine.Session { return f.session }
func (f *fakeStage) Info() engine.Info {
	return engine.Info{Kubectl: []string{"export KUBECONFIG=/tmp/k"}, Simulated: true}
}
func (f *fakeStage) LoadChanged() bool                           { return f.loadAt > 0 && f.executed >= f.loadAt }
func (f *fakeStage) Skew(context.Context) (time.Duration, error) { return 0, nil }

func (f *fakeStage) Close(context.Context) error {
	*f.closed++
	f.session.Close()
	return f.closeErr
}

func newFakeStage(ctx context.Context, scaleAt int) *fakeStage {
	f := &fakeStage{scaleAt: scaleAt}
	f.session = engine.NewSession(f.frames(ctx))
	return f
}

func (f *fakeStage) frames(ctx context.Context) iter.Seq2[trace.Frame, error] {
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	return func(yield func(trace.Frame, error) bool) {
		for pass := 1; ; pass++ {
			for _, id := range fakeSteps {
				f.executed++
				fr := f.frame(pass, id, start)
				var err error
				if f.cancel != nil && f.executed == f.failAt {
					f.cancel()
					err = ctx.Err()
				} else if f.executed == f.failAt {
					err = errors.New("dial tcp 127.0.0.1:1: connect: connection refused")
				}
				if err != nil {
					fr.Err = err.Error()
					yield(fr, err)
					return
				}
				if !yield(fr, nil) {
					return
				}
			}
		}
	}
}

func (f *fakeStage) frame(pass int, id trace.StepID, start time.Time) trace.Frame {
	fr := trace.Frame{Pass: pass, Step: id, Actor: "hpa-controller", At: start.Add(time.Duration(pass) * 15 * time.Second)}
	scale := pass == f.scaleAt
	switch id {
	case fakeSteps[0]:
		fr.Add("currentReplicas", "2", "")
		fr.Add("currentUtilization", "90%", "180m × 100 / 200m")
		fr.Add("targetUtilization", "50%", "")
	case fakeSteps[1]:
		fr.Add("proposal", "4", "ceil(1.8 × 2)")
		fr.Kubectl = "kubectl get hpa"
	case fakeSteps[2]:
		fr.Changes = []trace.Change{{Object: "hpa/web", Field: "status.currentReplicas", From: "0", To: "2"}}
		fr.Add("action", map[bool]string{true: "scaleUp", false: "keep"}[scale], "")
		if scale {
			fr.Changes = append(fr.Changes, trace.Change{Object: "deployment/web", Field: "spec.replicas", From: "2", To: "4"})
		}
	}
	return fr
}

var fakeLesson = lessons.Lesson{ID: "hpa/02-loop", Title: "동작 순서", Loop: "hpa", Scenario: "web-surge", File: "hpa/02-loop/lesson.md",
	Blocks: []lessons.Block{
		{Kind: "prose", Text: "# 첫 문단"},
		{Kind: "step", Arg: "hpa/1-metrics/query", Text: "메트릭을 조회합니다."},
		{Kind: "prose", Text: "둘째 문단"},
		{Kind: "predict", Arg: "proposal", Text: "다음 레플리카 수는?"},
		{Kind: "hint", Text: "올림을 잊지 마세요."},
		{Kind: "step", Arg: "hpa/2-replicas/proposal", Text: "제안을 계산합니다."},
		{Kind: "continue", Arg: "change", Max: "10m"},
		{Kind: "continue", Arg: "pass"},
		{Kind: "prose", Text: "끝 문단"},
	}}
