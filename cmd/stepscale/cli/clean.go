package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/tui"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/scenarios"
)

func (a *app) clusterClean() *cobra.Command {
	var p place
	cmd := &cobra.Command{
		Use: "clean", Short: "다른 사람의 클러스터에 남은 stepscale의 오브젝트를 지웁니다", Args: cobra.NoArgs,
		Long: `EKS처럼 stepscale이 만들지 않은 클러스터에, 이 컴퓨터의 stepscale이 남긴 것을 지웁니다. 수업이 끝나면 스스로 지우므로, 컴퓨터가 꺼졌거나 네트워크가 끊겨 지우지 못했을 때 쓰시면 됩니다.
무장 해제된 HPA는 진짜 spec으로 되돌립니다. 다른 사람의 것은 건드리지 않습니다.`,
		Example: "  stepscale cluster clean --context my-context\n  stepscale cluster clean --eks my-cluster --region ap-northeast-2 --namespace shop",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.attach.Name != "" && p.attach.Context != "" || !p.attached() {
				return usageError("--eks와 --context 가운데 하나를 적어 주십시오.", "stepscale이 만든 클러스터는 stepscale cluster down으로 끕니다.")
			}
			left, err := a.clean(cmd.Context(), p)
			screen := tui.New(a.out)
			for _, l := range left {
				screen.Done("지움: " + l)
			}
			if err == nil && len(left) == 0 {
				screen.Note("남은 것이 없습니다.")
			}
			if apierrors.IsForbidden(err) {
				return &userError{what: "그 네임스페이스를 볼 권한이 없습니다", where: p.namespace, cause: err, hint: "네임스페이스의 이름을 확인해 주십시오."}
			}
			return err
		},
	}
	attachFlags(cmd.Flags(), &p.attach)
	cmd.Flags().StringVarP(&p.namespace, "namespace", "n", "", "이 `네임스페이스`에 남은 것도 지웁니다")
	return cmd
}

// clean removes what this installation made on a cluster: its namespaces, and its
// objects in a namespace that somebody else made. It returns what it removed.
func (a *app) clean(ctx context.Context, p place) ([]string, error) {
	id, err := owner()
	if err != nil {
		return nil, err
	}
	cluster := eks.New(p.attach)
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return nil, eksError(err)
	}
	mine := metav1.ListOptions{LabelSelector: clusters.LabelManaged + "=true," + clusters.LabelOwner + "=" + id}
	var removed []string
	if p.namespace != "" {
		err := inSeat(cluster.Info().Name, p.namespace, func() (err error) {
			removed, err = cleanObjects(ctx, cfg, p.namespace, mine)
			return err
		})
		if err != nil {
			return removed, err
		}
	}
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return removed, err
	}
	list, err := kube.CoreV1().Namespaces().List(ctx, mine)
	if apierrors.IsForbidden(err) { // then we have made none
		return removed, nil
	}
	if err != nil {
		return removed, err
	}
	var busy error
	for _, ns := range list.Items {
		err := inSeat(cluster.Info().Name, ns.Name, func() error { return kube.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{}) })
		switch {
		case errors.Is(err, errPlaying):
			busy = err
		case err != nil && !apierrors.IsNotFound(err):
			return removed, err
		default:
			removed = append(removed, "namespace/"+ns.Name)
		}
	}
	return removed, busy
}

var errPlaying = errors.New("다른 프로세스가 쓰고 있습니다")

// inSeat does something to a namespace where nobody plays.
func inSeat(cluster, namespace string, do func() error) error {
	seat, free, err := takeSeat(cluster, namespace)
	if err != nil {
		return err
	}
	if !free {
		return &userError{what: "네임스페이스 " + namespace + "에서 수업을 하고 있는 stepscale이 있어 남겨 두었습니다", cause: errPlaying,
			hint: "그 수업이 끝나면 스스로 지웁니다."}
	}
	return errors.Join(do(), seat.Close())
}

// cleanObjects arms the HPAs again and removes what is ours, the autoscalers first.
func cleanObjects(ctx context.Context, cfg *rest.Config, namespace string, mine metav1.ListOptions) ([]string, error) {
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	if err := rearm(ctx, kube, namespace, mine); err != nil {
		return nil, err
	}
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	vpas := dyn.Resource(vpav1.SchemeGroupVersion.WithResource("verticalpodautoscalers")).Namespace(namespace)
	removed, err := cleanCheckpoints(ctx, dyn, vpas, namespace, mine)
	if err != nil {
		return removed, err
	}
	for _, k := range scenarios.Kinds() { // and the load generator's are among them
		client := dyn.Resource(k.Resource).Namespace(namespace)
		list, err := client.List(ctx, mine)
		if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) { // no VPA here, or none for us
			continue
		}
		if err != nil {
			return removed, err
		}
		for _, o := range list.Items {
			err := client.Delete(ctx, o.GetName(), metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)})
			if err != nil && !apierrors.IsNotFound(err) {
				return removed, err
			}
			removed = append(removed, fmt.Sprintf("%s/%s (%s)", strings.ToLower(k.Kind), o.GetName(), namespace))
		}
	}
	return removed, nil
}

// cleanCheckpoints removes those of our VPAs: the recommender that makes them sets
// no labels of ours.
func cleanCheckpoints(ctx context.Context, dyn dynamic.Interface, vpas dynamic.ResourceInterface, namespace string, mine metav1.ListOptions) ([]string, error) {
	ours, err := vpas.List(ctx, mine)
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || err == nil && len(ours.Items) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	checkpoints := dyn.Resource(vpav1.SchemeGroupVersion.WithResource("verticalpodautoscalercheckpoints")).Namespace(namespace)
	list, err := checkpoints.List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var removed []string
	for _, c := range list.Items {
		of, _, _ := unstructured.NestedString(c.Object, "spec", "vpaObjectName")
		if !slices.ContainsFunc(ours.Items, func(v unstructured.Unstructured) bool { return v.GetName() == of }) {
			continue
		}
		if err := checkpoints.Delete(ctx, c.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return removed, err
		}
		removed = append(removed, fmt.Sprintf("vpacheckpoint/%s (%s)", c.GetName(), namespace))
	}
	return removed, nil
}

// rearm gives disarmed HPAs their true spec back, so that nothing is left disarmed
// where a deletion is refused.
func rearm(ctx context.Context, kube kubernetes.Interface, namespace string, mine metav1.ListOptions) error {
	hpas := kube.AutoscalingV2().HorizontalPodAutoscalers(namespace)
	list, err := hpas.List(ctx, mine)
	if err != nil {
		return err
	}
	var errs []error
	for i := range list.Items {
		armed, err := hpa.Rearm(&list.Items[i])
		if err == nil {
			_, err = hpas.Update(ctx, armed, metav1.UpdateOptions{FieldManager: fieldManager})
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
