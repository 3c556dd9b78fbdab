package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/vpa"
)

// newClassCommand has what a class on a shared cluster needs: what its instructor does before,
// while and after it runs, and what a learner does.
func newClassCommand(d deps) *cobra.Command {
	cmd := &cobra.Command{
		Use: "class", Short: "여럿이 한 클러스터에서 하는 수업: 준비, 자리, 결과, 비용, 뒷정리",
		Long: `여럿이 실제 클러스터 하나에서 하는 수업입니다.
학생은 join으로 자리에 앉습니다. 그다음부터 learn에는 플래그가 필요 없습니다.
강사는 클러스터마다 한 번 install을 실행하고, 수업마다 create로 자리를 만들어 나누어 줍니다. 수업 중에는 board로 모두를 보며 pace, vote, hint로 이끌고, 끝나면 export로 결과를 받고 delete로 지웁니다.
신원이 이미 있는 학생 몇 명이라면 create 대신 namespace로 네임스페이스만 만드셔도 됩니다.`,
		Example: `  stepscale class install --context my-context
  stepscale class create k8s --count 30 --ends 2h --context my-context
  stepscale class join k8s.class K7QF-2M9D-XH3P
  stepscale class delete k8s --context my-context
  stepscale class namespace s01 s02 --user 'student-{}' --context my-context
  stepscale class status --eks my-cluster --region ap-northeast-2
  stepscale class remove --context my-context`,
		Args: cobra.ArbitraryArgs, RunE: unknownCommand,
	}
	group(cmd, "학생", newClassJoinCommand(d), newClassFollowCommand(d), newClassHandInCommand(d), newClassLeaveCommand(d))
	group(cmd, "강사: 클러스터마다 한 번", newClassInstallCommand(d),
		d.classPart("status", "install이 만드는 것이 있는지 보여 드립니다. 쓰는 것은 없습니다", d.classStatus), d.classPart("remove", "install이 만든 것을 지웁니다", d.classRemove))
	group(cmd, "강사: 수업의 자리", newClassCreateCommand(d), newClassListCommand(d), newClassShowCommand(d), newClassRenewCommand(d), newClassCostCommand(d), newClassExportCommand(d), newClassDeleteCommand(d), newClassKeyCommand(d), newClassAdoptCommand(d), newClassNamespaceCommand(d))
	group(cmd, "강사: 수업 중", newClassBoardCommand(d), newClassPaceCommand(d), newClassVoteCommand(d), newClassHintCommand(d), newClassDemoCommand(d), newClassSweepCommand(d))
	return cmd
}

func newClassInstallCommand(d deps) *cobra.Command {
	cmd := d.classPart("install", "수업에 필요한 것 가운데 클러스터에 없는 것을 만듭니다", d.classInstall)
	cmd.Long = `클러스터 전체에 걸친 것을 만듭니다. VPA의 리소스 종류(CRD), 학생에게 줄 역할(ClusterRole stepscale-student), 학생이 하지 못할 일을 막는 ValidatingAdmissionPolicy, 그리고 웹훅 없이 새 파드에 VPA의 추천을 넣는 MutatingAdmissionPolicy입니다.
EKS의 API 서버는 노트북에서 도는 웹훅에 닿을 수 없으므로, 어드미션을 API 서버 자신에게 맡기는 것입니다. 쿠버네티스 1.36부터 됩니다.
다른 사람이 만든 것은 건드리지 않습니다. 지우실 때는 class remove를 실행해 주십시오.`
	return cmd
}

func (d deps) classPart(name, short string, do func(context.Context, *vpa.Class, classCluster, bool) error) *cobra.Command {
	var attach lab.Attachment
	var yes bool
	cmd := &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs, Example: "  stepscale class " + name + " --context my-context",
		RunE: func(cmd *cobra.Command, _ []string) error {
			class, cluster, err := openClass(cmd.Context(), attach, name)
			if err != nil {
				return err
			}
			return classError(do(cmd.Context(), class, classCluster{cluster, target{attach: attach}.words()}, yes))
		},
	}
	d.attachFlags(cmd.Flags(), &attach)
	if name != "status" {
		yesFlag(cmd, &yes)
	}
	return cmd
}

// classCluster is the cluster of a class, and the flags that name it again.
type classCluster struct {
	name  string
	words []string
}

// attachClass attaches to the cluster of a class; command is how the command line goes on that
// wants to.
func attachClass(ctx context.Context, attach lab.Attachment, command string) (lab.Foreign, *rest.Config, error) {
	if (attach.Name == "") == (attach.Context == "") {
		return nil, nil, problem.Usage("--eks와 --context 가운데 하나를 적어 주십시오.", "예: stepscale class "+command+" --context my-context")
	}
	c := attach.Open()
	cfg, err := c.Up(ctx)
	if err != nil {
		return nil, nil, problem.OfCluster(err)
	}
	return c, cfg, nil
}

// openClass attaches to the cluster of a class, and tells its name.
func openClass(ctx context.Context, attach lab.Attachment, command string) (class *vpa.Class, cluster string, err error) {
	c, cfg, err := attachClass(ctx, attach, command)
	if err != nil {
		return nil, "", err
	}
	cfg.QPS, cfg.Burst = 50, 100 // a whole class at once
	class, err = vpa.NewClass(cfg)
	return class, c.Info().Name, err
}

// classError says in Korean why a class cannot be prepared.
func classError(err error) error {
	var foreign *vpa.ForeignError
	switch {
	case errors.As(err, &foreign):
		return foreignParts(foreign)
	case apierrors.IsForbidden(err):
		return &problem.Error{What: "클러스터 전체의 오브젝트를 볼 권한이 없습니다", Cause: err, Hint: "강사(클러스터 관리자)의 신원으로 실행해 주십시오."}
	}
	return err
}

// foreignParts says whose the parts are, as far as the objects tell.
func foreignParts(e *vpa.ForeignError) error {
	var parts []string
	for _, p := range e.Parts {
		text := fmt.Sprintf("%s %s (%s)", p.Kind, p.Name, whose(p.Origin))
		if len(p.Lacks) > 0 {
			text += ". 수업에 필요한 것이 없습니다: " + strings.Join(p.Lacks, ", ")
		}
		parts = append(parts, text)
	}
	return &problem.Error{What: "stepscale class가 만들지 않은 것이 같은 이름으로 이미 있습니다: " + strings.Join(parts, "; "), Cause: e, Code: problem.ExitUsage,
		Hint: "아무것도 쓰지 않았습니다. 만든 분에게 확인하신 뒤, 지워도 되면 kubectl delete로 지우고 다시 실행해 주십시오."}
}

func whose(o vpa.Origin) string {
	text := "만든 시각 " + o.Created.Local().Format(time.DateTime)
	if len(o.Managers) > 0 {
		text = "쓴 프로그램 " + strings.Join(o.Managers, ", ") + ", " + text
	}
	if len(o.Labels) == 0 {
		return text + ", 레이블 없음"
	}
	var labels []string
	for _, key := range slices.Sorted(maps.Keys(o.Labels)) {
		labels = append(labels, key+"="+o.Labels[key])
	}
	return text + ", 레이블 " + strings.Join(labels, " ")
}

func (d deps) classInstall(ctx context.Context, c *vpa.Class, at classCluster, yes bool) error {
	err := d.asker(yes).Ask(ctx, []string{
		"클러스터 " + at.name + "에, 클러스터 전체에 걸친 오브젝트를 만듭니다: VPA의 CRD 2개, ClusterRole stepscale-student, ValidatingAdmissionPolicy와 그 바인딩 stepscale-student, MutatingAdmissionPolicy와 그 바인딩 stepscale-vpa.",
		"정책은 " + clusters.LabelManaged + "=true 레이블이 있는 네임스페이스의 새 파드와, 학생의 네임스페이스에만 적용됩니다. 다른 사람이 만든 것은 건드리지 않습니다.",
	})
	if err != nil {
		return err
	}
	done := d.waits.Busy("수업에 필요한 것을 만듭니다")
	made, err := c.Install(ctx)
	done()
	screen := view.New(d.out)
	for _, p := range made {
		done := "만듦: "
		if p.There {
			done = "이미 있음(이 버전에 맞춤): "
		}
		screen.Done(done + p.Kind + " " + p.Name)
	}
	if _, foreign := errors.AsType[*vpa.ForeignError](err); foreign {
		return err
	}
	if errors.Is(err, vpa.ErrGoing) {
		return &problem.Error{What: "같은 이름의 것이 지워지는 중이고, 아직 다 지워지지 않았습니다", Cause: err,
			Hint: "아무것도 쓰지 않았습니다. 다 지워진 뒤에 다시 실행해 주십시오. 오래 남아 있으면 kubectl get -o yaml의 finalizers에 무엇이 기다리는지 적혀 있습니다."}
	}
	if err != nil {
		return &problem.Error{What: "모두 만들지는 못했습니다", Cause: err, Hint: "클러스터 관리자의 권한이 필요합니다. 다시 실행하시면 나머지만 만듭니다."}
	}
	policies, err := c.HasPolicies()
	if err == nil && !policies {
		screen.Note("이 클러스터의 API 서버에는 MutatingAdmissionPolicy v1이 없어(1.36부터) 추천을 넣는 정책은 만들지 않았습니다. 새 파드에 추천을 넣으려면 업스트림의 어드미션 컨트롤러를 클러스터 안에 설치해 주십시오. 기본 포트 8000은 EKS의 보안 그룹에 막히는 일이 많으니 --port=8443으로 바꾸시는 것이 좋습니다.")
	}
	screen.Note("이제 수업의 자리를 만드시면 됩니다. 예: stepscale class create k8s --count 30 " + strings.Join(at.words, " "))
	return err
}

func (d deps) classStatus(ctx context.Context, c *vpa.Class, _ classCluster, _ bool) error {
	all, err := c.Status(ctx)
	screen := view.New(d.out)
	for _, p := range all {
		state := "없음"
		switch {
		case p.Ours:
			state = "있음 (stepscale이 만듦)"
		case p.There:
			state = "있음 (다른 사람이 만듦: " + whose(p.Origin) + ")"
		}
		screen.Line(fmt.Sprintf("%s %s: %s", p.Kind, p.Name, state))
	}
	return err
}

func (d deps) classRemove(ctx context.Context, c *vpa.Class, at classCluster, yes bool) error {
	err := d.asker(yes).Ask(ctx, []string{"클러스터 " + at.name + "에서 stepscale class install이 만든 것을 지웁니다. CRD를 지우면 그 종류의 VPA 오브젝트도 모두 사라지고, 역할과 정책을 지우면 학생의 네임스페이스에서 수업을 할 수 없습니다."})
	if err != nil {
		return err
	}
	removed, err := c.Remove(ctx)
	screen := view.New(d.out)
	for _, p := range removed {
		screen.Done("지움: " + p.Kind + " " + p.Name)
	}
	if err == nil && len(removed) == 0 {
		screen.Note("지울 것이 없습니다.")
	}
	return err
}
