package scenarios

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// amounts reads the amounts of a timeline. What they count differs, what the
// segments do with them does not.
type amounts struct {
	example string
	read    func(to *float64, what string) func(*yaml.Node)
}

// whole makes a reader of whole numbers one of a timeline's amounts.
func whole(example string, read func(to *int64, what string) func(*yaml.Node)) amounts {
	return amounts{example, func(to *float64, what string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			var v int64
			read(&v, what)(n)
			*to = float64(v)
		}
	}}
}

// requests reads requests per second, cost millicores each, as millicores.
func (r *reader) requests(cost int64) amounts {
	return amounts{"120", func(to *float64, what string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			text, ok := r.scalar(n, what)
			if !ok {
				return
			}
			v, ok := thousandths(text, false)
			if *to = float64(v) / 1000 * float64(cost); !ok || *to > maxMillicores {
				*to = 0
				r.add(n.Line, "120 또는 7.5처럼 초당 요청 수를 적어 주십시오.", "%s에 쓸 수 없는 요청 수입니다: %s", what, text)
			}
		}
	}}
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

// hint says how a segment of these amounts looks.
func (a amounts) hint() string {
	return "step, ramp, wave, spike 가운데 하나를 적어 주십시오. 예: {at: 1m, step: " + a.example + "}"
}

func (r *reader) segments(n *yaml.Node, a amounts) []Segment {
	if !r.hasItems(n, "segments", a.hint()) {
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
			a.read(&s.Amount, string(name))(n)
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
		r.add(n.Line, a.hint(), "segments의 항목에 모양이 %d개 있습니다: %s", len(shapes), strings.Join(shapes, ", "))
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
