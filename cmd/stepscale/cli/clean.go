package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

func (a *app) clusterClean() *cobra.Command {
	var p target
	cmd := &cobra.Command{
		Use: "clean", Short: "다른 사람의 클러스터에 남은 stepscale의 오브젝트를 지웁니다", Args: cobra.NoArgs,
		Long: `EKS처럼 stepscale이 만들지 않은 클러스터에, 이 컴퓨터의 stepscale이 남긴 것을 찾아 보여 드리고, 물어본 뒤 지웁니다. 수업이 끝나면 스스로 지우므로, 컴퓨터가 꺼졌거나 네트워크가 끊겨 지우지 못했을 때 쓰시면 됩니다.
무장 해제된 HPA는 진짜 spec으로 되돌립니다. 다른 사람의 것은 건드리지 않습니다. 레이블은 누구나 적을 수 있으므로, 이 컴퓨터의 열쇠로 적은 증명이 있는 것만 지웁니다.`,
		Example: "  stepscale cluster clean --context my-context\n  stepscale cluster clean --eks my-cluster --region ap-northeast-2 --namespace shop --yes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.attach.Name != "" && p.attach.Context != "" || !p.attached() {
				return problem.Usage("--eks와 --context 가운데 하나를 적어 주십시오.", "stepscale이 만든 클러스터는 stepscale cluster down으로 끕니다.")
			}
			if p.namespace != "" {
				if err := checkNamespace(p.namespace); err != nil {
					return err
				}
			}
			removed, err := a.clean(cmd.Context(), p, func(l *leftovers) error { return a.agreeToClean(cmd.Context(), p, l) })
			screen := view.New(a.out)
			for _, l := range removed {
				screen.Done("지움: " + l)
			}
			if apierrors.IsForbidden(err) {
				return &problem.Error{What: "그 네임스페이스를 볼 권한이 없습니다", Where: p.namespace, Cause: err, Hint: "네임스페이스의 이름을 확인해 주십시오."}
			}
			return err
		},
	}
	attachFlags(cmd.Flags(), &p.attach)
	cmd.Flags().StringVarP(&p.namespace, "namespace", "n", "", "이 `네임스페이스`에 남은 것도 지웁니다")
	yesFlag(cmd, &p.yes)
	return cmd
}

// agreeToClean shows what was found, and asks.
func (a *app) agreeToClean(ctx context.Context, p target, l *leftovers) error {
	screen := view.New(a.out)
	for _, name := range l.unproven {
		screen.Note("남겨 둠: " + name + ". stepscale의 레이블은 있지만 이 컴퓨터가 만들었다는 증명이 없습니다. 만든 분이 맞다면 kubectl로 지워 주십시오.")
	}
	if len(l.found) == 0 {
		if l.busy == nil {
			screen.Note("지울 것이 없습니다.")
		}
		return nil
	}
	told := []string{fmt.Sprintf("이 컴퓨터의 stepscale이 만든 %d개를 지웁니다.", len(l.found))}
	for _, one := range l.found {
		told = append(told, "  "+one.what)
	}
	return a.ask(ctx, p.yes, told)
}

// clean removes what this installation made on a cluster: its namespaces, and its
// objects in a namespace that somebody else made. It returns what it removed; agree,
// if there is one, is asked before.
func (a *app) clean(ctx context.Context, p target, agree func(*leftovers) error) (removed []string, err error) {
	l, err := findLeftovers(ctx, a.state, p)
	if l != nil {
		defer func() { err = errors.Join(err, l.unlock()) }()
	}
	if err != nil {
		return nil, err
	}
	if agree != nil {
		if err := agree(l); err != nil {
			return nil, err
		}
	}
	for _, one := range l.found {
		err := one.remove(ctx)
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // it is gone; a conflict: another object has the name now
			continue
		}
		if err != nil {
			return removed, err
		}
		removed = append(removed, one.what)
	}
	return removed, l.busy
}
