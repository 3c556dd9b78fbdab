package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/whatif"
)

func (d deps) showWhatif(file string, r whatifReport, sweep bool) error {
	s := view.New(d.out)
	s.Title("다른 설정이었다면: " + file)
	for _, text := range r.Model.notes() {
		s.Note(text)
	}
	s.Blank()
	if sweep {
		showSweep(s, r)
		return s.Err()
	}
	v := r.Variants[0]
	for _, set := range v.Set {
		s.Note("바꾼 것: " + set)
	}
	s.Section("레플리카")
	s.Sparks([]view.Spark{{Name: "기록", Numbers: replicasOf(r.Recorded.course)}, {Name: "다시", Numbers: replicasOf(v.course)}})
	s.Blank()
	s.Section("나란히")
	s.Table([]string{"", "기록", "다시"}, sideBySide(r.Recorded.Summary, v.Summary))
	s.Blank()
	if v.course.Parted < 0 {
		s.Done(fmt.Sprintf("결정 %d개가 모두 기록과 같습니다.", len(v.course.Points)))
		return s.Err()
	}
	showFirst(s, v.First)
	showParting(s, r.Recorded.course, v.course)
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
	check := fmt.Sprintf("이 모델에 처음의 파드와 부하만 주면 기록의 결정 %d개 가운데 %d개를 그대로 냅니다.", m.Decisions, m.Agreed)
	if m.Agreed < m.Decisions {
		check += " 나머지만큼은 모델이 모르는 일이 있었으니, 갈라진 뒤의 숫자는 어림으로만 보십시오."
	}
	return []string{"결정은 HPA의 엔진이 다시 하고, 결정이 기록과 달라진 뒤의 파드와 메트릭은 시뮬레이션입니다. 클러스터는 없습니다.", load + " " + start, check}
}

// mostParted is how many decisions that differ are listed.
const mostParted = 12

// showParting lists the decisions that are not the recorded ones.
func showParting(s *view.Screen, recorded, variant whatif.Course) {
	var rows [][]string
	differ := 0
	for i, p := range variant.Points {
		q := recorded.Points[i]
		if p.Desired == q.Desired && p.Current == q.Current {
			continue
		}
		if differ++; differ <= mostParted {
			rows = append(rows, []string{strconv.Itoa(p.Pass), arrow(q), arrow(p)})
		}
	}
	s.Section(fmt.Sprintf("처음 달라진 결정: 패스 %d", variant.Points[variant.Parted].Pass))
	s.Table([]string{"패스", "기록", "다시"}, rows)
	if differ > mostParted {
		s.Note(fmt.Sprintf("그 밖에 %d개 패스가 다릅니다. 모두 보시려면 --output json을 쓰십시오.", differ-mostParted))
	}
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

func showSweep(s *view.Screen, r whatifReport) {
	row := func(name string, v whatif.Summary) []string {
		return []string{name, fmt.Sprintf("%.2f", v.PodHours), strconv.Itoa(int(v.Most)), view.Duration(v.OverTarget), view.Duration(v.Saturated), usageText(v, v.P99), strconv.Itoa(v.Scalings), strconv.Itoa(v.Flips)}
	}
	rows := [][]string{row("기록", r.Recorded.Summary)}
	for _, v := range r.Variants {
		rows = append(rows, row(strings.Join(v.Set, " "), v.Summary))
	}
	s.Table([]string{"", "파드 시간", "최대", "목표 초과", "CPU 모자람", "p99", "조정", "되돌림"}, rows)
	s.Blank()
	if r.Verdict.Keep {
		s.Done("지금 그대로 두십시오. " + r.Verdict.Reason)
		return
	}
	s.Done("권합니다: " + strings.Join(r.Verdict.Set, " ") + ". " + r.Verdict.Reason)
}
