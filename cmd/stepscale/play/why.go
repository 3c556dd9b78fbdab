package play

import (
	"errors"
	"time"

	"github.com/stepscale/stepscale/engine/whys"
)

// Reasons are what it would have taken for a decision of a pass to come out otherwise.
type Reasons struct {
	Pass   int
	Line   int       // of the decision in the recording
	Answer any       // of one of the whys
	Start  time.Time // loop time of the recording's first frame
}

// Why answers for the pass under the cursor; whys.ErrNone where nothing was decided in it.
// There is one of them at least.
func (r *Replay) Why() (all []Reasons, err error) {
	pass := r.Recording.Row(r.cursor).Pass
	first, _ := r.Recording.Pass(pass)
	answers, err := whys.Pass(r.ofPass(pass))
	for _, a := range answers {
		all = append(all, Reasons{Pass: pass, Line: r.Recording.Row(first + a.At).Line, Answer: a.Why, Start: r.Recording.Row(0).At})
	}
	if len(all) == 0 {
		all = []Reasons{{Pass: pass}}
	}
	return all, err
}

func (r *Replay) why(string) flow {
	all, err := r.Why()
	switch {
	case errors.Is(err, whys.ErrNone):
		r.note("이 패스에는 HPA나 VPA의 결정이 없습니다. '왜'는 그 결정에만 답합니다.")
	case err != nil:
		r.note("이 패스의 결정을 다시 계산할 수 없습니다: " + err.Error())
	default:
		for _, reasons := range all {
			r.tell(reasons)
		}
	}
	return stay
}
