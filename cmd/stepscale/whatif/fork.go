package whatif

import (
	"slices"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
)

// Parting is the first calculation that a fork does otherwise.
type Parting struct {
	Pass    int       `json:"pass"`
	Stage   hpa.Stage `json:"stage"` // of the decision, or of the pass of a VPA
	Fact    string    `json:"fact"`
	Was, Is string
}

// Fork is the course in which everything is as recorded up to a pass, and an edit holds
// from that pass on.
func (s *Study) Fork(e *Edit, from int) (Course, error) { return s.play(e, from, nil) }

// Fork is the course in which everything is as recorded up to a pass, and an edit holds
// from that pass on. What a histogram is made with is fixed where it begins, and what the
// VPA of the recording has not is an error.
func (s *VPAStudy) Fork(e *Edit, from int) (VPACourse, error) {
	if err := e.checkVPA(s.passes[0].Fed); err != nil {
		return VPACourse{}, err
	}
	for _, set := range e.sets {
		if (set.key == cpuHalfLife || set.key == memoryHalfLife) && from > s.passes[0].Pass {
			return VPACourse{}, &SetError{set.text, "반감기는 도중에 바꿀 수 없습니다", "히스토그램은 처음 만들 때의 반감기로 쌓입니다. 처음부터 바꾸어 보십시오."}
		}
	}
	return s.play(e, from, nil)
}

// Has tells whether there is a decision of a pass.
func (s *Study) Has(pass int) bool {
	return slices.ContainsFunc(s.decisions, func(d Decision) bool { return d.Pass == pass })
}

// Has tells whether the recommender was fed in a pass.
func (s *VPAStudy) Has(pass int) bool {
	return slices.ContainsFunc(s.passes, func(p VPAPass) bool { return p.Pass == pass })
}

// parting compares two decisions calculation by calculation; nil where they are alike.
func parting(pass int, a, b hpa.Recorded, memory *hpa.History) *Parting {
	was, is := hpa.NewDecision(a.Params, a.Input, memory.Clone()), hpa.NewDecision(b.Params, b.Input, memory.Clone())
	for _, stage := range hpa.Stages() {
		before, after := was.Run(stage).Facts(), is.Run(stage).Facts()
		for _, name := range namesOf(before, after) {
			if x, y := valueOf(before, name), valueOf(after, name); x != y {
				return &Parting{Pass: pass, Stage: stage, Fact: name, Was: x, Is: y}
			}
		}
	}
	return nil
}

func namesOf(lists ...[]trace.Fact) (names []string) {
	for _, list := range lists {
		for _, f := range list {
			if !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

func valueOf(facts []trace.Fact, name string) string {
	for _, f := range facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}
