package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

// session is what one command has in hand: the cluster that its stages are opened on,
// brought up with the first of them. The command that begins it closes it.
type session struct {
	deps      deps
	target    target
	scenarios fs.FS
	cluster   running
}

// running is a cluster that a session has brought up; the zero value is none.
type running struct {
	lab.Cluster
	down func() error // gives it back
	kept string       // the command that removes what stays
}

func newSession(d deps, t target, scenarios fs.FS) opener {
	return &session{deps: d, target: t, scenarios: scenarios}
}

// open finds the loop and the scenario, then the cluster, and opens a stage on it.
func (s *session) open(ctx context.Context, loop, scenario string, phases lab.Phases) (stage, error) {
	l, err := lab.Find(loop)
	if err != nil {
		return nil, err
	}
	if l.Observes && !s.target.attached() {
		return nil, problem.Usage(fmt.Sprintf("루프 %s에는 스스로 움직이는 HPA 컨트롤러가 필요합니다.", loop), "--eks 이름이나 --context 이름을 적어 주십시오. 임베디드와 kind 클러스터의 HPA는 stepscale의 엔진만 움직입니다.")
	}
	o := lab.Options{Loop: l, Phases: phases}
	if o.Scenario, err = l.Scenario(s.scenarios, scenario); err != nil {
		return nil, err
	}
	if s.target.real() { // before a cluster is made for nothing
		if err := l.PlayableLive(o.Scenario); err != nil {
			return nil, err
		}
	}
	if s.cluster.Cluster == nil {
		if s.cluster, err = s.connect(ctx, phases); err != nil {
			return nil, err
		}
	}
	o.Cluster = s.cluster
	opened, err := lab.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	return opened, nil
}

// connect starts or finds the cluster that the learner named.
func (s *session) connect(ctx context.Context, phases lab.Phases) (running, error) {
	switch {
	case s.target.attached():
		return s.deps.attach(ctx, s.target)
	case s.target.cluster == clusterKind:
		return s.deps.connectKind(ctx, s.target, phases)
	}
	return s.deps.connectEmbedded(ctx, phases)
}

func (s *session) close(err error) error {
	if s.cluster.Cluster == nil {
		return err
	}
	err = errors.Join(err, s.cluster.Close(), s.cluster.down())
	if err != nil && s.cluster.kept != "" {
		err = errors.Join(err, &keptError{s.cluster.kept})
	}
	s.cluster = running{}
	return err
}

// keptError is no fault: it goes along with one, for whoever was interrupted.
type keptError struct{ down string }

func (e *keptError) Error() string { return "a cluster stays: " + e.down }

// bringUp opens a stage, with what starts told.
func bringUp(ctx context.Context, o opener, loop, scenario string, starts *startup) (stage, error) {
	opened, err := o.open(ctx, loop, scenario, starts)
	starts.screen.Erase()
	if err == nil {
		return opened, nil
	}
	var u *problem.Error
	if ctx.Err() != nil || errors.As(err, &u) {
		return nil, errors.Join(ctx.Err(), err)
	}
	if problem.Retryable(err) {
		return nil, problem.OfStep(ctx, scenario, err)
	}
	return nil, &problem.Error{What: "클러스터를 준비하지 못했습니다", Where: scenario, Cause: err,
		Hint: doctorHint(starts.attached)}
}

// doctorHint says where to look for what is wrong with this machine, or with a cluster that
// somebody else runs.
func doctorHint(attached bool) string {
	if attached {
		return "stepscale doctor에 같은 --eks나 --context를 적어 그 클러스터에 모자라는 것이 있는지 확인해 보십시오."
	}
	return "stepscale doctor로 이 컴퓨터에서 무엇이 되는지 확인해 보십시오."
}
