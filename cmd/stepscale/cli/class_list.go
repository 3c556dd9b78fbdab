package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

func newClassListCommand(d deps) *cobra.Command {
	var attach lab.Attachment
	var output string
	cmd := &cobra.Command{
		Use: "list", Short: "클러스터에 있는 수업을 보여 드립니다", Args: args(0, 0, ""),
		Long:    "클러스터에 있는 수업을 보여 드립니다. 만들다 만 것과 지우다 만 것도 나옵니다. 읽기만 합니다.",
		Example: "  stepscale class list --context my-context\n  stepscale class list --eks my-cluster --region ap-northeast-2 --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			return d.classList(cmd.Context(), attach, output)
		},
	}
	d.attachFlags(cmd.Flags(), &attach)
	outputFlag(cmd, &output)
	return cmd
}

func (d deps) classList(ctx context.Context, attach lab.Attachment, output string) error {
	r, err := d.openRoom(ctx, attach, "", "list")
	if err != nil {
		return err
	}
	all, err := r.List(ctx, d.classSigners)
	if err != nil {
		return roomError(err)
	}
	if output == "json" {
		return d.writeJSON(map[string]any{"schema": "stepscale.class-list/v1", "classes": all})
	}
	screen := view.New(d.out)
	for _, c := range all {
		state := "이 컴퓨터에서 만듦"
		switch {
		case c.Going:
			state = "지우는 중"
		case c.Ours && c.Adopted:
			state = "다른 컴퓨터에서 만들었고, 열쇠를 가져옴"
		case !c.Ours:
			state = "다른 컴퓨터에서 만듦"
		case !c.Home:
			state = "만들다 만 것 또는 지우다 만 것"
		}
		screen.Line(fmt.Sprintf("%s: 자리의 네임스페이스 %d개 (%s)", c.Class, c.Namespaces, state))
	}
	if len(all) == 0 {
		screen.Note("수업이 없습니다.")
	}
	return nil
}
