package cli

import (
	"context"
	"errors"
	"io/fs"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/whatif"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
)

// realTime says why nothing can be rewound where time is real.
const realTime = "실제 클러스터의 시간은 되돌릴 수 없어, 되감기와 갈래는 임베디드 클러스터에서만 됩니다. 기록은 stepscale replay로 되감아 보실 수 있습니다."

// branches opens a scenario once more on an embedded cluster of its own, whose frames heard
// is told of; nil, and why, where time is real.
func (d deps) branches(t target, scenarios fs.FS, loop, scenario string, heard func(trace.Frame)) (func(context.Context) (*play.Branch, error), string) {
	if t.real() {
		return nil, realTime
	}
	return func(ctx context.Context) (*play.Branch, error) {
		done := d.waits.Busy("새 클러스터를 준비합니다")
		defer done()
		own, err := d.connectOwn(ctx)
		if err != nil {
			return nil, err
		}
		s := &session{deps: d, target: t, scenarios: scenarios, cluster: own}
		opened, err := s.open(ctx, loop, scenario, unheard{})
		if err != nil {
			return nil, s.close(err)
		}
		opened.Session().Heard = heard
		return &play.Branch{Source: opened, Edit: editing(opened, false), Close: func() error { return s.close(opened.Close(ctx)) }}, nil
	}, ""
}

// connectOwn starts an embedded cluster in this process, beside any other that there is.
func (d deps) connectOwn(ctx context.Context) (running, error) {
	dir, err := d.clusterDir()
	if err != nil {
		return running{}, err
	}
	cluster := embedded.New(embedded.Options{Dir: dir, Progress: unheard{}.Phase, Failed: func(error) {}}) // what ends it is told by the next step
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return running{}, startError(dir, err)
	}
	return running{Cluster: &lab.Simulated{Simulation: cluster, Loader: localLoad{cluster}, Config: cfg, Info: cluster.Info()},
		down: func() error { return downError(cluster.Down(context.WithoutCancel(ctx))) }}, nil
}

// unheard are phases that nobody is told of.
type unheard struct{}

func (unheard) Phase(string, time.Duration) {}
func (unheard) Note(string)                 {}

// errTried ends a change that was only tried.
var errTried = errors.New("nothing is written")

// editing changes the HPA of a stage as the learner, or only tries whether it could.
func editing(s stage, try bool) func(context.Context, []string) error {
	return func(ctx context.Context, sets []string) error {
		on, ok := s.(*lab.Stage)
		edit, err := whatif.ParseEdit(sets)
		if err == nil && ok {
			err = on.EditHPA(ctx, func(p hpa.Params, object *autoscalingv2.HorizontalPodAutoscaler) error {
				if err := edit.Live(p, object); err != nil || !try {
					return err
				}
				return errTried
			})
		}
		var set *whatif.SetError
		switch {
		case errors.Is(err, errTried):
			return nil
		case errors.As(err, &set):
			return errors.New(set.What + ": " + set.Set + ". " + set.Hint)
		case errors.Is(err, lab.ErrNoHPA) || !ok:
			return &problem.Error{What: "이 시나리오에는 바꿀 HPA가 없습니다", Code: problem.ExitUsage}
		case err != nil:
			return errors.New("HPA에 쓰지 못했습니다: " + problem.OfStep(ctx, "바꾸기", err).Error())
		}
		return nil
	}
}
