package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

func newClusterCleanCommand(d deps) *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "clean", Short: "다른 사람의 클러스터에 남은 stepscale의 오브젝트를 지웁니다", Args: cobra.NoArgs,
		Long: `EKS처럼 stepscale이 만들지 않은 클러스터에, 이 컴퓨터의 stepscale이 남긴 것을 찾아 보여 드리고, 물어본 뒤 지웁니다. 수업이 끝나면 스스로 지우므로, 컴퓨터가 꺼졌거나 네트워크가 끊겨 지우지 못했을 때 쓰시면 됩니다.
무장 해제된 HPA는 진짜 spec으로 되돌립니다. 다른 사람의 것은 건드리지 않습니다. 레이블은 누구나 적을 수 있으므로, 이 컴퓨터의 열쇠로 적은 증명이 있는 것만 지웁니다.`,
		Example: "  stepscale cluster clean --context my-context\n  stepscale cluster clean --eks my-cluster --region ap-northeast-2 --namespace shop --yes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if t.attach.Name != "" && t.attach.Context != "" || !t.attached() {
				return problem.Usage("--eks와 --context 가운데 하나를 적어 주십시오.", "stepscale이 만든 클러스터는 stepscale cluster down으로 끕니다.")
			}
			if t.namespace != "" {
				if err := checkNamespace(t.namespace); err != nil {
					return err
				}
			}
			removed, err := lab.Clean(cmd.Context(), d.state, t.guest(), func(l *lab.Leftovers) error { return d.agreeToClean(cmd.Context(), t.yes, l) })
			screen := view.New(d.out)
			for _, l := range removed {
				screen.Done("지움: " + l)
			}
			if apierrors.IsForbidden(err) {
				return &problem.Error{What: "그 네임스페이스를 볼 권한이 없습니다", Where: t.namespace, Cause: err, Hint: "네임스페이스의 이름을 확인해 주십시오."}
			}
			return err
		},
	}
	d.attachFlags(cmd.Flags(), &t.attach)
	cmd.Flags().StringVarP(&t.namespace, "namespace", "n", "", "이 `네임스페이스`에 남은 것도 지웁니다")
	yesFlag(cmd, &t.yes)
	return cmd
}

// agreeToClean shows what was found, and asks.
func (d deps) agreeToClean(ctx context.Context, yes bool, l *lab.Leftovers) error {
	screen := view.New(d.out)
	for _, name := range l.Unproven {
		screen.Note("남겨 둠: " + name + ". stepscale의 레이블은 있지만 이 컴퓨터가 만들었다는 증명이 없습니다. 만든 분이 맞다면 kubectl로 지워 주십시오.")
	}
	found := l.Found()
	if len(found) == 0 {
		if l.Busy == nil {
			screen.Note("지울 것이 없습니다.")
		}
		return nil
	}
	told := []string{fmt.Sprintf("이 컴퓨터의 stepscale이 만든 %d개를 지웁니다.", len(found))}
	for _, one := range found {
		told = append(told, "  "+one)
	}
	return d.asker(yes).Ask(ctx, told)
}
