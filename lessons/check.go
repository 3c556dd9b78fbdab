package lessons

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
)

// Stage is what a scenario has that facts are named after.
type Stage struct {
	Containers []string // of the target's pods
	Metrics    int      // of the HPA
	Unknown    bool     // it is broken: nothing of the above is known
}

// Check finds what a parser cannot: steps, scenarios and facts that do not
// exist. loops has the loops by name, stages the scenarios.
func Check(all []Lesson, loops map[string]engine.Definition, stages map[string]Stage) []Problem {
	var problems []Problem
	titles := map[string]string{}
	for _, l := range all {
		stage, known := stages[l.Scenario]
		c := checker{lesson: l, loop: loops[l.Loop], steps: loops[l.Loop].StepIDs(), stage: stage}
		c.stage.Unknown = stage.Unknown || !known
		if l.Scenario != "" && !known {
			c.problem(l.line("scenario"), fmt.Sprintf("시나리오 %s 없습니다.", korean.Subject(l.Scenario)), "scenarios 폴더의 이름 가운데 하나를 적어 주십시오.")
		}
		if _, known := loops[l.Loop]; l.Loop != "" && !known {
			c.problem(l.line("loop"), fmt.Sprintf("루프 %s 모릅니다.", korean.Object(l.Loop)), "쓸 수 있는 루프: "+strings.Join(slices.Sorted(maps.Keys(loops)), ", "))
		}
		if other, dup := titles[l.Title]; dup && l.Title != "" {
			c.problem(l.line("title"), fmt.Sprintf("제목이 %s 같습니다.", korean.And(other)), "수업마다 다른 제목을 적어 주십시오.")
		}
		titles[l.Title] = l.ID
		c.blocks()
		c.answers()
		problems = append(problems, c.problems...)
	}
	return problems
}

// lost is where the loop stands after a step that it does not have: the next one
// is not blamed for it.
const lost = -2

type checker struct {
	lesson   Lesson
	loop     engine.Definition
	steps    []trace.StepID // of the loop
	stage    Stage
	problems []Problem
	last     int // index of the last step in the loop; -1 at the start of a pass, or lost
}

func (c *checker) problem(line int, msg, hint string) {
	c.problems = append(c.problems, Problem{File: c.lesson.File, Line: line, Msg: msg, Hint: hint})
}

func (c *checker) blocks() {
	c.last = -1
	if !slices.ContainsFunc(c.lesson.Blocks, func(b Block) bool { return b.Executes() }) {
		c.problem(1, "실행하는 블록이 없습니다.", usage[c.executes()])
	}
	for i, b := range c.lesson.Blocks {
		if b.Executes() && (b.Kind == Replay) != (c.lesson.Recording != "") {
			c.problem(b.Line, fmt.Sprintf("%s 블록은 이 수업에서 쓸 수 없습니다.", b.Kind), "머리말에 recording이 있는 수업은 replay 블록으로, 다른 수업은 step과 continue로 움직입니다.")
			continue
		}
		switch b.Kind {
		case Step:
			c.step(b)
		case Continue:
			c.afterContinue(b)
		case Hint:
			if i == 0 || (c.lesson.Blocks[i-1].Kind != Predict && c.lesson.Blocks[i-1].Kind != Hint) {
				c.problem(b.Line, "hint 앞에 predict가 없습니다.", "hint는 자기 predict 바로 뒤에 적어 주십시오.")
			}
		case Predict:
			c.predict(b, c.lesson.Blocks[i+1:])
		case Remember:
			if slices.ContainsFunc(c.lesson.Blocks[i+1:], func(b Block) bool { return b.Kind != Prose && b.Kind != When }) {
				c.problem(b.Line, "remember 뒤에 다른 블록이 있습니다.", usage[Remember])
			}
		}
	}
}

// executes is the block with which a lesson of this kind moves.
func (c *checker) executes() string {
	if c.lesson.Recording != "" {
		return Replay
	}
	return Step
}

// find is the place of the step that a block names. After one that the loop does
// not have, nobody knows where the loop stands.
func (c *checker) find(b Block) (int, bool) {
	if len(c.steps) == 0 {
		return 0, false
	}
	i := slices.Index(c.steps, trace.StepID(b.Arg))
	if i < 0 {
		c.problem(b.Line, fmt.Sprintf("루프 %s에 %s 단계가 없습니다.", c.lesson.Loop, b.Arg), "혹시 "+nearest(b.Arg, c.steps)+"인가요?")
		c.last = lost
	}
	return i, i >= 0
}

// step holds the steps against the order of the loop.
func (c *checker) step(b Block) {
	i, ok := c.find(b)
	if !ok {
		return
	}
	if c.last != lost && !c.loop.Next(c.last, i) {
		c.problem(b.Line, fmt.Sprintf("%s의 차례가 아닙니다.", b.Arg), fmt.Sprintf("다음 단계는 %s입니다.", c.steps[(c.last+1)%len(c.steps)]))
	}
	c.last = i
}

// afterContinue is where the loop stands after a continue.
func (c *checker) afterContinue(b Block) {
	if b.ToStep() {
		c.skipTo(b)
		return
	}
	if b.Arg == "change" {
		c.last = slices.IndexFunc(c.loop.Steps, func(s engine.Row) bool { return s.Changes })
		if c.last < 0 && len(c.steps) > 0 {
			c.problem(b.Line, fmt.Sprintf("루프 %s 파드의 수도 크기도 바꾸지 않으므로 continue change가 끝나지 않습니다.", korean.Topic(c.lesson.Loop)), "continue pass를 적어 주십시오.")
		}
		return
	}
	c.last = -1
}

// skipTo is a continue that names the step it ends with: it has to come later in
// the same pass, or it would run through another.
func (c *checker) skipTo(b Block) {
	i, ok := c.find(b)
	if !ok {
		return
	}
	if c.last != lost && c.last+1 < len(c.steps) && i <= c.last {
		c.problem(b.Line, fmt.Sprintf("%s 이번 패스에서 이미 지났습니다.", korean.Topic(b.Arg)), "먼저 ```continue pass 로 패스를 끝내 주십시오.")
	}
	c.last = i
}

// predict wants the fact in the frame of the block that comes next.
func (c *checker) predict(b Block, rest []Block) {
	i := slices.IndexFunc(rest, func(r Block) bool { return r.Executes() })
	if i < 0 {
		c.problem(b.Line, "predict 뒤에 실행하는 블록이 없습니다.", "predict 뒤에 step이나 continue를, 기록으로 하는 수업이면 replay를 적어 주십시오.")
		return
	}
	known := c.told(rest[i])
	switch {
	case known == nil:
	case !slices.ContainsFunc(known, func(name string) bool { return tells(name, b.Arg) }):
		where := rest[i].Arg + " 단계는"
		if rest[i].Kind == Continue {
			where = "continue " + rest[i].Arg + "에서 실행하는 단계는"
		}
		c.problem(b.Line, fmt.Sprintf("%s %s 값을 내지 않습니다.", where, b.Arg), "쓸 수 있는 값: "+strings.Join(known, ", "))
	case !c.stage.Unknown:
		c.named(b, known)
	}
}

// named wants a fact to be of a container or a metric that the scenario has.
func (c *checker) named(b Block, known []string) {
	of := func(name string) bool { return tells(name, b.Arg) && strings.HasSuffix(name, "<container>") }
	if i := slices.IndexFunc(known, of); i >= 0 {
		prefix, _, _ := strings.Cut(known[i], "<")
		container := strings.TrimPrefix(b.Arg, prefix)
		if at := strings.LastIndex(container, "."); at > 0 { // cpu or memory
			container = container[:at]
		}
		if !slices.Contains(c.stage.Containers, container) {
			c.problem(b.Line, fmt.Sprintf("시나리오 %s의 대상에 컨테이너 %s 없으므로 %s 값은 나오지 않습니다.", c.lesson.Scenario, korean.Subject(container), b.Arg),
				"쓸 수 있는 컨테이너: "+strings.Join(c.stage.Containers, ", "))
		}
	}
	if _, number, second := strings.Cut(b.Arg, "#"); second {
		if n, err := strconv.Atoi(number); err == nil && n > max(c.stage.Metrics, 1) {
			c.problem(b.Line, fmt.Sprintf("시나리오 %s의 HPA에는 메트릭이 %d개이므로 %s 값은 나오지 않습니다.", c.lesson.Scenario, max(c.stage.Metrics, 1), b.Arg), "#을 지우거나 메트릭의 번호를 확인해 주십시오.")
		}
	}
}

// told lists the facts that the block's frames may have; nil when not known.
// A continue may run whole passes, so any step of the loop can tell.
func (c *checker) told(next Block) []string {
	if next.Kind == Replay { // playing it tells
		return nil
	}
	if next.Kind == Step {
		return c.loop.Tells(trace.StepID(next.Arg))
	}
	steps := c.steps
	if (next.Arg == "pass" && next.Passes() == 1 || next.ToStep()) && c.last >= 0 && c.last+1 < len(steps) {
		steps = steps[c.last+1:]
	}
	if i := slices.Index(steps, trace.StepID(next.Arg)); i >= 0 {
		steps = steps[:i+1]
	}
	var all []string
	for _, step := range steps {
		known := c.loop.Tells(step)
		if known == nil {
			return nil
		}
		all = append(all, known...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// tells whether a fact goes by that name: "podMetric/<pod>" stands for every
// pod, and the facts of a second metric end in "#2".
func tells(name, fact string) bool {
	if base, number, ok := strings.Cut(fact, "#"); ok {
		if n, err := strconv.Atoi(number); err == nil && n > 1 {
			fact = base
		}
	}
	prefix, _, any := strings.Cut(name, "<")
	return name == fact || any && len(fact) > len(prefix) && strings.HasPrefix(fact, prefix)
}

// nearest is the step that shares most with the text, by edit distance.
func nearest(text string, steps []trace.StepID) string {
	best, least := "", -1
	for _, s := range steps {
		if d := levenshtein.ComputeDistance(text, string(s)); least < 0 || d < least {
			best, least = string(s), d
		}
	}
	return best
}
