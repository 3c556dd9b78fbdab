package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/lessons"
	"github.com/stepscale/stepscale/scenarios"
)

func (a *app) checkCommand() *cobra.Command {
	var lessonDir, scenarioDir string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "수업과 시나리오에 잘못이 없는지 검사합니다",
		Long: `수업과 시나리오에 잘못이 없는지 검사합니다. 클러스터는 시작하지 않습니다.
단계 이름, 시나리오, 질문한 값의 이름을 모두 확인하고 찾은 문제를 파일과 줄 번호로 한 번에 보여 드립니다.`,
		Example: `  stepscale check
  stepscale check --lessons ./my-lessons --scenarios ./my-scenarios`,
		Args: args(0, 0, ""),
		RunE: func(*cobra.Command, []string) error { return a.check(lessonDir, scenarioDir) },
	}
	cmd.Flags().StringVar(&lessonDir, "lessons", "", "내장 수업 대신 이 `폴더`를 검사합니다")
	cmd.Flags().StringVar(&scenarioDir, "scenarios", "", "내장 시나리오 대신 이 `폴더`를 검사합니다")
	return cmd
}

func (a *app) check(lessonDir, scenarioDir string) error {
	var err error
	if a.lessons, err = dirFS(lessonDir, a.lessons); err != nil {
		return err
	}
	if a.scenarios, err = dirFS(scenarioDir, a.scenarios); err != nil {
		return err
	}
	s := view.New(a.out)
	problems, known := a.checkScenarios(s)
	n, count := a.checkLessons(s, known)
	problems += n
	if problems > 0 {
		s.Blank()
		s.Note(fmt.Sprintf("문제를 %d개 찾았습니다.", problems))
		return errReported
	}
	s.Done(fmt.Sprintf("문제가 없습니다. 수업 %d개와 시나리오 %d개를 검사했습니다.", count, len(known)))
	return s.Err()
}

// checkScenarios loads every scenario. The names of broken ones count as known,
// so that a lesson is not blamed for its scenario.
func (a *app) checkScenarios(s *view.Screen) (problems int, known map[string]bool) {
	known = map[string]bool{}
	names, err := scenarios.List(a.scenarios)
	if err != nil {
		s.Problem(err.Error(), "", "")
		problems++
	}
	for _, name := range names {
		known[name] = true
		if _, err := scenarios.Load(a.scenarios, name); err != nil {
			for _, e := range problem.Flatten(err) {
				s.Problem(e.Error(), "", "")
				problems++
			}
		}
	}
	return problems, known
}

func (a *app) checkLessons(s *view.Screen, known map[string]bool) (problems, count int) {
	all, err := lessons.Load(a.lessons)
	if err != nil {
		for _, e := range problem.Flatten(err) {
			s.Problem(e.Error(), "", "")
			problems++
		}
	}
	for _, p := range lessons.Check(all, a.loops, func(name string) bool { return known[name] }) {
		s.Problem(p.Msg, fmt.Sprintf("%s:%d", p.File, p.Line), p.Hint)
		problems++
	}
	return problems, len(all)
}

func (a *app) scenarioNames() []string {
	names, err := scenarios.List(a.scenarios)
	if err != nil {
		return nil
	}
	return names
}

// knownScenario fails for a name that is no scenario, before anything is started.
func (a *app) knownScenario(name string) error {
	names := a.scenarioNames()
	for _, n := range names {
		if n == name {
			return nil
		}
	}
	hint := "쓸 수 있는 시나리오: " + strings.Join(names, ", ")
	if near := problem.Nearest(name, names); near != "" {
		hint = "혹시 " + problem.Object(near) + " 찾으셨습니까?"
	}
	return problem.Usage("그런 시나리오가 없습니다: "+name, hint)
}
