package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/vpa"
)

// placeholder stands for the namespace's own name in that of a user or a group.
const placeholder = "{}"

// enrolment is who gets which namespace.
type enrolment struct {
	attach        lab.Attachment
	users, groups []string
	dryRun, yes   bool
}

func newClassNamespaceCommand(d deps) *cobra.Command {
	var e enrolment
	cmd := &cobra.Command{
		Use: "namespace NAME...", Short: "학생의 네임스페이스를 울타리와 함께 만듭니다", Args: cobra.ArbitraryArgs,
		Long: `학생마다 네임스페이스 하나를 만듭니다. 파드 보안(restricted), ResourceQuota, LimitRange, NetworkPolicy를 먼저 두고, 마지막에 학생을 역할에 묶습니다.
여러 번 실행해도 되고, 도중에 끊겨도 다시 실행하시면 나머지를 만듭니다. 다른 사람이 만든 네임스페이스는 건드리지 않습니다.
여러 개를 만드실 때는 --user나 --group에 {}를 적어 주십시오. 네임스페이스의 이름으로 바뀝니다.`,
		Example: `  stepscale class namespace s01 --user kim --context my-context
  stepscale class namespace s01 s02 s03 --user 'student-{}' --eks my-cluster --region ap-northeast-2
  stepscale class namespace s01 --group class-a --dry-run`,
		RunE: func(cmd *cobra.Command, names []string) error {
			students, err := e.students(names)
			if err != nil {
				return err
			}
			if e.dryRun {
				return d.printStudents(students)
			}
			class, cluster, err := openClass(cmd.Context(), e.attach, "namespace s01 --user kim")
			if err != nil {
				return err
			}
			return classError(d.enroll(cmd.Context(), class, cluster, students, e.yes))
		},
	}
	d.attachFlags(cmd.Flags(), &e.attach)
	cmd.Flags().StringArrayVar(&e.users, "user", nil, "네임스페이스를 쓸 `사용자` (쿠버네티스가 아는 이름)")
	cmd.Flags().StringArrayVar(&e.groups, "group", nil, "네임스페이스를 쓸 `그룹`")
	cmd.Flags().BoolVar(&e.dryRun, "dry-run", false, "만들 것을 YAML로 출력만 합니다. 클러스터는 필요 없습니다")
	yesFlag(cmd, &e.yes)
	return cmd
}

func yesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVar(yes, "yes", false, "쓰기 전에 묻지 않습니다")
}

// everybody are groups and users in which people are whom no instructor knows.
var everybody = []string{"system:authenticated", "system:unauthenticated", "system:anonymous", "system:serviceaccounts"}

// students are the namespaces that the command line asks for.
func (e enrolment) students(names []string) ([]vpa.Student, error) {
	const example = "예: stepscale class namespace s01 --user kim --context my-context"
	who := slices.Concat(e.users, e.groups)
	switch {
	case len(names) == 0:
		return nil, problem.Usage("네임스페이스의 이름을 적어 주십시오.", example)
	case len(who) == 0 || slices.Contains(who, ""):
		return nil, problem.Usage("누가 쓸 네임스페이스인지 --user나 --group으로 적어 주십시오.", example)
	}
	for _, w := range who {
		if slices.Contains(everybody, w) {
			return nil, problem.Usage(w+"에는 누구나 들어 있습니다.", "학생의 사용자 이름이나 학생만 있는 그룹을 적어 주십시오.")
		}
		if len(names) > 1 && !strings.Contains(w, placeholder) {
			return nil, problem.Usage(w+"에게 네임스페이스 여러 개를 주면 학생마다 따로 쓰지 못합니다.", "이름에 {}를 넣어 주십시오. 네임스페이스의 이름으로 바뀝니다. 예: --user 'student-{}'")
		}
	}
	var all []vpa.Student
	for _, name := range names {
		if err := checkNamespace(name); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(s vpa.Student) bool { return s.Namespace == name }) {
			return nil, problem.Usage("같은 이름이 두 번 있습니다: "+name, "네임스페이스마다 이름을 다르게 적어 주십시오.")
		}
		all = append(all, vpa.Student{Namespace: name, Users: named(e.users, name), Groups: named(e.groups, name)})
	}
	return all, nil
}

func named(who []string, namespace string) []string {
	var all []string
	for _, w := range who {
		all = append(all, strings.ReplaceAll(w, placeholder, namespace))
	}
	return all
}

// printStudents writes what would be made, as kubectl apply takes it.
func (d deps) printStudents(students []vpa.Student) error {
	var all []*unstructured.Unstructured
	for _, s := range students {
		objects, err := s.Objects()
		if err != nil {
			return err
		}
		all = append(all, objects...)
	}
	return d.writeManifests(all)
}

// writeManifests writes objects as YAML, one document each.
func (d deps) writeManifests(objects []*unstructured.Unstructured) error {
	for _, obj := range objects {
		raw, err := yaml.Marshal(obj.Object)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(outside.Writer(d.out), "---\n%s", raw); err != nil {
			return err
		}
	}
	return nil
}

// enroll looks at everything before it asks, and asks before it writes.
func (d deps) enroll(ctx context.Context, c *vpa.Class, cluster string, students []vpa.Student, yes bool) error {
	if err := c.Ready(ctx); errors.Is(err, vpa.ErrNotInstalled) {
		return &problem.Error{What: "이 클러스터는 아직 수업에 맞게 준비되지 않았습니다", Cause: err, Code: problem.ExitUsage, Hint: "stepscale class install을 먼저 실행해 주십시오. 이미 하셨다면 한 번 더 실행하셔도 됩니다."}
	} else if err != nil {
		return err
	}
	var names, there []string
	for _, s := range students {
		is, err := c.Namespace(ctx, s.Namespace)
		if errors.Is(err, vpa.ErrGoing) {
			return &problem.Error{What: "네임스페이스가 지워지고 있습니다", Where: s.Namespace, Hint: "다 지워진 뒤에 다시 실행해 주십시오."}
		}
		if err != nil {
			return err
		}
		if names = append(names, s.Namespace); is {
			there = append(there, s.Namespace)
		}
	}
	told := []string{
		fmt.Sprintf("클러스터 %s에 네임스페이스 %d개를 만듭니다: %s", cluster, len(names), strings.Join(names, ", ")),
		"저마다 파드 보안(restricted), ResourceQuota, LimitRange, NetworkPolicy를 두고 학생을 ClusterRole stepscale-student에 묶습니다.",
	}
	if len(there) > 0 {
		told = append(told, "이미 있는 것은 이 버전에 맞춥니다: "+strings.Join(there, ", "))
	}
	if err := d.asker(yes).Ask(ctx, told); err != nil {
		return err
	}
	return d.enrollAll(ctx, c, students)
}

func (d deps) enrollAll(ctx context.Context, c *vpa.Class, students []vpa.Student) error {
	screen := view.New(d.out)
	counted, fenced := true, true
	for _, s := range students {
		err := c.Enroll(ctx, s)
		if err == nil && counted { // the first may wait, and the others then do not
			done := d.waits.Busy("할당량이 세어지기를 기다립니다")
			counted, err = c.AwaitQuota(ctx, s)
			done()
		}
		if err == nil && fenced {
			fenced, err = c.AwaitFence(ctx, s)
		}
		if err != nil {
			return &problem.Error{What: "네임스페이스 " + korean.Object(s.Namespace) + " 끝까지 만들지 못했습니다", Cause: err, Hint: enrollHint(err)}
		}
		screen.Done(fmt.Sprintf("네임스페이스 %s: %s", s.Namespace, strings.Join(slices.Concat(s.Users, s.Groups), ", ")))
	}
	if !counted {
		screen.Note("할당량이 아직 세어지지 않았습니다. 그동안은 학생이 아무것도 만들지 못합니다. kubectl describe resourcequota -n " + korean.By(students[0].Namespace) + " 확인해 주십시오.")
	}
	if !fenced {
		screen.Note("API 서버가 정책 " + korean.Object(vpa.FencePolicy) + " 아직 따르지 않습니다. 그동안은 학생이 externalIPs나 큰 레플리카 수를 적을 수 있습니다. stepscale doctor에 같은 --eks나 --context와 -n을 적어 확인해 주십시오.")
	}
	screen.Note("NetworkPolicy는 클러스터의 네트워크가 지킬 때에만 힘이 있습니다. EKS의 VPC CNI에서는 enableNetworkPolicy를 켜 주십시오.")
	screen.Note("학생에게: stepscale learn hpa -n " + students[0].Namespace + " (클러스터와 이미지의 플래그를 함께)")
	return nil
}

func enrollHint(err error) string {
	if apierrors.IsForbidden(err) {
		return "강사(클러스터 관리자)의 신원으로 실행해 주십시오. 역할을 묶으려면 그 역할의 권한이 모두 있어야 합니다."
	}
	return "다시 실행하시면 나머지를 만듭니다."
}
