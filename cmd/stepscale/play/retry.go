package play

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

const (
	// MostFailures is how often in a row something may fail that heals by itself: a
	// network that comes back within a minute is no reason to lose what an engine
	// remembers.
	MostFailures = 4
	// RetryAfter is how long the machine waits before it runs a failed step again.
	RetryAfter = 5 * time.Second
)

// Heals tells whether a step that failed is to be run again by the machine.
func Heals(err error, failures int) bool {
	return problem.Retryable(err) && failures < MostFailures
}

// Wait lets real time pass.
func Wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (p *Play) failed(where string, err error) error {
	if p.Word != nil {
		return p.Word(p.ctx, where, err)
	}
	return problem.OfStep(p.ctx, where, err)
}

// again asks whether a step that failed on a real cluster is to be run again. Where
// nobody can be asked, it waits and says yes a few times in a row.
func (p *Play) again(where string, err error, failures int) bool {
	if p.info.Simulated || p.ctx.Err() != nil || !problem.Retryable(err) {
		return false
	}
	var u *problem.Error
	if !errors.As(p.failed(where, err), &u) {
		return false
	}
	p.tell(Trouble{u.What + ": " + err.Error(), where, strings.TrimSpace(strings.TrimSuffix(u.Hint, problem.ResumeHint) + " 수업은 이 단계에서 기다립니다.")})
	if p.Auto {
		return Heals(err, failures) && Wait(p.ctx, RetryAfter) == nil
	}
	p.note("고친 뒤에 Enter를 누르시면 이 단계를 다시 실행합니다. q를 적으시면 저장하고 끝냅니다.")
	_, asked := p.ask(ForRepair)
	return asked == nil
}
