package play

import (
	"context"
	"errors"
	"time"

	"github.com/stepscale/stepscale/engine/otherwise"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/whys"
)

// Disagrees says that a recording decides otherwise here (otherwise.ErrDiffers).
const Disagrees = "기록된 입력으로 다시 결정하니 기록된 결정과 다릅니다. 다른 버전의 stepscale이 기록했거나 입력이 아닌 것이 함께 작용한 것이라, '왜'에 답하지 않습니다."

// Reasons are what it would have taken for a decision of a pass to come out otherwise.
type Reasons struct {
	Pass   int
	Line   int       // of the decision in the recording
	Answer any       // of one of the whys
	Start  time.Time // loop time of the recording's first frame
}

// Why answers for the decisions of the pass under the cursor, or for what was decided about
// the node that is named; whys.ErrNone where nothing was decided in it, and
// otherwise.ErrNoSubject where nothing was about that node. There is one of them at least.
func (r *Replay) Why(ctx context.Context, node string) (all []Reasons, err error) {
	pass := r.Recording.Row(r.cursor).Pass
	first, _ := r.Recording.Pass(pass)
	answers, err := answersFor(ctx, r.ofPass(pass), node)
	for _, a := range answers {
		all = append(all, Reasons{Pass: pass, Line: r.Recording.Row(first + a.At).Line, Answer: a.Why, Start: r.Recording.Row(0).At})
	}
	if len(all) == 0 {
		all = []Reasons{{Pass: pass}}
	}
	return all, err
}

func answersFor(ctx context.Context, frames []trace.Frame, node string) ([]whys.Answer, error) {
	if node != "" {
		return whys.Nodes(ctx, frames, node)
	}
	return whys.All(ctx, frames)
}

func (r *Replay) why(node string) flow {
	all, err := r.Why(r.ctx, node)
	switch {
	case errors.Is(err, whys.ErrNone):
		r.refuse("이 패스에는 '왜'가 답할 결정이 없습니다. HPA, VPA, 카펜터, 클러스터 오토스케일러가 결정한 패스에서 물어 주십시오.")
	case errors.Is(err, otherwise.ErrNoSubject):
		r.refuse("이 패스의 결정에 " + node + "에 관한 것은 없습니다. 노드나 노드 그룹의 이름을 확인해 주십시오.")
	case errors.Is(err, otherwise.ErrDiffers):
		r.refuse(Disagrees)
	case err != nil:
		r.refuse("이 패스의 결정을 다시 계산할 수 없습니다: " + err.Error())
	default:
		for _, reasons := range all {
			r.tell(reasons)
		}
	}
	return stay
}
