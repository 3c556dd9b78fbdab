package cli

import (
	"context"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/whatif"
	"github.com/stepscale/stepscale/cmd/stepscale/wording"
)

// comparison is what --output json writes: the recorded course beside others. C is one as
// JSON has it.
type comparison[C any] struct {
	SchemaVersion int            `json:"schemaVersion"`
	Loop          string         `json:"loop,omitempty"` // "vpa"; of an HPA none
	Model         whatifModel    `json:"model"`
	Recorded      C              `json:"recorded"`
	Variants      []C            `json:"variants"`
	Verdict       *whatifVerdict `json:"verdict,omitempty"` // of a sweep
}

type (
	whatifReport    = comparison[whatifCourse]
	whatifVPAReport = comparison[whatifVPACourse]
)

type whatifVerdict struct {
	Keep   bool     `json:"keep"`
	Set    []string `json:"set,omitempty"`
	Reason string   `json:"reason"` // Korean
}

// studied is a recording that can be played under other rules. S is what a course comes to.
type studied[C, S any] struct {
	study interface {
		Has(pass int) bool
		Check() (agreed, all int, err error)
	}
	course  func(sets []string, e *whatif.Edit) (C, error)
	summary func(C) S
	verdict func(now S, variants []S) (best int, reason string)
	bare    func(*C) // takes the passes out: those of a whole sweep are too many
}

// compare plays every variant, and of a sweep says which to take.
func compare[C, S any](ctx context.Context, o whatifOptions, r *comparison[C], p studied[C, S]) error {
	r.SchemaVersion = 1
	if o.from > 0 && !p.study.Has(o.from) {
		return noSuchPass(o.from)
	}
	variants, err := o.variants()
	if err != nil {
		return err
	}
	if r.Model.Agreed, r.Model.Decisions, err = p.study.Check(); err != nil {
		return err
	}
	sweep := len(o.sweeps) > 0
	sums := make([]S, len(variants))
	r.Variants = make([]C, len(variants))
	err = whatif.Each(ctx, len(variants), func(i int) error {
		edit, err := whatif.ParseEdit(variants[i])
		if err != nil {
			return err
		}
		c, err := p.course(variants[i], edit)
		if err != nil {
			return err
		}
		sums[i] = p.summary(c)
		if sweep {
			p.bare(&c)
		}
		r.Variants[i] = c
		return nil
	})
	if err != nil {
		r.Variants = nil
		return err
	}
	if !sweep {
		return nil
	}
	p.bare(&r.Recorded)
	best, reason := p.verdict(p.summary(r.Recorded), sums)
	r.Verdict = &whatifVerdict{Keep: best < 0, Reason: reason}
	if best >= 0 {
		r.Verdict.Set = append([]string{}, variants[best]...)
	}
	return nil
}

// variants are what is to be played.
func (o whatifOptions) variants() ([][]string, error) {
	var sweeps []whatif.Sweep
	for _, text := range o.sweeps {
		s, err := whatif.ParseSweep(text)
		if err != nil {
			return nil, err
		}
		sweeps = append(sweeps, s)
	}
	return whatif.Variants(o.sets, sweeps)
}

// whatifHead says what is computed and what is not.
func (d deps) whatifHead(file string, notes []string) *view.Screen {
	s := view.New(d.out)
	s.Title("다른 설정이었다면: " + file)
	for _, text := range notes {
		s.Note(text)
	}
	s.Blank()
	return s
}

// caveat adds to how well the model does what that means.
func (m whatifModel) caveat(check string) string {
	if m.Agreed < m.Decisions {
		check += " 나머지만큼은 모델이 모르는 일이 있었으니, 갈라진 뒤의 숫자는 어림으로만 보십시오."
	}
	return check
}

// beside shows two courses: what they count in every pass, and what they come to.
func beside(s *view.Screen, sets []string, what string, recorded, again []float64, rows [][]string) {
	for _, set := range sets {
		s.Note("바꾼 것: " + set)
	}
	s.Section(what)
	s.Sparks([]view.Spark{{Name: "기록", Numbers: recorded}, {Name: "다시", Numbers: again}})
	s.Blank()
	s.Section("나란히")
	s.Table([]string{"", "기록", "다시"}, rows)
	s.Blank()
}

// showParted lists the passes that are not the recorded ones.
func showParted(s *view.Screen, title string, passes []play.ForkedPass) {
	s.Section(title)
	wording.ForkedPasses(s, passes, "다시", " 모두 보시려면 --output json을 쓰십시오.")
}

// showSweep shows a row for every course, and the verdict.
func showSweep(s *view.Screen, header []string, rows [][]string, v *whatifVerdict) {
	s.Table(header, rows)
	s.Blank()
	if v.Keep {
		s.Done("지금 그대로 두십시오. " + v.Reason)
		return
	}
	s.Done("권합니다: " + strings.Join(v.Set, " ") + ". " + v.Reason)
}
