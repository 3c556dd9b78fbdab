package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/whatif"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
)

// vpaPasses takes the passes of a VPA out of a recording.
type vpaPasses struct{ all []whatif.VPAPass }

func (p *vpaPasses) frame(_ int, f trace.Frame) error {
	if f.Err != "" {
		return nil
	}
	if f.Step == vpa.CollectStep && len(f.Inputs) > 0 {
		fed, err := vpa.ReadFed(f.Inputs)
		if err != nil {
			return err
		}
		p.all = append(p.all, whatif.VPAPass{Pass: f.Pass, At: f.At, Fed: fed, Told: map[string]string{}})
	}
	if len(p.all) == 0 || p.all[len(p.all)-1].Pass != f.Pass {
		return nil
	}
	return addToPass(&p.all[len(p.all)-1], f)
}

func addToPass(last *whatif.VPAPass, f trace.Frame) error {
	switch f.Step {
	case vpa.RecommendStep:
		for _, fact := range f.Facts {
			if slices.Contains(vpa.Bounds, engine.Base(fact.Name)) {
				last.Told[fact.Name] = fact.Value
			}
		}
	case vpa.DecideStep:
		if len(f.Inputs) == 0 {
			return nil
		}
		j, err := vpa.ReadJudged(f.Inputs)
		if err != nil {
			return err
		}
		last.Judged = &j
		for _, p := range j.Pods {
			if chosen, _ := f.Fact("update/" + p.Name); chosen == "true" {
				last.Updated = append(last.Updated, p.Name)
			}
		}
		slices.Sort(last.Updated)
	case vpa.UpdateStep:
		for _, name := range []string{"evictedPods", "resizedPods"} {
			text, _ := f.Fact(name)
			n, _ := strconv.Atoi(text)
			last.Changed += n
		}
	}
	return nil
}

// ofVPA tells whether what is set is a VPA's.
func (o whatifOptions) ofVPA() bool {
	texts := slices.Clone(o.sets)
	for _, s := range o.sweeps {
		key, _, _ := strings.Cut(s, "=")
		texts = append(texts, key+"=0")
	}
	e, err := whatif.ParseEdit(texts)
	return err == nil && e.OfVPA()
}

// whatifVPAReport is what --output json writes of a VPA.
type whatifVPAReport struct {
	SchemaVersion int               `json:"schemaVersion"`
	Loop          string            `json:"loop"`
	Model         whatifModel       `json:"model"`
	Recorded      whatifVPACourse   `json:"recorded"`
	Variants      []whatifVPACourse `json:"variants"`
	Verdict       *whatifVerdict    `json:"verdict,omitempty"` // of a sweep
}

// whatifVPACourse is a course as JSON has it.
type whatifVPACourse struct {
	Set     []string          `json:"set"`
	Parted  int               `json:"partedAtPass,omitempty"`
	Summary whatif.VPASummary `json:"summary"`
	Points  []whatif.VPAPoint `json:"passes,omitempty"` // not of a sweep

	course whatif.VPACourse
}

func (d deps) whatifVPA(ctx context.Context, file string, study *whatif.VPAStudy, o whatifOptions) error {
	r, err := compareVPA(ctx, study, o)
	if what, _ := vpaStopped(err); what != "" {
		return badRecording(file, 1, err)
	}
	if err != nil {
		return unset(file, err)
	}
	if o.output == "json" {
		err = d.writeJSON(r)
	} else {
		err = d.showWhatifVPA(file, r, len(o.sweeps) > 0)
	}
	if slices.ContainsFunc(r.Variants, func(v whatifVPACourse) bool { return v.course.Parted >= 0 }) {
		err = errors.Join(err, errReported)
	}
	return err
}

func compareVPA(ctx context.Context, study *whatif.VPAStudy, o whatifOptions) (r whatifVPAReport, err error) {
	r.SchemaVersion, r.Loop, r.Recorded = 1, "vpa", vpaCourseOf(nil, study.Recorded())
	if o.from > 0 && !study.Has(o.from) {
		return r, noSuchPass(o.from)
	}
	variants, err := o.variants()
	if err != nil {
		return r, err
	}
	if r.Model.Agreed, r.Model.Decisions, err = study.Check(); err != nil {
		return r, err
	}
	var sums []whatif.VPASummary
	for _, sets := range variants {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		edit, err := whatif.ParseEdit(sets)
		if err == nil {
			err = study.Accepts(edit)
		}
		if err != nil {
			return r, err
		}
		course, err := study.Fork(edit, o.from)
		if err != nil {
			return r, err
		}
		v := vpaCourseOf(sets, course)
		if len(o.sweeps) > 0 {
			v.Points = nil
		}
		r.Variants, sums = append(r.Variants, v), append(sums, v.Summary)
	}
	if len(o.sweeps) > 0 {
		r.Recorded.Points = nil
		best, reason := whatif.VerdictVPA(r.Recorded.Summary, sums)
		r.Verdict = &whatifVerdict{Keep: best < 0, Reason: reason}
		if best >= 0 {
			r.Verdict.Set = r.Variants[best].Set
		}
	}
	return r, nil
}

func vpaCourseOf(sets []string, c whatif.VPACourse) whatifVPACourse {
	v := whatifVPACourse{Set: append([]string{}, sets...), Summary: whatif.SumVPA(c), Points: c.Points, course: c}
	if c.Parted >= 0 {
		v.Parted = c.Points[c.Parted].Pass
	}
	return v
}

func (d deps) showWhatifVPA(file string, r whatifVPAReport, sweep bool) error {
	s := view.New(d.out)
	s.Title("다른 설정이었다면: " + file)
	s.Note("추천은 기록한 사용량을 업스트림의 Recommender에게 처음부터 다시 먹여 계산하고, 어느 파드를 바꿀지는 업스트림의 우선순위 계산기가 정합니다. 클러스터는 없습니다.")
	s.Note("갈라진 뒤의 파드는 시뮬레이션입니다: 축출된 파드는 다음 패스에 새 크기로 있고, 파드가 쓴 양과 OOM은 기록한 그대로입니다. PodDisruptionBudget의 거절은 모릅니다.")
	check := fmt.Sprintf("이 모델에 처음의 파드와 사용량만 주면 기록의 패스 %d개 가운데 %d개에서 바꾼 파드의 수가 같습니다.", r.Model.Decisions, r.Model.Agreed)
	if r.Model.Agreed < r.Model.Decisions {
		check += " 나머지만큼은 모델이 모르는 일이 있었으니, 갈라진 뒤의 숫자는 어림으로만 보십시오."
	}
	s.Note(check)
	s.Blank()
	if sweep {
		showVPASweep(s, r)
		return s.Err()
	}
	v := r.Variants[0]
	for _, set := range v.Set {
		s.Note("바꾼 것: " + set)
	}
	s.Section("파드 하나의 CPU 요청량")
	s.Sparks([]view.Spark{{Name: "기록", Numbers: requestsOf(r.Recorded.course)}, {Name: "다시", Numbers: requestsOf(v.course)}})
	s.Blank()
	s.Section("나란히")
	s.Table([]string{"", "기록", "다시"}, vpaSideBySide(r.Recorded.Summary, v.Summary))
	s.Blank()
	if v.course.Parted < 0 {
		s.Done(fmt.Sprintf("패스 %d개의 추천과 판정이 모두 기록과 같습니다.", len(v.course.Points)))
		return s.Err()
	}
	showVPAParting(s, r.Recorded.course, v.course)
	return s.Err()
}

func requestsOf(c whatif.VPACourse) (numbers []float64) {
	for _, p := range c.Points {
		numbers = append(numbers, float64(p.Requested.CPU))
	}
	return numbers
}

func vpaSideBySide(a, b whatif.VPASummary) [][]string {
	row := func(name string, text func(whatif.VPASummary) string) []string {
		return []string{name, text(a), text(b)}
	}
	rows := [][]string{
		row("요청한 코어 시간", func(s whatif.VPASummary) string { return fmt.Sprintf("%.2f", s.CoreHours) }),
		row("요청한 GiB 시간", func(s whatif.VPASummary) string { return fmt.Sprintf("%.2f", s.GiBHours) }),
		row("CPU를 요청량보다 많이 쓴 시간", func(s whatif.VPASummary) string { return view.Duration(s.ShortCPU) }),
		row("메모리를 요청량보다 많이 쓴 시간", func(s whatif.VPASummary) string { return view.Duration(s.ShortMemory) }),
		row("바꾼 파드(축출, 조정)", func(s whatif.VPASummary) string { return strconv.Itoa(s.Updates) + "번" }),
		row("메트릭이 없던 시간", func(s whatif.VPASummary) string { return view.Duration(s.Unmeasured) }),
	}
	names := maps.Clone(a.Last)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, b.Last)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if of, ok := strings.CutPrefix(name, "target/"); ok {
			rows = append(rows, row("마지막 추천 "+of, func(s whatif.VPASummary) string { return orNone(s.Last[name]) }))
		}
	}
	return rows
}

// passText is what came of a pass.
func passText(p whatif.VPAPoint) string {
	t := orNone(targets(p.Told))
	if p.Updates > 0 {
		t += fmt.Sprintf(", 파드 %d개 바꿈", p.Updates)
	}
	return t
}

// showVPAParting lists the passes that are not the recorded ones.
func showVPAParting(s *view.Screen, recorded, variant whatif.VPACourse) {
	var rows [][]string
	differ := 0
	for i, p := range variant.Points {
		if a, b := passText(recorded.Points[i]), passText(p); a != b {
			if differ++; differ <= mostParted {
				rows = append(rows, []string{strconv.Itoa(p.Pass), a, b})
			}
		}
	}
	s.Section(fmt.Sprintf("처음 달라진 곳: 패스 %d", variant.Points[variant.Parted].Pass))
	s.Table([]string{"패스", "기록", "다시"}, rows)
	if differ > mostParted {
		s.Note(fmt.Sprintf("그 밖에 %d개 패스가 다릅니다. 모두 보시려면 --output json을 쓰십시오.", differ-mostParted))
	}
}

func showVPASweep(s *view.Screen, r whatifVPAReport) {
	row := func(name string, v whatif.VPASummary) []string {
		return []string{name, fmt.Sprintf("%.2f", v.CoreHours), fmt.Sprintf("%.2f", v.GiBHours), view.Duration(v.ShortCPU), view.Duration(v.ShortMemory), strconv.Itoa(v.Updates)}
	}
	rows := [][]string{row("기록", r.Recorded.Summary)}
	for _, v := range r.Variants {
		rows = append(rows, row(strings.Join(v.Set, " "), v.Summary))
	}
	s.Table([]string{"", "코어 시간", "GiB 시간", "CPU 모자람", "메모리 모자람", "바꾼 파드"}, rows)
	s.Blank()
	if r.Verdict.Keep {
		s.Done("지금 그대로 두십시오. " + r.Verdict.Reason)
		return
	}
	s.Done("권합니다: " + strings.Join(r.Verdict.Set, " ") + ". " + r.Verdict.Reason)
}
