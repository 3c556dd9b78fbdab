package attached

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	resourcehelper "k8s.io/component-helpers/resource"
)

// unfinished selects the pods that hold on to what they have requested.
const unfinished = "status.phase!=Succeeded,status.phase!=Failed"

// capacity adds up what the nodes can give that take a lesson's pods, and what of it
// is free. A pod that waits for a node takes nothing yet.
func (r *Report) capacity(ctx context.Context, kube kubernetes.Interface, needs Needs) error {
	nodes, err := kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		r.NodesDenied = true
		return nil
	}
	if err != nil {
		return err
	}
	free := map[string]corev1.ResourceList{}
	for _, n := range nodes.Items {
		if takesPods(n) {
			r.Nodes++
			r.CPU.Add(*n.Status.Allocatable.Cpu())
			r.Memory.Add(*n.Status.Allocatable.Memory())
			free[n.Name] = n.Status.Allocatable.DeepCopy()
		}
	}
	pods, err := kube.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: unfinished})
	if apierrors.IsForbidden(err) {
		r.PodsDenied = true
		return nil
	}
	if err != nil {
		return err
	}
	for i := range pods.Items {
		take(free[pods.Items[i].Spec.NodeName], &pods.Items[i])
	}
	for _, left := range free {
		r.FreeCPU.Add(*left.Cpu())
		r.FreeMemory.Add(*left.Memory())
		r.Room += room(left, needs.PodCPU)
	}
	return nil
}

// Room is how many more pods with that request find room on the nodes; false where the
// caller may not look.
func (c *Cluster) Room(ctx context.Context, cpu resource.Quantity) (int, bool, error) {
	kube, err := c.reviewer()
	if err != nil {
		return 0, false, err
	}
	var r Report
	err = r.capacity(ctx, kube, Needs{PodCPU: cpu})
	return r.Room, !r.NodesDenied && !r.PodsDenied, c.explain(err)
}

// takesPods tells of a node whether the scheduler puts pods there that tolerate nothing.
func takesPods(n corev1.Node) bool {
	ready := slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
	tainted := slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Effect != corev1.TaintEffectPreferNoSchedule })
	return ready && !tainted && !n.Spec.Unschedulable
}

// take subtracts a pod from what is free on its node, as the scheduler counts.
func take(free corev1.ResourceList, p *corev1.Pod) {
	if free == nil {
		return // on no node, or on one that does not count
	}
	requests := resourcehelper.PodRequests(p, resourcehelper.PodResourcesOptions{UseStatusResources: true})
	requests[corev1.ResourcePods] = *resource.NewQuantity(1, resource.DecimalSI)
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourcePods} {
		left := free[name]
		left.Sub(requests[name])
		free[name] = left
	}
}

// room is how many more pods with that request a node takes.
func room(free corev1.ResourceList, cpu resource.Quantity) int {
	n := free.Pods().Value()
	if !cpu.IsZero() {
		n = min(n, free.Cpu().MilliValue()/cpu.MilliValue())
	}
	return int(max(n, 0))
}
