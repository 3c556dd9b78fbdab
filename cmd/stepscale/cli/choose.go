package cli

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/lessons"
	"github.com/stepscale/stepscale/scenarios"
)

// chosenLesson is a lesson with the number of scenes to skip.
type chosenLesson struct {
	lessons.Lesson
	skip int
}

// course is what there is to choose from, with how far the learner came.
type course struct {
	all       []lessons.Lesson
	record    state.Record
	elsewhere func(lessons.Lesson) string // why it cannot be played here; empty where it can
	told      []string                    // remarks about the choice
}

// choose finds the lessons that name means and where to begin.
func (c *course) choose(name string, o learnOptions) ([]chosenLesson, error) {
	fresh := o.auto || o.restart || o.from != ""
	picked, err := c.pick(name, fresh)
	if err != nil {
		return nil, err
	}
	if picked, err = c.here(picked); err != nil {
		return nil, err
	}
	if o.from != "" {
		for i, l := range picked {
			if n, ok := play.FindStep(play.Scenes(l.Blocks), o.from); ok {
				picked[i].skip = n
				return picked[i:], nil
			}
		}
		return nil, problem.Usage("이 수업에는 그런 단계가 없습니다: "+o.from, stepHint(picked, o.from))
	}
	if first := &picked[0]; !fresh && c.begun(first.Lesson) {
		first.skip = c.record.Lessons[first.ID].Steps
	}
	return picked, nil
}

// here leaves out what cannot be played on the chosen cluster, and notes it.
func (c *course) here(picked []chosenLesson) ([]chosenLesson, error) {
	for _, l := range picked {
		if why := c.elsewhere(l.Lesson); why != "" {
			c.told = append(c.told, why)
		}
	}
	rest := slices.DeleteFunc(picked, func(l chosenLesson) bool { return c.elsewhere(l.Lesson) != "" })
	if len(rest) == 0 {
		return nil, problem.Usage("이 클러스터에서 할 수 있는 수업이 없습니다.", strings.Join(c.told, " "))
	}
	return rest, nil
}

// after is the lesson that follows one and can be played here, with how to begin it.
func (c *course) after(l lessons.Lesson, command func(lesson string) string) string {
	at := slices.IndexFunc(c.all, func(o lessons.Lesson) bool { return o.ID == l.ID })
	for _, next := range c.all[at+1:] {
		if c.elsewhere(next) == "" {
			return fmt.Sprintf("%s (%s)", next.Title, command(next.ID))
		}
	}
	return ""
}

// begun tells a lesson that was left in the middle, also one that was finished before.
func (c *course) begun(l lessons.Lesson) bool {
	p := c.record.Lessons[l.ID]
	return p.Steps > 0 && p.Steps < p.Total && p.Total == play.Executions(play.Scenes(l.Blocks))
}

// left tells a lesson that is still to be done, and can be done here.
func (c *course) left(l lessons.Lesson) bool {
	return !c.record.Lessons[l.ID].Done && c.elsewhere(l) == ""
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

// pick resolves a name: nothing, a lesson's ID, or a folder of lessons. Where all of a
// folder is done the course goes on after it.
func (c *course) pick(name string, fresh bool) ([]chosenLesson, error) {
	last := slices.IndexFunc(c.all, func(l lessons.Lesson) bool { return l.ID == c.record.Last })
	if name == "" {
		return c.from(c.next(max(last, 0), max(last, 0)), false), nil
	}
	name = strings.TrimSuffix(name, "/")
	if i := slices.IndexFunc(c.all, func(l lessons.Lesson) bool { return l.ID == name || numbered(l.ID, name) }); i >= 0 {
		return []chosenLesson{{Lesson: c.all[i]}}, nil
	}
	first := slices.IndexFunc(c.all, func(l lessons.Lesson) bool { return folderOf(l) == name })
	if first < 0 {
		return nil, c.unknown(name)
	}
	if fresh {
		return c.from(first, true), nil
	}
	begin := first
	if last >= 0 && folderOf(c.all[last]) == name && c.begun(c.all[last]) {
		begin = last
	}
	i := c.next(begin, first)
	if folderOf(c.all[i]) != name {
		c.told = append(c.told, korean.Topic("폴더 "+name)+" 모두 마치셨습니다. "+korean.By(c.all[i].ID)+" 이어집니다. 다시 하시려면 --restart를 붙여 주십시오.")
	}
	return c.from(i, false), nil
}

// next is what to play after: what was left in the middle at i, else the first lesson
// from first on that is still to be done, else one before, else first again.
func (c *course) next(i, first int) int {
	if c.begun(c.all[i]) && c.elsewhere(c.all[i]) == "" {
		return i
	}
	for n := range c.all {
		if k := (first + n) % len(c.all); c.left(c.all[k]) {
			return k
		}
	}
	return first
}

// from are the lessons of one folder from i on; all of them where i is played anew, else
// those that are still to be done.
func (c *course) from(i int, anew bool) []chosenLesson {
	found := []chosenLesson{{Lesson: c.all[i]}}
	anew = anew || c.record.Lessons[c.all[i].ID].Done && !c.begun(c.all[i])
	for _, l := range c.all[i+1:] {
		if folderOf(l) == folderOf(c.all[i]) && (anew || !c.record.Lessons[l.ID].Done) {
			found = append(found, chosenLesson{Lesson: l})
		}
	}
	return found
}

func (c *course) unknown(name string) error {
	var names []string
	for _, l := range c.all {
		names = append(names, l.ID, folderOf(l))
	}
	hint := "수업 목록은 stepscale lessons로 볼 수 있습니다."
	if near := problem.Nearest(name, names); near != "" {
		hint = "혹시 " + korean.Object(near) + " 찾으셨습니까? " + hint
	}
	return problem.Usage("그런 수업이 없습니다: "+name, hint)
}

func folderOf(l lessons.Lesson) string {
	folder, _, _ := strings.Cut(l.ID, "/")
	return folder
}

// numbered tells whether name is the short form of a lesson's ID: hpa/2 of hpa/02-control-loop.
func numbered(id, name string) bool {
	folder, number, ok := strings.Cut(name, "/")
	if len(number) == 1 {
		number = "0" + number
	}
	return ok && len(number) == 2 && strings.HasPrefix(id, folder+"/"+number+"-")
}

// elsewhere says where a lesson is played that cannot be played on the chosen cluster;
// empty where it can.
func (d deps) elsewhere(lesson lessons.Lesson, t target, all fs.FS) string {
	if lesson.Recording != "" { // which is played without a cluster
		return ""
	}
	l := d.loops[lesson.Loop]
	s, err := scenarios.Load(all, lesson.Scenario)
	switch {
	case l.Observes && !t.attached():
		return fmt.Sprintf("수업 %s 스스로 움직이는 HPA 컨트롤러가 있는 클러스터에서 합니다. 예: stepscale learn %s --eks 이름 --image 이미지", korean.Topic(lesson.ID), lesson.ID)
	case t.real() && lesson.Loop != "" && !l.Live:
		return fmt.Sprintf("수업 %s 가상 시간이 필요해 임베디드 클러스터에서만 합니다.", korean.Topic(lesson.ID))
	case t.real() && err == nil && lab.NeedsMemory(s):
		return fmt.Sprintf("수업 %s 메모리의 움직임이 필요해 임베디드 클러스터에서만 합니다.", korean.Topic(lesson.ID))
	case t.real() && err == nil && len(s.Series()) > 0:
		return fmt.Sprintf("수업 %s stepscale의 어댑터가 답하는 메트릭이 필요해 임베디드 클러스터에서만 합니다.", korean.Topic(lesson.ID))
	case t.real() && err == nil && len(s.Nodes()) > 0:
		return fmt.Sprintf("수업 %s 생기고 사라지는 시뮬레이션 노드가 필요해 임베디드 클러스터에서만 합니다.", korean.Topic(lesson.ID))
	case t.real() && err == nil && len(s.Events()) > 0:
		return fmt.Sprintf("수업 %s 정해진 가상 시각에 일어나는 사건이 있어 임베디드 클러스터에서만 합니다.", korean.Topic(lesson.ID))
	}
	return ""
}
