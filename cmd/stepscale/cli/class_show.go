package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/outside"
)

func newClassShowCommand(d deps) *cobra.Command {
	var attach lab.Attachment
	var output string
	cmd := &cobra.Command{
		Use: "show NAME", Short: "수업의 자리와 끝나는 때를 보여 드립니다",
		Long:    "수업의 자리, 끝나는 때, 자리마다 마지막으로 보고된 단계를 한 번 보여 드립니다. 코드와 토큰은 나오지 않습니다. 읽기만 합니다.",
		Example: "  stepscale class show k8s --context my-context\n  stepscale class show k8s --context my-context --output json",
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			return d.classShow(cmd.Context(), given[0], attach, output)
		},
	}
	d.classArg(cmd, &attach, 0)
	d.attachFlags(cmd.Flags(), &attach)
	outputFlag(cmd, &output)
	return cmd
}

func (d deps) classShow(ctx context.Context, name string, attach lab.Attachment, output string) error {
	r, err := d.openRoom(ctx, attach, name, "show "+name)
	if err != nil {
		return err
	}
	s, err := r.load(ctx, name)
	if err != nil {
		return err
	}
	present, err := r.Present(ctx, s)
	if err != nil {
		return roomError(err)
	}
	results, err := r.Export(ctx, s, time.Now())
	if err != nil {
		return roomError(err)
	}
	all := class.Describe(s, nil)
	for i := range all.Seats {
		all.Seats[i].There, all.Seats[i].Report = new(present[all.Seats[i].ID]), results.Seats[i].Report
	}
	if output == "json" {
		return d.writeJSON(all)
	}
	d.showClass(all, time.Now())
	if len(present) == 0 && len(s.Seats) > 0 {
		view.New(d.errOut).Note(keyHint(name))
	}
	return nil
}

func (d deps) showClass(all class.Description, now time.Time) {
	screen := view.New(d.out)
	ends := clockTime(all.Ends)
	if now.After(all.Ends) {
		ends += " (끝났습니다)"
	}
	screen.Line(fmt.Sprintf("수업 %s: 자리 %d개, 신원 %s, 끝나는 때 %s", all.Class, len(all.Seats), all.Identity, ends))
	if all.Image != "" {
		screen.Line("워크로드의 이미지: " + all.Image)
	}
	var rows [][2]string
	for _, seat := range all.Seats {
		text := seat.Namespace
		if !*seat.There {
			text += "  네임스페이스가 없거나 다른 사람의 것입니다"
		}
		if r := seat.Report; r != nil && r.Silent {
			text += "  보고하지 않음"
		} else if r != nil {
			text += fmt.Sprintf("  %s %s %d/%d", outside.Brief(r.Lesson), outside.Brief(r.Step), r.Steps, r.Total)
			if r.Help {
				text += "  도와주세요"
			}
		}
		rows = append(rows, [2]string{strings.TrimSpace(seat.ID + " " + seat.Display), text})
	}
	screen.Pairs(rows)
}
