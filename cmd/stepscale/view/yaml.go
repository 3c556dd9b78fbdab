package view

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stepscale/stepscale/engine/trace"
)

// YAML shows what a step changed as it stands in the objects: the fields that it changed,
// before and after, and nothing else of them.
func (s *Screen) YAML(f trace.Frame) {
	f = seenIn(f)
	if len(f.Changes) == 0 {
		s.line("이 단계가 바꾼 오브젝트는 없습니다.")
		return
	}
	var before []string
	object := ""
	for _, c := range f.Changes {
		if c.Object != object {
			if object != "" {
				s.Blank()
			}
			s.line(s.style(cyan, cell(c.Object)))
			object, before = c.Object, nil
		}
		before = s.yamlField(c, before)
	}
	s.Blank()
	s.Note("바뀐 필드만 YAML의 자리에 놓았습니다. -는 이 단계 앞의 값, +는 뒤의 값입니다.")
}

// nameField changes where an object comes, or goes.
const nameField = "metadata.name"

// yamlField writes one field below those that it is in, and returns these: the next one
// may be in some of them.
func (s *Screen) yamlField(c trace.Change, before []string) []string {
	if c.Field == nameField {
		switch {
		case c.From == "":
			s.item(s.style(green, "+ metadata.name: "+c.To) + s.style(faint, "  (새 오브젝트)"))
		case c.To == "":
			s.item(s.style(red, "- metadata.name: "+c.From) + s.style(faint, "  (없어진 오브젝트)"))
		}
		return nil
	}
	path := yamlPath(c)
	in, name := path[:len(path)-1], path[len(path)-1]
	same := 0
	for same < min(len(in), len(before)) && in[same] == before[same] {
		same++
	}
	for i := same; i < len(in); i++ {
		s.item("  " + strings.Repeat("  ", i) + in[i] + ":")
	}
	indent := strings.Repeat("  ", len(in))
	if c.From != "" {
		s.item(s.style(red, "- "+indent+name+": "+c.From))
	}
	if c.To != "" {
		s.item(s.style(green, "+ "+indent+name+": "+c.To))
	}
	return in
}

// bound is how a change of a VPA's status names what it is about: "status.target.web.cpu".
var bound = regexp.MustCompile(`^status\.(target|lowerBound|upperBound|uncappedTarget)\.(.+)\.([^.]+)$`)

// yamlPath are the names of a field from the outermost to its own. Of a VPA's bounds, which
// frames name by container and resource, it is that of upstream's type
// (vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1/types.go, RecommendedPodResources).
func yamlPath(c trace.Change) []string {
	if m := bound.FindStringSubmatch(c.Field); m != nil && strings.HasPrefix(c.Object, "vpa/") {
		return []string{"status", "recommendation", "containerRecommendations[" + m[2] + "]", m[1], m[3]}
	}
	return slices.DeleteFunc(strings.Split(c.Field, "."), func(part string) bool { return part == "" })
}
