package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

// retryAfter is how long the machine waits before it runs a failed step again.
const retryAfter = 5 * time.Second

// failed is stageError, with how wrong the clock is where that may be the cause.
func (p *player) failed(where string, err error) error {
	e := problem.OfStep(p.ctx, where, err)
	var u *problem.Error
	if p.stage != nil && errors.As(e, &u) && problem.ClockSuspect(err) {
		ctx, cancel := context.WithTimeout(p.ctx, probeTime)
		defer cancel()
		if skew, err := p.stage.Skew(ctx); err == nil { // what is not known is not told
			u.Hint = problem.ClockIs(skew) + u.Hint
		}
	}
	return e
}

// again asks whether a step that failed on a real cluster is to be run again. Where
// nobody can be asked, it waits and says yes a few times in a row.
func (p *player) again(where string, err error, failures int) bool {
	if p.info.Simulated || p.ctx.Err() != nil || !problem.Retryable(err) {
		return false
	}
	var u *problem.Error
	if !errors.As(p.failed(where, err), &u) {
		return false
	}
	p.screen.Problem(u.What+": "+err.Error(), where, strings.TrimSpace(strings.TrimSuffix(u.Hint, problem.ResumeHint)+" 수업은 이 단계에서 기다립니다."))
	if p.in == nil {
		return failures < mostFailures && pause(p.ctx, retryAfter) == nil
	}
	p.screen.Note("고친 뒤에 Enter를 누르시면 이 단계를 다시 실행합니다. q를 적으시면 저장하고 끝냅니다.")
	_, asked := p.ask("다시>", false)
	return asked == nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
