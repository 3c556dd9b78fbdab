package cli

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/lessons"
	"github.com/stepscale/stepscale/scenarios"
)

func newCheckCommand(d deps) *cobra.Command {
	var lessonDir, scenarioDir string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "수업과 시나리오에 잘못이 없는지 검사합니다",
		Long: `수업과 시나리오에 잘못이 없는지 검사합니다. 클러스터는 시작하지 않습니다.
단계 이름, 시나리오, 질문한 값의 이름을 모두 확인하고 찾은 문제를 파일과 줄 번호로 한 번에 보여 드립니다.
기록으로 하는 수업은 그 기록 위에서 끝까지 해 보고, 없는 명령과 오지 않는 조건을 찾습니다.
매니페스트는 API 서버와 똑같이 읽고, 기본값을 채우고, 검사합니다. --scenarios만 적으시면 그 시나리오만 검사합니다.`,
		Example: `  stepscale check
  stepscale check --scenarios ./my-scenarios
  stepscale check --lessons ./my-lessons --scenarios ./my-scenarios`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return d.check(cmd.Context(), lessonDir, scenarioDir) },
	}
	cmd.Flags().StringVar(&lessonDir, "lessons", "", "내장 수업 대신 이 `폴더`를 검사합니다")
	cmd.Flags().StringVar(&scenarioDir, "scenarios", "", "내장 시나리오 대신 이 `폴더`를 검사합니다")
	return cmd
}

func (d deps) check(ctx context.Context, lessonDir, scenarioDir string) error {
	lessonFS, err := dirFS(lessonDir, d.lessons)
	if err != nil {
		return err
	}
	scenarioFS, err := dirFS(scenarioDir, d.scenarios)
	if err != nil {
		return err
	}
	s := view.New(d.out)
	problems, known := checkScenarios(s, scenarioFS)
	count := 0
	if lessonDir != "" || scenarioDir == "" { // somebody else's scenarios are not those of our lessons
		n := 0
		n, count = d.checkLessons(ctx, s, lessonFS, known)
		problems += n
	}
	if problems > 0 {
		s.Blank()
		s.Note(fmt.Sprintf("문제를 %d개 찾았습니다.", problems))
		return errReported
	}
	if count == 0 {
		s.Done(fmt.Sprintf("문제가 없습니다. 시나리오 %d개를 검사했습니다.", len(known)))
		return s.Err()
	}
	s.Done(fmt.Sprintf("문제가 없습니다. 수업 %d개와 시나리오 %d개를 검사했습니다.", count, len(known)))
	return s.Err()
}

// checkScenarios loads every scenario. The names of broken ones count as known,
// so that a lesson is not blamed for its scenario.
func checkScenarios(s *view.Screen, all fs.FS) (problems int, known map[string]lessons.Stage) {
	known = map[string]lessons.Stage{}
	names, err := scenarios.List(all)
	if err != nil {
		s.Problem(err.Error(), "", "")
		problems++
	}
	for _, name := range names {
		known[name] = lessons.Stage{Unknown: true}
		if loaded, err := scenarios.Load(all, name); err == nil {
			known[name] = lessons.Stage{Containers: loaded.Containers(), Metrics: loaded.Metrics()}
		} else {
			for _, e := range problem.Flatten(err) {
				s.Problem(e.Error(), "", "")
				problems++
			}
		}
	}
	return problems, known
}

func (d deps) checkLessons(ctx context.Context, s *view.Screen, from fs.FS, known map[string]lessons.Stage) (problems, count int) {
	all, err := lessons.Load(from)
	if err != nil {
		for _, e := range problem.Flatten(err) {
			s.Problem(e.Error(), "", "")
			problems++
		}
	}
	found := lessons.Check(all, d.loops, known)
	for _, l := range all {
		wrong := slices.ContainsFunc(found, func(p lessons.Problem) bool { return p.File == l.File })
		if l.Recording != "" && problems == 0 && !wrong { // one that is well-formed can be played
			found = append(found, d.rehearsed(ctx, from, l)...)
		}
	}
	for _, p := range found {
		s.Problem(p.Msg, fmt.Sprintf("%s:%d", p.File, p.Line), p.Hint)
		problems++
	}
	return problems, len(all)
}

func scenarioNames(all fs.FS) []string {
	names, err := scenarios.List(all)
	if err != nil {
		return nil
	}
	return names
}

// knownScenario fails for a name that is no scenario, before anything is started.
func knownScenario(all fs.FS, name string) error {
	names := scenarioNames(all)
	for _, n := range names {
		if n == name {
			return nil
		}
	}
	hint := "쓸 수 있는 시나리오: " + strings.Join(names, ", ")
	if near := problem.Nearest(name, names); near != "" {
		hint = "혹시 " + korean.Object(near) + " 찾으셨습니까?"
	}
	return problem.Usage("그런 시나리오가 없습니다: "+name, hint)
}
