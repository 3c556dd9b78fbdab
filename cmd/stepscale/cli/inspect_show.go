package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/inspect"
)

// shownFacts are the calculation as far as a screen shows it; all of it is in the JSON.
var shownFacts = []string{"totalUsage", "averageValue", "totalRequests", "currentUtilization", "usageRatio", "metricValue", "withinTolerance", "proposal", "scaleUpLimit", "scaleDownLimit"}

// inspection shows a report.
type inspection struct {
	*view.Screen
	r inspect.Report
}

func (d deps) showInspection(r inspect.Report, info clusters.Info) error {
	v := inspection{view.New(d.out), r}
	where := "네임스페이스 " + r.Namespace
	if r.Namespace == "" {
		where = "모든 네임스페이스"
	}
	v.Line(fmt.Sprintf("클러스터 %s(쿠버네티스 %s), %s: HPA %d개, VPA %d개를 한 번 읽었습니다. 쓴 것은 없습니다.", info.Name, info.Version, where, len(r.HPAs), len(r.VPAs)))
	v.Note("관측: API가 그렇게 말합니다. 다시 계산: 읽은 값으로 엔진이 계산했습니다. 알 수 없음: 한 번 보아서는 모릅니다.")
	for _, h := range r.HPAs {
		v.hpa(h)
	}
	for _, p := range r.VPAs {
		v.object("VPA", p)
		v.findings(p.Object)
	}
	v.rest()
	v.checklist()
	v.sum()
	return v.Err()
}

func (v inspection) object(kind string, s inspect.Section) {
	v.Section(fmt.Sprintf("%s %s/%s → %s", kind, s.Object.Namespace, s.Object.Name, s.Target))
	v.lines(s.Lines)
}

func (v inspection) hpa(h inspect.HPAReport) {
	v.object("HPA", h.Section)
	for _, f := range h.Facts {
		base, _, _ := strings.Cut(f.Name, "#")
		if !slices.Contains(shownFacts, base) {
			continue
		}
		text := view.FactLabel(f.Name)
		if f.Expr != "" {
			text += " = " + f.Expr
		}
		v.Marked(inspect.Recomputed.String(), text+" = "+view.FactValue(f.Value))
	}
	v.findings(h.Object)
}

func (v inspection) lines(all []inspect.Line) {
	for _, l := range all {
		v.Marked(l.Mark.String(), l.Text)
	}
}

// findings are those about one object.
func (v inspection) findings(of inspect.Object) {
	for _, f := range v.r.Findings {
		if f.Object == of {
			v.finding(f)
		}
	}
}

func (v inspection) finding(f inspect.Finding) {
	v.Fault(fmt.Sprintf("%s [%s]", f.What, f.Rule), f.Level == inspect.LevelError)
	v.lines(f.Evidence)
	v.Marked("고치기", f.Fix)
	v.Command("확인", f.Command)
	v.Marked("업스트림", f.Ref)
}

// rest is what belongs to no HPA and no VPA.
func (v inspection) rest() {
	if len(v.r.Nodes) > 0 {
		v.Section("노드")
		v.lines(v.r.Nodes)
	}
	shown := func(o inspect.Object) bool {
		return slices.ContainsFunc(v.r.HPAs, func(h inspect.HPAReport) bool { return h.Object == o }) ||
			slices.ContainsFunc(v.r.VPAs, func(s inspect.Section) bool { return s.Object == o })
	}
	first := true
	for _, f := range v.r.Findings {
		if shown(f.Object) {
			continue
		}
		if first {
			v.Section("클러스터")
			first = false
		}
		v.finding(f)
	}
	if len(v.r.Unread) > 0 {
		v.Section("읽지 못한 것")
		v.lines(v.r.Unread)
	}
}

func (v inspection) checklist() {
	if len(v.r.Checklist) == 0 {
		return
	}
	v.Section("아마존 EKS에 오토스케일링 구축하기")
	signs := map[inspect.State]string{inspect.Done: "✔", inspect.Missing: "✘", inspect.Unsure: "?"}
	for _, i := range v.r.Checklist {
		v.Line(signs[i.State] + " " + i.Title)
		v.lines(i.Lines)
		if i.Next != "" {
			v.Marked("모자란 것", i.Next)
		}
	}
}

func (v inspection) sum() {
	v.Blank()
	if len(v.r.Findings) > 0 {
		serious := 0
		for _, f := range v.r.Findings {
			if f.Level == inspect.LevelError {
				serious++
			}
		}
		v.Note(fmt.Sprintf("찾은 것 %d개: 움직이지 않게 하는 것(✘) %d개, 살펴보실 것(△) %d개.", len(v.r.Findings), serious, len(v.r.Findings)-serious))
		return
	}
	text := fmt.Sprintf("찾은 것이 없습니다. 규칙 %d개로 살펴보았습니다.", len(inspect.Rules))
	switch {
	case len(v.r.HPAs)+len(v.r.VPAs) == 0:
		text = "HPA도 VPA도 없어 살펴볼 것이 없습니다."
	case len(v.r.Unread) > 0:
		text = fmt.Sprintf("읽은 것 안에서는 찾은 것이 없습니다. 읽지 못한 것이 %d가지 있습니다.", len(v.r.Unread))
	}
	v.Done(text)
}
