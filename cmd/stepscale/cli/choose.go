package cli

import (
	"slices"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/lessons"
)

// chosenLesson is a lesson with the number of scenes to skip.
type chosenLesson struct {
	lessons.Lesson
	skip int
}

// choose finds the lessons that name means and where to begin.
func choose(all []lessons.Lesson, name string, r state.Record, o learnOptions) ([]chosenLesson, error) {
	picked, err := pick(all, name, r)
	if err != nil {
		return nil, err
	}
	if o.from != "" {
		for i, c := range picked {
			if n, ok := play.FindStep(play.Scenes(c.Blocks), o.from); ok {
				picked[i].skip = n
				return picked[i:], nil
			}
		}
		return nil, problem.Usage("이 수업에는 그런 단계가 없습니다: "+o.from, stepHint(picked, o.from))
	}
	if o.auto || o.restart {
		return picked, nil
	}
	if i := slices.IndexFunc(picked, func(c chosenLesson) bool { return !r.Lessons[c.ID].Done }); i > 0 {
		picked = picked[i:]
	}
	first := &picked[0]
	if l := r.Lessons[first.ID]; !l.Done && l.Total == play.Executions(play.Scenes(first.Blocks)) {
		first.skip = l.Steps
	}
	return picked, nil
}

func stepHint(picked []chosenLesson, from string) string {
	var ids []string
	for _, c := range picked {
		for _, b := range c.Blocks {
			if b.Kind == "step" && !slices.Contains(ids, b.Arg) {
				ids = append(ids, b.Arg)
			}
		}
	}
	if near := problem.Nearest(from, ids); near != "" {
		return "혹시 " + near + " 단계를 찾으셨습니까?"
	}
	return "쓸 수 있는 단계: " + strings.Join(ids, ", ")
}

// pick resolves a name: nothing, a lesson's ID, or a folder of lessons.
func pick(all []lessons.Lesson, name string, r state.Record) ([]chosenLesson, error) {
	if name == "" {
		i := max(slices.IndexFunc(all, func(l lessons.Lesson) bool { return l.ID == r.Last }), 0)
		for n := range all[i:] {
			if l := all[i+n]; !r.Lessons[l.ID].Done {
				i += n
				break
			}
		}
		folder, _, _ := strings.Cut(all[i].ID, "/")
		return inFolder(all[i:], folder), nil
	}
	var names []string
	for _, l := range all {
		if l.ID == name {
			return []chosenLesson{{Lesson: l}}, nil
		}
		folder, _, _ := strings.Cut(l.ID, "/")
		names = append(names, l.ID, folder)
	}
	if found := inFolder(all, strings.TrimSuffix(name, "/")); len(found) > 0 {
		return found, nil
	}
	hint := "수업 목록은 stepscale lessons로 볼 수 있습니다."
	if near := problem.Nearest(name, names); near != "" {
		hint = "혹시 " + problem.Object(near) + " 찾으셨습니까? " + hint
	}
	return nil, problem.Usage("그런 수업이 없습니다: "+name, hint)
}

func inFolder(all []lessons.Lesson, folder string) []chosenLesson {
	var found []chosenLesson
	for _, l := range all {
		if strings.HasPrefix(l.ID, folder+"/") {
			found = append(found, chosenLesson{Lesson: l})
		}
	}
	return found
}
