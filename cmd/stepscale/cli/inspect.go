package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/inspect"
	"github.com/stepscale/stepscale/engine/world"
)

type inspectOptions struct {
	cluster           lab.Attachment
	namespace, output string
	all, checklist    bool
	seated            bool               // the cluster is that of the learner's seat
	wrap              func(*rest.Config) // of a test that listens
}

const outputSARIF = "sarif"

func newInspectCommand(d deps) *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect",
		Short: "실제 클러스터의 HPA와 VPA를 한 번 읽고, 무엇이 잘못되었는지 근거와 함께 알려 드립니다",
		Long: `실제 클러스터의 HPA와 VPA(있으면 카펜터와 클러스터 오토스케일러의 상태도)를 한 번 읽고, HPA마다 마지막 결정을 stepscale의 엔진으로 다시 계산해 설명합니다. 줄마다 관측(API가 그렇게 말함), 다시 계산(읽은 값으로 계산함), 알 수 없음(한 번 보아서는 모름)이 적힙니다.
잘못된 것은 근거와, 그것을 직접 확인하실 명령 하나와 함께 나옵니다. 읽기만(get, list) 하고 아무것도 쓰지 않습니다. 수업의 자리에 앉아 계시면(class join) 그 자리의 클러스터와 네임스페이스가 기본입니다.
종료 코드: 찾은 것이 없으면 0, 있으면 1, 볼 수 없으면 2.`,
		Example: `  stepscale inspect -n shop
  stepscale inspect -A --context my-context
  stepscale inspect -n shop --eks my-cluster --region ap-northeast-2 --checklist
  stepscale inspect -A --output json
  stepscale inspect -n shop --output sarif > inspect.sarif`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := o.check(); err != nil {
				return err
			}
			if o.seated, err = d.sitAndLook(cmd, &o.cluster, &o.namespace); err != nil {
				return cannot(err)
			}
			return d.inspect(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.namespace, "namespace", "n", "", "살펴볼 `네임스페이스` (컨텍스트의 것이 기본)")
	f.BoolVarP(&o.all, "all-namespaces", "A", false, "모든 네임스페이스를 살펴봅니다")
	f.BoolVar(&o.checklist, "checklist", false, "'아마존 EKS에 오토스케일링 구축하기'의 항목마다 무엇이 되어 있고 무엇이 모자라는지도 보여 드립니다")
	d.attachFlags(f, &o.cluster)
	f.Lookup("context").Usage = "kubeconfig의 `컨텍스트` (지금의 컨텍스트가 기본)"
	f.StringVarP(&o.output, "output", "o", "text", "출력 `형식`: text, json 또는 sarif")
	knows(cmd, "output", "text", "json", outputSARIF)
	return cmd
}

func (o inspectOptions) check() error {
	switch {
	case o.output != "text" && o.output != "json" && o.output != outputSARIF:
		return problem.Usage("모르는 출력 형식입니다: "+o.output, "--output에는 text, json 또는 sarif를 적어 주십시오.")
	case o.cluster.Name != "" && o.cluster.Context != "":
		return problem.Usage("--eks와 --context는 하나만 쓸 수 있습니다.", "살펴볼 클러스터 하나를 골라 주십시오.")
	case o.all && o.namespace != "":
		return problem.Usage("-A와 --namespace는 하나만 쓸 수 있습니다.", "한 네임스페이스만 보시려면 -A를 빼 주십시오.")
	case o.checklist && o.output == outputSARIF:
		return problem.Usage("--checklist는 --output sarif와 함께 쓸 수 없습니다.", "--output json을 쓰시면 checklist가 들어 있습니다.")
	}
	return nil
}

func (d deps) inspect(ctx context.Context, o inspectOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	s, info, err := d.look(ctx, o)
	if err != nil {
		return cannot(err)
	}
	r := inspect.Inspect(s)
	r.Cluster = info.Name
	if o.checklist {
		r.Checklist = inspect.Checklist(s, r, info.Version)
	}
	o.name(&r)
	switch o.output {
	case "json":
		err = d.writeJSON(r)
	case outputSARIF:
		err = d.writeJSON(r.SARIF(version()))
	default:
		err = d.showInspection(r, info)
	}
	if len(r.Findings) > 0 {
		err = errors.Join(err, errReported)
	}
	return err
}

// look reads the cluster once. The API server's clock counts, as it does for what it says.
func (d deps) look(ctx context.Context, o inspectOptions) (*inspect.Snapshot, clusters.Info, error) {
	cluster := o.cluster.Open()
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return nil, clusters.Info{}, problem.OfCluster(err)
	}
	busy := view.New(d.errOut)
	busy.Busy("클러스터를 읽습니다")
	defer busy.Erase()
	if cfg.QPS, cfg.Burst = 50, 100; o.wrap != nil { // others use it too
		o.wrap(cfg)
	}
	c := cmp.Or[clock.PassiveClock](o.cluster.Clock, clock.RealClock{})
	skew, err := clusters.Skew(ctx, cfg, c)
	if err != nil {
		return nil, cluster.Info(), problem.OfCluster(err)
	}
	clients, err := world.NewClients(cfg)
	if err != nil {
		return nil, cluster.Info(), err
	}
	namespace := cmp.Or(o.namespace, cluster.Namespace())
	if o.all {
		namespace = ""
	}
	s, err := inspect.Read(ctx, clients, namespace, c.Now().Add(-skew))
	if apierrors.IsForbidden(err) {
		err = &problem.Error{What: "HPA를 읽을 권한이 없습니다", Cause: err, Hint: "horizontalpodautoscalers의 list 권한이 필요합니다. 한 네임스페이스의 권한만 있으시면 -n으로 적어 주십시오."}
	}
	if err == nil && len(s.HPAs) == 0 {
		err = absent(ctx, clients, namespace)
	}
	return s, cluster.Info(), err
}

// absent tells of a namespace that is not there: without it, nothing would be found there.
func absent(ctx context.Context, c world.Clients, namespace string) error {
	if namespace == "" {
		return nil
	}
	if _, err := c.Kube.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return nil // who may not look is not told that it is missing
	}
	return problem.Usage("그런 네임스페이스가 없습니다: "+namespace, "kubectl get namespaces로 이름을 확인하시거나 -A로 모두 살펴보십시오.")
}

// cannot is an error that keeps from looking at all: exit code 2, where 1 means findings.
func cannot(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	var told *problem.Error
	if !errors.As(err, &told) {
		return &problem.Error{What: "클러스터를 살펴보지 못했습니다", Cause: err, Code: problem.ExitUsage, Hint: "stepscale doctor --context 이름으로 권한과 연결을 확인해 주십시오."}
	}
	again := *told
	again.Code = problem.ExitUsage
	return &again
}

// name makes the commands work where the context is not kubectl's current one.
func (o inspectOptions) name(r *inspect.Report) {
	if o.cluster.Context == "" {
		return
	}
	which := fmt.Sprintf("kubectl --context %s ", shellescape.Quote(o.cluster.Context))
	if o.seated { // whose kubeconfig is none of kubectl's own
		which = fmt.Sprintf("kubectl --kubeconfig %s --context %s ", shellescape.Quote(o.cluster.Kubeconfig), shellescape.Quote(o.cluster.Context))
	}
	for i := range r.Findings {
		r.Findings[i].Command = strings.Replace(r.Findings[i].Command, "kubectl ", which, 1)
	}
}
