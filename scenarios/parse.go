package scenarios

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
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
	r.mapping(n, "시나리오", []field{
		{"title", true, r.text(&s.Title, "title")},
		{"hpa", true, r.text(&s.HPA, "hpa")},
		{"target", true, r.text(&s.Target, "target")},
		{"faults", false, func(n *yaml.Node) { s.Faults = r.faults(n) }},
		{"pod", false, func(n *yaml.Node) { s.Pod = r.pod(n) }},
		{"load", true, func(n *yaml.Node) { s.Load = r.load(n) }},
	})
	return s, r.problems
}

func (r *reader) faults(n *yaml.Node) []Fault {
	known := []Fault{FaultMissingTarget, FaultMissingRequests}
	hint := fmt.Sprintf("쓸 수 있는 것: %s, %s", FaultMissingTarget, FaultMissingRequests)
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
		{"startup", false, func(n *yaml.Node) {
			r.mapping(n, "startup", []field{
				{"cpu", true, r.cpu(&c.Startup, "startup.cpu")},
				{"for", true, r.duration(&c.StartupFor, "startup.for", time.Second)},
			})
		}},
	})
	return c
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
			t.Segments = r.segments(n, amounts{unit, cost})
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

func (r *reader) noise(n *yaml.Node) Noise {
	var noise Noise
	r.mapping(n, "noise", []field{
		{"percent", true, func(n *yaml.Node) {
			text, ok := r.scalar(n, "percent")
			if !ok {
				return
			}
			v, ok := thousandths(text, false)
			if !ok || v > 100_000 {
				r.add(n.Line, "0부터 100까지의 수를 적어 주십시오.", "percent에 쓸 수 없는 값입니다: %s", text)
				return
			}
			noise.Percent = float64(v) / 1000
		}},
		{"seed", true, func(n *yaml.Node) {
			text, ok := r.scalar(n, "seed")
			if !ok {
				return
			}
			var err error
			if noise.Seed, err = strconv.ParseUint(text, 10, 64); err != nil {
				r.add(n.Line, "0 이상의 정수를 적어 주십시오.", "seed에 쓸 수 없는 값입니다: %s", text)
			}
		}},
	})
	return noise
}

// amounts reads the amounts of a timeline in its unit.
type amounts struct {
	unit string
	cost int64
}

func (a amounts) read(r *reader, to *float64, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if a.unit != unitRPS {
			var v int64
			r.cpu(&v, what)(n)
			*to = float64(v)
			return
		}
		text, ok := r.scalar(n, what)
		if !ok {
			return
		}
		v, ok := thousandths(text, false)
		if *to = float64(v) / 1000 * float64(a.cost); !ok || *to > maxMillicores {
			*to = 0
			r.add(n.Line, "120 또는 7.5처럼 초당 요청 수를 적어 주십시오.", "%s에 쓸 수 없는 요청 수입니다: %s", what, text)
		}
	}
}

const segmentHint = "step, ramp, wave, spike 가운데 하나를 적어 주십시오. 예: {at: 1m, step: 200m}"

func (r *reader) segments(n *yaml.Node, a amounts) []Segment {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.add(n.Line, segmentHint, "segments에는 부하를 하나 이상 목록으로 적어야 합니다.")
		return nil
	}
	var list []Segment
	var free, last time.Duration // where the last ramp ends and where the last level begins
	levels := 0
	for _, item := range n.Content {
		before := len(r.problems)
		s := r.segment(item, a)
		list = append(list, s)
		if len(r.problems) > before || s.Shape == ShapeWave || s.Shape == ShapeSpike {
			continue
		}
		switch {
		case levels > 0 && s.At <= last:
			r.add(item.Line, "at이 커지는 순서로 적어 주십시오.", "step과 ramp의 시각은 앞의 것(%s)보다 뒤여야 합니다.", last)
		case s.At < free:
			r.add(item.Line, fmt.Sprintf("at을 %s 이후로 적어 주십시오.", free), "앞의 ramp가 %s에 끝나기 전에 시작합니다.", free)
		}
		levels++
		last, free = s.At, s.At+s.For
	}
	return list
}

func (r *reader) segment(n *yaml.Node, a amounts) Segment {
	s := Segment{At: -1}
	var shapes []string
	shape := func(name Shape) field {
		return field{string(name), false, func(n *yaml.Node) {
			s.Shape, shapes = name, append(shapes, string(name))
			a.read(r, &s.Amount, string(name))(n)
		}}
	}
	r.mapping(n, "segments의 항목", []field{
		{"at", true, r.duration(&s.At, "at", 0)},
		shape(ShapeStep), shape(ShapeRamp), shape(ShapeWave), shape(ShapeSpike),
		{"for", false, r.duration(&s.For, "for", time.Second)},
		{"period", false, r.duration(&s.Period, "period", time.Second)},
	})
	if n.Kind != yaml.MappingNode {
		return s
	}
	if len(shapes) != 1 {
		r.add(n.Line, segmentHint, "segments의 항목에 모양이 %d개 있습니다: %s", len(shapes), strings.Join(shapes, ", "))
		return s
	}
	r.lengths(n, s)
	return s
}

// lengths checks that a segment has the lengths of its shape, and no others.
func (r *reader) lengths(n *yaml.Node, s Segment) {
	has := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		has[n.Content[i].Value] = true
	}
	switch s.Shape {
	case ShapeRamp, ShapeSpike:
		if !has["for"] {
			r.add(n.Line, "for: 2m처럼 이어지는 시간을 적어 주십시오.", "%s에는 for가 필요합니다.", s.Shape)
		}
	case ShapeWave:
		if !has["period"] {
			r.add(n.Line, "period: 10m처럼 한 번 오르내리는 시간을 적어 주십시오.", "wave에는 period가 필요합니다.")
		}
	case ShapeStep:
		if has["for"] {
			r.add(n.Line, "한동안만 올리려면 spike를 써 주십시오.", "step에는 for를 쓸 수 없습니다.")
		}
	}
	if has["period"] && s.Shape != ShapeWave {
		r.add(n.Line, "period는 wave에만 씁니다.", "%s에는 period를 쓸 수 없습니다.", s.Shape)
	}
}
