package play

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/stepscale/stepscale/engine/hpa/why"
	"github.com/stepscale/stepscale/engine/otherwise"
	"github.com/stepscale/stepscale/engine/trace"
)

// Explain says why a decision about nodes came out as it did, from what was recorded of it:
// of all that it was about, or of the one that is named.
type Explain func(ctx context.Context, f trace.Frame, subject string) ([]otherwise.Answer, error)

// Disagrees says that a recording decides otherwise here (otherwise.ErrDiffers).
const Disagrees = "기록된 입력으로 다시 결정하니 기록된 결정과 다릅니다. 다른 버전의 stepscale이 기록했거나 입력이 아닌 것이 함께 작용한 것이라, '왜'에 답하지 않습니다."

// Reasons are what it would have taken for the decisions of a pass to come out otherwise.
type Reasons struct {
	Pass   int
	Line   int // of the decision in the recording
	HPA    bool
	Answer why.Answer         // where an HPA decided
	Nodes  []otherwise.Answer // where something decided about nodes
	Start  time.Time          // loop time of the recording's first frame
}

// Why answers for the pass under the cursor; why.ErrNone where nobody decided in it, or
// nobody that is known. Of nodes it may be told which.
func (r *Replay) Why(ctx context.Context, subject string) (Reasons, error) {
	pass := r.Recording.Row(r.cursor).Pass
	first, _ := r.Recording.Pass(pass)
	reasons := Reasons{Pass: pass, Start: r.Recording.Row(0).At}
	frames := r.ofPass(pass)
	line := func(at int) int { return r.Recording.Row(first + at).Line }
	if subject == "" {
		a, at, err := why.Pass(frames)
		if reasons.Answer, reasons.Line, reasons.HPA = a, line(at), err == nil; err != nil && !errors.Is(err, why.ErrNone) {
			return reasons, err
		}
	}
	decided := reasons.HPA
	for at, f := range frames {
		var by struct {
			Engine string `json:"engine"`
		}
		if len(f.Inputs) == 0 || f.Err != "" || json.Unmarshal(f.Inputs, &by) != nil || r.Explains[by.Engine] == nil {
			continue
		}
		decided, reasons.Line = true, line(at)
		answers, err := r.Explains[by.Engine](ctx, f, subject)
		if err != nil {
			return reasons, err
		}
		reasons.Nodes = append(reasons.Nodes, answers...)
	}
	if !decided {
		return reasons, why.ErrNone
	}
	return reasons, nil
}

func (r *Replay) why(subject string) flow {
	reasons, err := r.Why(r.ctx, subject)
	switch {
	case errors.Is(err, why.ErrNone):
		r.note("이 패스에는 '왜'가 답할 결정이 없습니다. HPA, 카펜터, 클러스터 오토스케일러가 결정한 패스에서 물어 주십시오.")
	case errors.Is(err, otherwise.ErrNoSubject):
		r.note("이 패스의 결정에 " + subject + "에 관한 것은 없습니다. 노드나 노드 그룹의 이름을 확인해 주십시오.")
	case errors.Is(err, otherwise.ErrDiffers):
		r.note(Disagrees)
	case err != nil:
		r.note("이 패스의 결정을 다시 계산할 수 없습니다: " + err.Error())
	default:
		r.tell(reasons)
	}
	return stay
}
