package cli

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

func newClassHintCommand(d deps) *cobra.Command {
	var to string
	cmd := d.deskCommand(&cobra.Command{
		Use: "hint NAME 글", Short: "모두에게, 또는 한 사람에게 힌트를 보냅니다", Args: args(2, 2, "수업의 이름과 힌트"),
		Long: `배우는 사람의 화면에 한 줄로 보입니다. --to를 적지 않으시면 모두에게, 적으시면 그 자리에만 보냅니다. 한 시간이 지난 힌트는 나중에 들어온 사람에게 보이지 않습니다.`,
		Example: `  stepscale class hint k8s '비율에 현재 레플리카 수를 곱해 보세요' --context my-context
  stepscale class hint k8s '올림을 잊지 마세요' --to s07 --context my-context`,
	}, func(given []string) error {
		if text := strings.TrimSpace(given[1]); text == "" || len(text) > board.MostHint {
			return problem.Usage("힌트는 한 글자부터 200자 안팎까지 적어 주십시오.", "예: stepscale class hint "+given[0]+" '올림을 잊지 마세요' --context my-context")
		}
		return nil
	}, func(ctx context.Context, room board.Desk, given []string) error {
		text := strings.TrimSpace(given[0])
		now := time.Now()
		err := room.SetHint(ctx, strings.ToLower(to), board.Hint{ID: strconv.FormatInt(now.UnixNano(), 36), Text: text, At: now})
		if errors.Is(err, board.ErrNoSeat) {
			return problem.Usage("수업 "+room.Class+"에 그런 자리가 없습니다: "+to, "자리의 이름은 stepscale class board "+room.Class+"의 첫 칸에 있습니다.")
		}
		if err != nil {
			return deskError(err, room.Class)
		}
		whom := "모두"
		if to != "" {
			whom = to
		}
		view.New(d.out).Done(whom + "에게 보냈습니다: " + text)
		return nil
	})
	cmd.Flags().StringVar(&to, "to", "", "이 `자리`에만 (s07, 모두가 기본)")
	return cmd
}
