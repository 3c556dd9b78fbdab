package scenarios

import (
	"fmt"
	"path"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/stepscale/stepscale/engine/korean"
)

// The units in which a timeline may be written.
const (
	unitCPU = "cpu" // "100m"
	unitRPS = "rps" // requests per second; cost says what one of them takes
)

// parse reads a scenario.yaml. The scenario is never nil.
func parse(file string, text []byte) (*Scenario, Problems) {
	s := &Scenario{Raw: text}
	if dir := path.Dir(file); dir != "." {
		s.Name = path.Base(dir)
	}
	r := &reader{file: file}
	n := r.document(text)
	if n == nil {
		return s, r.problems
	}
	loops := map[string]bool{} // hpa, vpa, karpenter and groups, as far as they are given
	var flags *yaml.Node
	r.mapping(n, "시나리오", []field{
		{"title", true, r.text(&s.Title, "title")},
		{"hpa", false, func(n *yaml.Node) { loops["hpa"] = true; r.text(&s.HPA, "hpa")(n) }},
		{"vpa", false, func(n *yaml.Node) { loops["vpa"] = true; r.text(&s.VPA, "vpa")(n) }},
		{"karpenter", false, func(n *yaml.Node) { loops["karpenter"] = true; r.text(&s.Karpenter, "karpenter")(n) }},
		{"target", true, r.text(&s.Target, "target")},
		{"faults", false, func(n *yaml.Node) { s.Faults = r.faults(n, loops) }},
		{"pod", false, func(n *yaml.Node) { s.Pod = r.pod(n) }},
		{"load", true, func(n *yaml.Node) { s.Load = r.load(n) }},
		{"memory", false, func(n *yaml.Node) { s.WorkingSet = r.memory(n) }},
		{"loads", false, func(n *yaml.Node) { s.More = r.flows(n) }},
		{"metrics", false, func(n *yaml.Node) { s.series = r.metrics(n, s.Target) }},
		{"flags", false, func(n *yaml.Node) { flags = n }},
		{"events", false, func(n *yaml.Node) { s.events = r.timeline(n) }},
		{"nodes", false, func(n *yaml.Node) { s.nodes = r.nodeList(n); r.stock(n.Line, s) }},
		{"groups", false, func(n *yaml.Node) { loops["groups"] = true; s.Groups = r.groups(n); r.stock(n.Line, s) }},
	})
	if n.Kind == yaml.MappingNode && len(loops) == 0 {
		r.add(n.Line, "hpa: web 또는 vpa: web처럼 볼 오토스케일러의 이름을 적어 주십시오. 둘 다 적을 수도 있습니다. 노드만 보는 시나리오라면 karpenter: default처럼 NodePool의 이름이나 노드 그룹(groups)을 적어 주십시오.", "시나리오에 hpa도 vpa도 없습니다.")
	}
	if flags != nil { // may stand before hpa and vpa
		s.Flags = r.flagged(flags, loops)
	}
	return s, r.problems
}

// loopOf is the loop without which a fault cannot be seen.
var loopOf = map[Fault]string{FaultMissingRequests: "hpa", FaultMissingMetrics: "hpa", FaultTwoVPAs: "vpa"}

func (r *reader) faults(n *yaml.Node, loops map[string]bool) []Fault {
	known := []Fault{FaultMissingTarget, FaultMissingRequests, FaultMissingMetrics, FaultTwoVPAs}
	hint := fmt.Sprintf("쓸 수 있는 것: %s, %s, %s, %s", FaultMissingTarget, FaultMissingRequests, FaultMissingMetrics, FaultTwoVPAs)
	if n.Kind != yaml.SequenceNode {
		r.add(n.Line, hint, "faults에는 목록을 적어야 합니다.")
		return nil
	}
	var faults []Fault
	for _, item := range n.Content {
		text, ok := r.scalar(item, "faults")
		switch {
		case !ok:
		case !slices.Contains(known, Fault(text)):
			r.add(item.Line, hint, "faults에 모르는 이름이 있습니다: %s", text)
		case slices.Contains(faults, Fault(text)):
			r.add(item.Line, "하나만 남겨 주십시오.", "faults에 같은 이름이 두 번 있습니다: %s", text)
		case loopOf[Fault(text)] != "" && !loops[loopOf[Fault(text)]]:
			r.add(item.Line, "faults에서 지우거나 "+korean.Object(loopOf[Fault(text)])+" 적어 주십시오.", "%s %s 있을 때만 쓸 수 있습니다.", korean.Topic(text), korean.Subject(loopOf[Fault(text)]))
		default:
			faults = append(faults, Fault(text))
		}
	}
	return faults
}

func (r *reader) pod(n *yaml.Node) PodCost {
	var c PodCost
	r.mapping(n, "pod", []field{
		{"idle", false, r.cpu(&c.Idle, "idle")},
		{"ready", false, func(n *yaml.Node) { c.readyLine = n.Line; r.duration(&c.Ready, "ready", time.Second)(n) }},
		{"startup", false, func(n *yaml.Node) {
			r.mapping(n, "startup", []field{
				{"cpu", true, r.cpu(&c.Startup, "startup.cpu")},
				{"for", true, r.duration(&c.StartupFor, "startup.for", time.Second)},
			})
		}},
	})
	return c
}

// flows reads the loads of other workloads, and of single containers.
func (r *reader) flows(n *yaml.Node) (list []Flow) {
	const hint = "{target: redis, load: {segments: [{at: 0s, step: 50m}]}}처럼 적어 주십시오. container를 적으면 그 컨테이너에만 부하를 줍니다."
	if !r.hasItems(n, "loads", hint) {
		return nil
	}
	for _, item := range n.Content {
		f := Flow{line: item.Line}
		r.mapping(item, "loads의 항목", []field{
			{"target", true, r.text(&f.Target, "target")},
			{"container", false, r.text(&f.Container, "container")},
			{"pod", false, func(n *yaml.Node) { f.Pod = r.pod(n) }},
			{"load", true, func(n *yaml.Node) { f.Load = r.load(n) }},
			{"memory", false, func(n *yaml.Node) { f.WorkingSet = r.memory(n) }},
		})
		if slices.ContainsFunc(list, func(o Flow) bool { return o.Target == f.Target && o.Container == f.Container }) {
			r.add(item.Line, "하나만 남겨 주십시오.", "loads에 대상이 같은 항목이 두 번 있습니다: %s", f.Target)
		}
		list = append(list, f)
	}
	return list
}

func (r *reader) load(n *yaml.Node) Timeline {
	var t Timeline
	unit, cost := unitCPU, int64(0)
	costLine, listed := 0, false
	r.mapping(n, "load", []field{
		{"unit", false, r.text(&unit, "unit")},
		{"cost", false, func(n *yaml.Node) { costLine = n.Line; r.cpu(&cost, "cost")(n) }},
		{"noise", false, func(n *yaml.Node) { t.Noise = r.noise(n) }},
		{"segments", true, func(n *yaml.Node) {
			listed = true
			r.unit(n.Line, unit, cost, costLine)
			of := whole("200m", r.cpu)
			if unit == unitRPS {
				of = r.requests(cost)
			}
			t.Segments = r.segments(n, of)
		}},
	})
	if !listed && n.Kind == yaml.MappingNode {
		r.unit(n.Line, unit, cost, costLine)
	}
	return t
}

func (r *reader) unit(line int, unit string, cost int64, costLine int) {
	switch {
	case unit != unitCPU && unit != unitRPS:
		r.add(line, "cpu(밀리코어) 또는 rps(초당 요청 수)를 적어 주십시오.", "unit을 알 수 없습니다: %s", unit)
	case unit == unitRPS && costLine == 0:
		r.add(line, "cost: 2m처럼 초당 요청 하나가 쓰는 CPU를 적어 주십시오.", "unit이 rps이면 cost가 필요합니다.")
	case unit == unitRPS && cost == 0:
		r.add(costLine, "cost: 2m처럼 0보다 큰 CPU 양을 적어 주십시오.", "cost는 0보다 커야 합니다.")
	case unit == unitCPU && costLine > 0:
		r.add(costLine, "unit: rps를 함께 적거나 cost를 지워 주십시오.", "cost는 unit이 rps일 때만 쓸 수 있습니다.")
	}
}

func (r *reader) memory(n *yaml.Node) WorkingSet {
	w := WorkingSet{Idle: defaultIdle}
	r.mapping(n, "memory", []field{
		{"idle", false, r.bytes(&w.Idle, "idle")},
		{"growth", false, r.duration(&w.Growth, "growth", 0)},
		{"noise", false, func(n *yaml.Node) { w.Timeline.Noise = r.noise(n) }},
		{"segments", true, func(n *yaml.Node) {
			before := len(r.problems)
			w.Timeline.Segments = r.segments(n, whole("200Mi", r.bytes))
			// Load may begin with nothing, a process cannot: without a level a container would shrink to 0 bytes.
			begun := slices.ContainsFunc(w.Timeline.Segments, func(s Segment) bool { return s.Shape == ShapeStep && s.At == 0 })
			if !begun && len(r.problems) == before {
				r.add(n.Line, "{at: 0s, step: 200Mi}처럼 처음의 메모리를 적어 주십시오.", "memory의 segments에는 0s의 step이 필요합니다.")
			}
		}},
	})
	return w
}
