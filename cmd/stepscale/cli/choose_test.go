package cli

import (
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/lessons"
)

// TestCourseHasNoDeadEnd: whatever is done, learn goes on, and what was left in the middle
// is resumed, also when it had been finished before.
func TestCourseHasNoDeadEnd(t *testing.T) {
	var all []lessons.Lesson
	for _, id := range []string{"hpa/01-a", "hpa/02-b", "hpa/05-observe", "hpa/06-c", "vpa/01-a", "vpa/02-b"} {
		all = append(all, lessons.Lesson{ID: id, Blocks: []lessons.Block{{Kind: lessons.Step, Arg: "x/1"}, {Kind: lessons.Step, Arg: "x/2"}}})
	}
	done, left := state.Lesson{Done: true, Steps: 2, Total: 2}, state.Lesson{Steps: 1, Total: 2}
	again := state.Lesson{Done: true, Steps: 1, Total: 2}
	for name, c := range map[string]struct {
		typed, last string
		progress    map[string]state.Lesson
		options     learnOptions
		want        string
		skip        int
	}{
		"new":                          {"", "", nil, learnOptions{}, "hpa/01-a hpa/02-b hpa/06-c", 0},
		"in the middle":                {"", "hpa/02-b", map[string]state.Lesson{"hpa/01-a": done, "hpa/02-b": left}, learnOptions{}, "hpa/02-b hpa/06-c", 1},
		"before what cannot be played": {"", "hpa/02-b", map[string]state.Lesson{"hpa/01-a": done, "hpa/02-b": done}, learnOptions{}, "hpa/06-c", 0},
		"folder, the same":             {"hpa", "hpa/02-b", map[string]state.Lesson{"hpa/01-a": done, "hpa/02-b": done}, learnOptions{}, "hpa/06-c", 0},
		"all of HPA":                   {"", "hpa/06-c", map[string]state.Lesson{"hpa/01-a": done, "hpa/02-b": done, "hpa/06-c": done}, learnOptions{}, "vpa/01-a vpa/02-b", 0},
		"all of HPA, named":            {"hpa", "hpa/06-c", map[string]state.Lesson{"hpa/01-a": done, "hpa/02-b": done, "hpa/06-c": done}, learnOptions{}, "vpa/01-a vpa/02-b", 0},
		"all of HPA, again":            {"hpa", "hpa/06-c", map[string]state.Lesson{"hpa/01-a": done, "hpa/02-b": done, "hpa/06-c": done}, learnOptions{restart: true}, "hpa/01-a hpa/02-b hpa/06-c", 0},
		"everything":                   {"vpa", "vpa/02-b", map[string]state.Lesson{"hpa/01-a": done, "hpa/02-b": done, "hpa/06-c": done, "vpa/01-a": done, "vpa/02-b": done}, learnOptions{}, "vpa/01-a vpa/02-b", 0},
		"finished, played again, left": {"", "hpa/01-a", map[string]state.Lesson{"hpa/01-a": again, "hpa/02-b": done}, learnOptions{}, "hpa/01-a hpa/06-c", 1},
		"the same, by its folder":      {"hpa/", "hpa/01-a", map[string]state.Lesson{"hpa/01-a": again, "hpa/02-b": done}, learnOptions{}, "hpa/01-a hpa/06-c", 1},
		"the same, by its name":        {"hpa/01-a", "vpa/01-a", map[string]state.Lesson{"hpa/01-a": again}, learnOptions{}, "hpa/01-a", 1},
		"by its number":                {"hpa/2", "", nil, learnOptions{}, "hpa/02-b", 0},
		"auto":                         {"hpa", "hpa/02-b", map[string]state.Lesson{"hpa/01-a": done, "hpa/02-b": left}, learnOptions{auto: true}, "hpa/01-a hpa/02-b hpa/06-c", 0},
		"from":                         {"vpa/2", "", nil, learnOptions{from: "x/2"}, "vpa/02-b", 1},
	} {
		elsewhere := func(l lessons.Lesson) string {
			if l.ID == "hpa/05-observe" {
				return "다른 클러스터에서 합니다."
			}
			return ""
		}
		co := &course{all: all, record: state.Record{Last: c.last, Lessons: c.progress}, elsewhere: elsewhere}
		chosen, err := co.choose(c.typed, c.options)
		var got []string
		for _, l := range chosen {
			got = append(got, l.ID)
		}
		if err != nil || strings.Join(got, " ") != c.want || chosen[0].skip != c.skip {
			t.Errorf("%s: %v from %d (%v), want %s from %d", name, got, chosen[0].skip, err, c.want, c.skip)
		}
	}
	co := &course{all: all, elsewhere: func(lessons.Lesson) string { return "EKS에서 합니다." }}
	if _, err := co.choose("hpa/05-observe", learnOptions{}); err == nil {
		t.Error("a lesson that cannot be played here was chosen")
	}
}
