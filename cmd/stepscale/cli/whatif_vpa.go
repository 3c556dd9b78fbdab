package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/whatif"
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
		maps.Copy(last.Told, vpa.Recommended(f))
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

func compareVPA(ctx context.Context, study *whatif.VPAStudy, o whatifOptions) (whatifVPAReport, error) {
	r := whatifVPAReport{Loop: "vpa", Recorded: vpaCourseOf(nil, study.Recorded())}
	return r, compare(ctx, o, &r, studied[whatifVPACourse, whatif.VPASummary]{study: study, verdict: whatif.VerdictVPA,
		course: func(sets []string, e *whatif.Edit) (whatifVPACourse, error) {
			c, err := study.Fork(e, o.from)
			if err != nil {
				return whatifVPACourse{}, err
			}
			return vpaCourseOf(sets, c), nil
		},
		summary: func(c whatifVPACourse) whatif.VPASummary { return c.Summary },
		bare:    func(c *whatifVPACourse) { c.Points = nil },
	})
}

func vpaCourseOf(sets []string, c whatif.VPACourse) whatifVPACourse {
	v := whatifVPACourse{Set: append([]string{}, sets...), Summary: whatif.SumVPA(c), Points: c.Points, course: c}
	if c.Parted >= 0 {
		v.Parted = c.Points[c.Parted].Pass
	}
	return v
}

func (d deps) showWhatifVPA(file string, r whatifVPAReport, sweep bool) error {
	s := d.whatifHead(file, []string{
		"추천은 기록한 사용량을 업스트림의 Recommender에게 처음부터 다시 먹여 계산하고, 어느 파드를 바꿀지는 업스트림의 우선순위 계산기가 정합니다. 클러스터는 없습니다.",
		"갈라진 뒤의 파드는 시뮬레이션입니다: 축출된 파드는 다음 패스에 새 크기로 있고, 파드가 쓴 양과 OOM은 기록한 그대로입니다. PodDisruptionBudget의 거절은 모릅니다.",
		r.Model.caveat(fmt.Sprintf("이 모델에 처음의 파드와 사용량만 주면 기록의 패스 %d개 가운데 %d개에서 바꾼 파드의 수가 같습니다.", r.Model.Decisions, r.Model.Agreed)),
	})
	if sweep {
		showVPASweep(s, r)
		return s.Err()
	}
	v := r.Variants[0]
	beside(s, v.Set, "파드 하나의 CPU 요청량", requestsOf(r.Recorded.course), requestsOf(v.course), vpaSideBySide(r.Recorded.Summary, v.Summary))
	if v.course.Parted < 0 {
		s.Done(fmt.Sprintf("패스 %d개의 추천과 판정이 모두 기록과 같습니다.", len(v.course.Points)))
		return s.Err()
	}
	showParted(s, fmt.Sprintf("처음 달라진 곳: 패스 %d", v.course.Points[v.course.Parted].Pass), sizesParted(r.Recorded.course, v.course))
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
	for _, name := range slices.Sorted(maps.Keys(union(a.Last, b.Last))) {
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

// sizesParted are the passes that are not the recorded ones.
func sizesParted(recorded, variant whatif.VPACourse) (passes []play.ForkedPass) {
	for i, p := range variant.Points {
		if a, b := passText(recorded.Points[i]), passText(p); a != b {
			passes = append(passes, play.ForkedPass{Pass: p.Pass, Recorded: a, Other: b})
		}
	}
	return passes
}

func showVPASweep(s *view.Screen, r whatifVPAReport) {
	row := func(name string, v whatif.VPASummary) []string {
		return []string{name, fmt.Sprintf("%.2f", v.CoreHours), fmt.Sprintf("%.2f", v.GiBHours), view.Duration(v.ShortCPU), view.Duration(v.ShortMemory), strconv.Itoa(v.Updates)}
	}
	rows := [][]string{row("기록", r.Recorded.Summary)}
	for _, v := range r.Variants {
		rows = append(rows, row(strings.Join(v.Set, " "), v.Summary))
	}
	showSweep(s, []string{"", "코어 시간", "GiB 시간", "CPU 모자람", "메모리 모자람", "바꾼 파드"}, rows, r.Verdict)
}
