package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/whatif"
)

func (d deps) showWhatif(file string, r whatifReport, sweep bool) error {
	s := d.whatifHead(file, r.Model.notes())
	if sweep {
		showReplicaSweep(s, r)
		return s.Err()
	}
	v := r.Variants[0]
	beside(s, v.Set, "레플리카", replicasOf(r.Recorded.course), replicasOf(v.course), sideBySide(r.Recorded.Summary, v.Summary))
	if v.course.Parted < 0 {
		s.Done(fmt.Sprintf("결정 %d개가 모두 기록과 같습니다.", len(v.course.Points)))
		return s.Err()
	}
	showFirst(s, v.First)
	showParted(s, fmt.Sprintf("처음 달라진 결정: 패스 %d", v.course.Points[v.course.Parted].Pass), replicasParted(r.Recorded.course, v.course))
	return s.Err()
}

// showFirst names the first calculation that is another one.
func showFirst(s *view.Screen, p *whatif.Parting) {
	if p != nil {
		s.Note(fmt.Sprintf("처음 갈라진 단계: 패스 %d, 2-replicas/%s. %s: 기록 %s, 다시 %s", p.Pass, p.Stage, view.FactLabel(p.Fact), orNone(p.Was), orNone(p.Is)))
	}
}

// notes say what is computed and what is not.
func (m whatifModel) notes() []string {
	load := "부하는 기록에 있는 시나리오의 것입니다."
	if !m.FromScenario {
		load = "부하는 기록된 사용량의 합이고, 준비된 파드가 똑같이 나눕니다. 파드가 일 없이 쓰는 CPU까지 부하로 칩니다."
	}
	start := fmt.Sprintf("새 파드는 기록에서처럼 %s 뒤에 시작하고, 다시 %s 뒤에 준비됩니다.", view.Duration(m.Start), view.Duration(m.Ready))
	if m.Assumed {
		start = fmt.Sprintf("기록에 새로 시작한 파드가 없어 %s 뒤에 시작한다고 가정합니다.", view.Duration(m.Start))
	}
	check := m.caveat(fmt.Sprintf("이 모델에 처음의 파드와 부하만 주면 기록의 결정 %d개 가운데 %d개를 그대로 냅니다.", m.Decisions, m.Agreed))
	return []string{"결정은 HPA의 엔진이 다시 하고, 결정이 기록과 달라진 뒤의 파드와 메트릭은 시뮬레이션입니다. 클러스터는 없습니다.", load + " " + start, check}
}

// replicasParted are the passes whose decisions are not the recorded ones.
func replicasParted(recorded, variant whatif.Course) (passes []play.ForkedPass) {
	for i, p := range variant.Points {
		if q := recorded.Points[i]; p.Desired != q.Desired || p.Current != q.Current {
			passes = append(passes, play.ForkedPass{Pass: p.Pass, Recorded: arrow(q), Other: arrow(p)})
		}
	}
	return passes
}

func arrow(p whatif.Point) string {
	if p.Current == p.Desired {
		return strconv.Itoa(int(p.Current))
	}
	return fmt.Sprintf("%d→%d", p.Current, p.Desired)
}

func replicasOf(c whatif.Course) (numbers []float64) {
	for _, p := range c.Points {
		numbers = append(numbers, float64(p.Current))
	}
	return numbers
}

func sideBySide(a, b whatif.Summary) [][]string {
	row := func(name string, text func(whatif.Summary) string) []string { return []string{name, text(a), text(b)} }
	return [][]string{
		row("파드 시간(레플리카 × 시간)", func(s whatif.Summary) string { return fmt.Sprintf("%.2f", s.PodHours) }),
		row("가장 많은 레플리카", func(s whatif.Summary) string { return strconv.Itoa(int(s.Most)) }),
		row("자기 목표보다 많이 쓴 시간", func(s whatif.Summary) string { return view.Duration(s.OverTarget) }),
		row("CPU가 모자란 시간", func(s whatif.Summary) string { return view.Duration(s.Saturated) }),
		row("사용률 p95", func(s whatif.Summary) string { return usageText(s, s.P95) }),
		row("사용률 p99", func(s whatif.Summary) string { return usageText(s, s.P99) }),
		row("확장과 축소", func(s whatif.Summary) string { return strconv.Itoa(s.Scalings) + "번" }),
		row("10분 안에 되돌린 것", func(s whatif.Summary) string { return strconv.Itoa(s.Flips) + "번" }),
		row("minReplicas에 있은 시간", func(s whatif.Summary) string { return view.Duration(s.AtMin) }),
		row("maxReplicas에 있은 시간", func(s whatif.Summary) string { return view.Duration(s.AtMax) }),
		row("메트릭이 없던 시간", func(s whatif.Summary) string { return view.Duration(s.Unmeasured) }),
	}
}

func showReplicaSweep(s *view.Screen, r whatifReport) {
	row := func(name string, v whatif.Summary) []string {
		return []string{name, fmt.Sprintf("%.2f", v.PodHours), strconv.Itoa(int(v.Most)), view.Duration(v.OverTarget), view.Duration(v.Saturated), usageText(v, v.P99), strconv.Itoa(v.Scalings), strconv.Itoa(v.Flips)}
	}
	rows := [][]string{row("기록", r.Recorded.Summary)}
	for _, v := range r.Variants {
		rows = append(rows, row(strings.Join(v.Set, " "), v.Summary))
	}
	showSweep(s, []string{"", "파드 시간", "최대", "목표 초과", "CPU 모자람", "p99", "조정", "되돌림"}, rows, r.Verdict)
}
