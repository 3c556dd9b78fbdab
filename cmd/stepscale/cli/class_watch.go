package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/korean"
)

// openDesk is a class in the instructor's hand.
func openDesk(ctx context.Context, attach lab.Attachment, name, command string) (board.Desk, error) {
	if len(validation.IsDNS1123Label(board.Home(name))) > 0 {
		return board.Desk{}, problem.Usage("수업의 이름으로 쓸 수 없습니다: "+name, "소문자, 숫자, -로 된 이름을 적어 주십시오. 예: stepscale class "+command+" k8s --context my-context")
	}
	_, cfg, err := attachClass(ctx, attach, command+" "+name)
	if err != nil {
		return board.Desk{}, err
	}
	cfg.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON // two hundred reports at once
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return board.Desk{}, err
	}
	room, err := board.FindDesk(ctx, kube, name)
	return room, deskError(err, name)
}

// deskError says in Korean what is wrong with a class that runs.
func deskError(err error, name string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, board.ErrNoClass):
		return &problem.Error{What: "이 클러스터에 수업 " + korean.Subject(name) + " 없습니다", Cause: err, Code: problem.ExitUsage,
			Hint: "수업의 이름과 클러스터가 맞는지 확인해 주십시오. 수업마다 네임스페이스 " + board.Home(name) + "처럼 하나가 있습니다."}
	case apierrors.IsForbidden(err):
		return &problem.Error{What: "수업을 볼 권한이 없습니다", Cause: err, Hint: "강사(클러스터 관리자)의 신원으로 실행해 주십시오."}
	}
	return problem.OfCluster(attached.Explain(err, attached.ReasonOf)) // also where the cluster was there at first
}

// deskCommand is one that an instructor gives while a class runs. check looks at the command
// line before the cluster is asked; the first word is the class.
func (d deps) deskCommand(cmd *cobra.Command, check func([]string) error, do func(context.Context, board.Desk, []string) error) *cobra.Command {
	var attach lab.Attachment
	d.attachFlags(cmd.Flags(), &attach)
	cmd.ValidArgsFunction = d.classNames(&attach)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if err := check(given); err != nil {
			return err
		}
		room, err := openDesk(cmd.Context(), attach, given[0], cmd.Name())
		if err != nil {
			return err
		}
		return do(cmd.Context(), room, given[1:])
	}
	return cmd
}
