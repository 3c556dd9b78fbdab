package cli

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/lessons"
)

func newClassPaceCommand(d deps) *cobra.Command {
	var pace board.Pace
	var free bool
	var folder string
	cmd := d.deskCommand(&cobra.Command{
		Use: "pace NAME", Short: "모두를 한 단계에서 기다리게 하거나 놓아 줍니다", Args: args(1, 1, "수업의 이름"),
		Long: `배우는 사람의 '다음'을 한 단계에서 붙잡습니다. 그 단계까지는 실행되고, 그 뒤의 단계는 --free로 놓아 주실 때까지 기다립니다. 예측은 그 앞에서도 적을 수 있으므로, 모두가 예측한 다음 함께 실행해 볼 수 있습니다.
단계는 이름(hpa/2-replicas/proposal이나 proposal)으로도, 게시판에 보이는 번호(5)로도 적습니다. --lesson을 적으시면 같은 폴더의 뒤의 수업도 첫 단계에서 기다립니다.
--auto로 실행하는 사람도, '계속'을 누른 사람도 기다립니다. 기다리는 동안 다른 글쇠는 모두 되고 끝내기도 됩니다. 아무 플래그도 적지 않으시면 지금의 진행을 보여 드립니다.`,
		Example: `  stepscale class pace k8s --to 3 --context my-context
  stepscale class pace k8s --lesson hpa/02-control-loop --to proposal --reason '함께 예측해 봅시다' --context my-context
  stepscale class pace k8s --free --context my-context`,
	}, func(given []string) error { return d.checkPace(given[0], &pace, free, folder) }, func(ctx context.Context, room board.Desk, _ []string) error {
		return d.classPace(ctx, room, pace, free)
	})
	f := cmd.Flags()
	f.StringVar(&pace.Step, "to", "", "이 `단계`까지만 실행할 수 있게 합니다 (이름 또는 번호)")
	f.StringVar(&pace.Lesson, "lesson", "", "이 `수업`에서만 (모든 수업이 기본)")
	f.StringVar(&pace.Reason, "reason", "", "기다리는 사람에게 보여 줄 `말`")
	f.BoolVar(&free, "free", false, "놓아 줍니다")
	f.StringVar(&folder, "lessons", "", "내장 수업 대신 이 `폴더`의 수업에서 단계를 찾습니다")
	_ = cmd.RegisterFlagCompletionFunc("lesson", d.completeLessons)
	_ = cmd.RegisterFlagCompletionFunc("to", func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		var of []string
		if pace.Lesson != "" {
			of = []string{pace.Lesson}
		}
		return d.completeSteps(cmd, of, typed)
	})
	return cmd
}

func (d deps) classPace(ctx context.Context, room board.Desk, pace board.Pace, free bool) error {
	screen := view.New(d.out)
	if !free && pace.Step == "" {
		now, err := room.Pace(ctx)
		if err == nil {
			screen.Line(now.Says())
		}
		return deskError(err, room.Class)
	}
	if err := room.SetPace(ctx, pace); err != nil {
		return deskError(err, room.Class)
	}
	screen.Done("수업 " + room.Class + ": " + pace.Says())
	return nil
}

// checkPace refuses flags that say two things, and a step that nobody ever comes to.
func (d deps) checkPace(name string, pace *board.Pace, free bool, folder string) error {
	switch {
	case free && (*pace != board.Pace{}):
		return problem.Usage("--free는 다른 플래그와 함께 쓸 수 없습니다.", "예: stepscale class pace "+name+" --free --context my-context")
	case !free && pace.Step == "" && *pace != (board.Pace{}):
		return problem.Usage("어느 단계까지인지 --to로 적어 주십시오.", "예: stepscale class pace "+name+" --to 3 --context my-context")
	case len(pace.Reason) > board.MostReason:
		return problem.Usage("--reason이 너무 깁니다.", "배우는 사람의 화면에 한 줄로 보입니다. 100자까지 적어 주십시오.")
	case pace.Step == "":
		return nil
	}
	return d.findPace(pace, folder)
}

// findPace finds the step in the lessons.
func (d deps) findPace(pace *board.Pace, folder string) error {
	all, err := d.loadLessons(folder)
	if err != nil {
		return err
	}
	named := all
	if pace.Lesson != "" {
		i := slices.IndexFunc(all, func(l lessons.Lesson) bool { return l.ID == pace.Lesson || numbered(l.ID, pace.Lesson) })
		if i < 0 {
			return problem.Usage("그런 수업이 없습니다: "+pace.Lesson, "수업의 이름은 stepscale lessons로 볼 수 있습니다. 내장 수업이 아니라면 --lessons 폴더를 적어 주십시오.")
		}
		named, pace.Lesson = all[i:i+1], all[i].ID
	}
	var chosen []chosenLesson
	for _, l := range named {
		scenes := play.Scenes(l.Blocks)
		n, err := strconv.Atoi(pace.Step)
		if _, ok := play.FindStep(scenes, pace.Step); ok || err == nil && n >= 1 && n <= play.Executions(scenes) {
			return nil
		}
		chosen = append(chosen, chosenLesson{Lesson: l})
	}
	return problem.Usage(cmp.Or(pace.Lesson, "어느 수업")+"에도 그런 단계가 없습니다: "+pace.Step, stepHint(chosen, pace.Step))
}
