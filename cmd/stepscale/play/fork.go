package play

import "strings"

// Forked is another course from a pass on, beside the recorded one.
type Forked struct {
	From  int // pass
	Sets  []string
	What  string // that the rows of numbers are
	First string // the first step in which the courses part, in Korean; empty: they never do
	Notes []string

	Recorded, Other []float64 // a number a pass, from the first pass of the recording on
	Passes          []ForkedPass
}

// ForkedPass is a pass in which the courses differ.
type ForkedPass struct {
	Pass            int
	Recorded, Other string
}

func (r *Replay) fork(arg string) flow {
	sets := strings.Fields(arg)
	switch {
	case r.Fork == nil:
		r.note("이 기록에서는 갈라져 볼 수 없습니다.")
		return stay
	case len(sets) == 0:
		r.note("여기서부터 무엇을 바꿀지 적어 주십시오. 예: 갈래 target=70, 갈래 maxReplicas=6, 갈래 updateMode=Off")
		return stay
	}
	forked, err := r.Fork(r.Recording.Row(r.cursor).Pass, sets)
	if err != nil {
		r.note(err.Error())
		return stay
	}
	r.tell(forked)
	return stay
}
