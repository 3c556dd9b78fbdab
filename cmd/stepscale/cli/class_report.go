package cli

import (
	"context"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
)

// lastReport is how long the end of a lesson waits until what the instructor is to see is
// written.
const lastReport = 5 * time.Second

// learner is who the learner is in a class, where the namespace that somebody made for the
// learner is of one.
func learner(ctx context.Context, t target) (board.Learner, bool, error) {
	if !t.attached() || t.namespace == "" {
		return board.Learner{}, false, nil
	}
	cfg, err := t.open().Up(ctx)
	if err != nil {
		return board.Learner{}, false, err
	}
	cfg.QPS, cfg.Burst = 20, 40 // others use it too
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return board.Learner{}, false, err
	}
	return board.FindLearner(ctx, kube, t.namespace)
}

// attend takes part in the class, where there is one. What is wrong with the cluster is told
// by the lesson, which needs it.
func (t *tutor) attend(ctx context.Context) (leave func()) {
	if t.demo.Demo != nil { // who shows a class something is none of its learners
		return func() {}
	}
	who, is, err := learner(ctx, t.o.target)
	if err != nil || !is {
		return func() {}
	}
	t.class = who.Open(ctx)
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastReport)
		defer cancel()
		if t.class.Close(ctx) != nil {
			view.New(t.deps.errOut).Note("마지막 진도를 강사의 화면에 알리지 못했습니다. 이 컴퓨터에 저장한 진도는 그대로입니다.")
		}
	}
}

// inClass is the class as a play knows it: none is no class.
func (t *tutor) inClass() play.Class {
	switch {
	case t.demo.Demo != nil:
		return t.demo
	case t.class != nil:
		return t.class
	}
	return nil
}

// informed is what is to be known of a stage, with what the instructor sees.
func (t *tutor) informed(info engine.Info) engine.Info {
	if t.class != nil {
		info.Notes = append([]string{t.class.Seen()}, info.Notes...)
	}
	return info
}
