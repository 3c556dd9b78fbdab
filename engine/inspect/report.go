package inspect

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"

	"github.com/stepscale/stepscale/engine/trace"
)

// Schema is the version of the report's JSON. Fields may be added to it; what is there
// keeps its meaning.
const Schema = "stepscale.inspect/v1"

// Report is what one look has found.
type Report struct {
	Schema    string      `json:"schema"`
	At        time.Time   `json:"at"`
	Cluster   string      `json:"cluster"`
	Namespace string      `json:"namespace"` // empty: all
	HPAs      []HPAReport `json:"hpas"`
	VPAs      []Section   `json:"vpas"`
	Nodes     []Line      `json:"nodes"`
	Unread    []Line      `json:"unread"` // what could not be read, and why
	Findings  []Finding   `json:"findings"`
	Checklist []Item      `json:"checklist,omitempty"` // where it was asked for
}

// Section is one object, and what is known about it.
type Section struct {
	Object Object `json:"object"`
	Target string `json:"target"`
	Lines  []Line `json:"lines"`
}

// HPAReport is one HPA, and its decision.
type HPAReport struct {
	Section
	CurrentReplicas *int32       `json:"currentReplicas,omitempty"` // none: the target could not be read
	Decided         *int32       `json:"decidedReplicas,omitempty"` // by the controller, in the HPA's status
	Recomputed      *int32       `json:"recomputedReplicas,omitempty"`
	Facts           []trace.Fact `json:"facts,omitempty"` // of the calculation
}

// Inspect judges what was read.
func Inspect(s *Snapshot) Report {
	r := Report{Schema: Schema, At: s.Now, Namespace: s.Namespace, Findings: find(s), HPAs: []HPAReport{}, VPAs: []Section{}, Nodes: s.nodeLines(), Unread: []Line{}}
	for i := range s.HPAs {
		r.HPAs = append(r.HPAs, s.hpaReport(&s.HPAs[i]))
	}
	for i := range s.VPAs {
		r.VPAs = append(r.VPAs, vpaSection(&s.VPAs[i]))
	}
	for kind, why := range s.Unread {
		r.Unread = append(r.Unread, unknown("%s: %s", kind, why))
	}
	slices.SortFunc(r.Unread, func(a, b Line) int { return cmp.Compare(a.Text, b.Text) })
	return r
}

func (s *Snapshot) hpaReport(h *HPA) HPAReport {
	d := s.decide(h)
	r := HPAReport{Section: Section{Object: objectOf(h), Target: h.target(), Lines: s.lines(h, d)}, Facts: d.Facts}
	if h.Target != nil {
		r.CurrentReplicas = &h.Target.Scale.Spec.Replicas
	}
	if len(h.Status.Conditions) > 0 {
		r.Decided = &h.Status.DesiredReplicas
	}
	if d.Skipped == "" {
		r.Recomputed = &d.Desired
	}
	return r
}

func vpaSection(v *vpav1.VerticalPodAutoscaler) Section {
	s := Section{Object: vpaObject(v), Lines: []Line{observed("updateMode %s", vpautil.GetUpdateMode(v))}}
	if ref := v.Spec.TargetRef; ref != nil {
		s.Target = ref.Kind + " " + ref.Name
	}
	if v.Status.Recommendation != nil {
		for _, c := range v.Status.Recommendation.ContainerRecommendations {
			s.Lines = append(s.Lines, observed("%s의 추천(target): cpu %s, memory %s", c.ContainerName, c.Target.Cpu(), c.Target.Memory()))
		}
	}
	return s
}

// nodeLines are what there is of the autoscalers of nodes.
func (s *Snapshot) nodeLines() []Line {
	lines := []Line{}
	for _, p := range s.NodePools {
		text := fmt.Sprintf("카펜터 NodePool %s", p.Name)
		if p.Status.Nodes != nil {
			text += fmt.Sprintf(": 노드 %d개", *p.Status.Nodes)
		}
		for _, name := range slices.Sorted(maps.Keys(p.Spec.Limits)) {
			limit, used := p.Spec.Limits[name], p.Status.Resources[name]
			text += fmt.Sprintf(", %s %s / 한도 %s", name, used.String(), limit.String())
		}
		lines = append(lines, observed("%s", text))
	}
	if s.Groups != nil {
		lines = append(lines, observed("클러스터 오토스케일러: %s, 상태 %s, 확장 %s", s.Groups.Status, s.Groups.ClusterWide.Health.Status, s.Groups.ClusterWide.ScaleUp.Status))
		for _, g := range s.Groups.Groups {
			lines = append(lines, observed("노드 그룹 %s: %d대 (범위 %d~%d)", g.Name, g.Health.Target, g.Health.Min, g.Health.Max))
		}
	}
	if len(s.Nodes) > 0 {
		lines = append(lines, observed("노드 %d개", len(s.Nodes)))
	}
	return lines
}
