package cli

import (
	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

func newClassLeaveCommand(d deps) *cobra.Command {
	return &cobra.Command{
		Use: "leave", Short: "자리에서 일어납니다", Args: args(0, 0, ""),
		Long:    "class join이 이 컴퓨터에 둔 자리와 kubeconfig를 지웁니다. 클러스터의 네임스페이스는 그대로 있고, 수업 파일과 코드로 다시 앉으실 수 있습니다.",
		Example: "  stepscale class leave",
		RunE: func(*cobra.Command, []string) error {
			screen := view.New(d.out)
			_, taken, _ := class.Seated(d.state)
			if err := class.Leave(d.state); err != nil {
				return &problem.Error{What: "자리를 지우지 못했습니다", Cause: err, Hint: "상태 디렉터리의 seat.json과 seat.kubeconfig를 지워 주십시오."}
			}
			if !taken {
				screen.Note("앉아 계신 자리가 없습니다.")
				return nil
			}
			screen.Done("자리를 떠났습니다. 이 컴퓨터에 두었던 kubeconfig를 지웠습니다.")
			return nil
		},
	}
}
