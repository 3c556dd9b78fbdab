package observed

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/stepscale/stepscale/engine/clusterautoscaler"
)

// world are the objects that a calculation needs.
type world struct {
	nodes   []*corev1.Node
	pods    []*corev1.Pod
	budgets []*policyv1.PodDisruptionBudget

	complete bool // nothing was denied
}

// readWorld reads nodes, pods and budgets.
func (x *reading) readWorld(ctx context.Context) error {
	core := x.Kube.CoreV1()
	x.world.complete = true
	for _, of := range []struct {
		resource string
		list     func(context.Context, metav1.ListOptions) (runtime.Object, error)
		keep     func(runtime.Object)
	}{
		{"nodes", func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return core.Nodes().List(ctx, o)
		},
			func(o runtime.Object) { x.world.nodes = append(x.world.nodes, o.(*corev1.Node)) }},
		{"pods", func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return core.Pods(metav1.NamespaceAll).List(ctx, o)
		}, func(o runtime.Object) {
			if p := o.(*corev1.Pod); !podutil.IsPodTerminal(p) { // it takes no room
				x.world.pods = append(x.world.pods, p)
			}
		}},
		{"poddisruptionbudgets.policy", func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return x.Kube.PolicyV1().PodDisruptionBudgets(metav1.NamespaceAll).List(ctx, o)
		}, func(o runtime.Object) { x.world.budgets = append(x.world.budgets, o.(*policyv1.PodDisruptionBudget)) }},
	} {
		err := pager.New(of.list).EachListItem(ctx, metav1.ListOptions{}, func(o runtime.Object) error {
			of.keep(o)
			return nil
		})
		ok, err := x.may(of.resource, err)
		if err != nil {
			return err
		}
		x.world.complete = x.world.complete && ok
	}
	return nil
}

// tellNodes tells what the two have written on nodes.
func (x *reading) tellNodes(context.Context) error {
	for _, n := range x.world.nodes {
		about := "node/" + n.Name
		for _, t := range n.Spec.Taints {
			switch t.Key {
			case clusterautoscaler.ToBeDeletedTaint:
				x.ClusterAutoscaler.say(Seen, about, t.Key, "지우기로 해서 새 파드를 받지 않습니다", since(t.Value))
			case clusterautoscaler.DeletionCandidateTaint:
				x.ClusterAutoscaler.say(Seen, about, t.Key, "없어도 되는 노드로 세고 있습니다", since(t.Value))
			case karpv1.DisruptedTaintKey:
				x.Karpenter.say(Seen, about, t.Key, "없애기로 해서 새 파드를 받지 않습니다", time.Time{})
			case karpv1.UnregisteredTaintKey:
				x.Karpenter.say(Seen, about, t.Key, "카펜터가 아직 알아보지 못한 노드입니다", time.Time{})
			}
		}
		if n.Annotations[clusterautoscaler.ScaleDownDisabledAnnotation] == "true" {
			x.ClusterAutoscaler.say(Seen, about, clusterautoscaler.ScaleDownDisabledAnnotation, "주석이 있어 지우지 않습니다", time.Time{})
		}
		if v := n.Annotations[karpv1.DoNotDisruptAnnotationKey]; v != "" {
			x.Karpenter.say(Seen, about, karpv1.DoNotDisruptAnnotationKey, fmt.Sprintf("주석(%s)이 있어 없애지 않습니다", v), time.Time{})
		}
	}
	return nil
}

// since is when a taint of Cluster Autoscaler's was put on: its value, in seconds
// (utils/taints/taints.go).
func since(value string) time.Time {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
