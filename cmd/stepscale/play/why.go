package play

import (
	"errors"
	"time"

	"github.com/stepscale/stepscale/engine/hpa/why"
)

// Reasons are what it would have taken for the decision of a pass to come out otherwise.
type Reasons struct {
	Pass   int
	Line   int // of the decision in the recording
	Answer why.Answer
	Start  time.Time // loop time of the recording's first frame
}

// Why answers for the pass under the cursor; why.ErrNone where no HPA decided in it.
func (r *Replay) Why() (Reasons, error) {
	pass := r.Recording.Row(r.cursor).Pass
	first, _ := r.Recording.Pass(pass)
	a, at, err := why.Pass(r.ofPass(pass))
	return Reasons{Pass: pass, Line: r.Recording.Row(first + at).Line, Answer: a, Start: r.Recording.Row(0).At}, err
}

func (r *Replay) why(string) flow {
	reasons, err := r.Why()
	switch {
	case errors.Is(err, why.ErrNone):
		r.note("이 패스에는 HPA의 결정이 없습니다. '왜'는 HPA의 결정에만 답합니다.")
	case err != nil:
		r.note("이 패스의 결정을 다시 계산할 수 없습니다: " + err.Error())
	default:
		r.tell(reasons)
	}
	return stay
}
