package embedded

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"
	utilpod "k8s.io/kubernetes/pkg/util/pod"
	"k8s.io/kubernetes/pkg/util/taints"

	"github.com/stepscale/stepscale/engine/trace"
)

const actorPodGC = "pod-garbage-collector"

// SetNodes makes these the nodes of the cluster, all of them Ready, in the place of those
// that are there. It lasts until the next Release.
func (c *Cluster) SetNodes(ctx context.Context, nodes []*corev1.Node) error {
	if c.usage == nil {
		return ErrNotRunning
	}
	if _, err := c.watchNodes(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	c.stocked = true
	c.mu.Unlock()
	return c.replaceNodes(ctx, nodes)
}

// Join lets a kubelet register a node whose machine has booted, with an address and a
// port of its own. The node has the labels, the taints and the size that are given, and
// is not Ready until Report says so. It returns when the controllers of nodes know of it.
func (c *Cluster) Join(ctx context.Context, node *corev1.Node) error {
	if c.usage == nil {
		return ErrNotRunning
	}
	l, err := c.watchNodes(ctx)
	if err != nil {
		return err
	}
	// What the admission plugin TaintNodesByCondition does, which is off here: a cluster
	// whose nodes stay has no controller that takes the taint off again.
	if node, _, err = taints.AddOrUpdateTaint(node, &corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}); err != nil {
		return err
	}
	if err := c.register(ctx, betaLabelled(node), false); err != nil {
		return err
	}
	c.mu.Lock()
	c.stocked = true
	c.mu.Unlock()
	c.noteHealth(node.Name, false)
	return c.settled(ctx, l)
}

// betaLabelled is the node with the labels that the node lifecycle controller would give
// it a moment later, in whoever's step that is (nodelifecycle: labelReconcileInfo).
func betaLabelled(node *corev1.Node) *corev1.Node {
	made := node.DeepCopy()
	metav1.SetMetaDataLabel(&made.ObjectMeta, "beta.kubernetes.io/os", made.Labels[corev1.LabelOSStable])
	metav1.SetMetaDataLabel(&made.ObjectMeta, "beta.kubernetes.io/arch", made.Labels[corev1.LabelArchStable])
	return made
}

// Leave takes the machine of a node away, which may be gone from the API already. Its
// kubelet answers no more, the Node goes as the cloud controller manager deletes it
// (cloud-provider controllers/nodelifecycle: MonitorNodes), and the pods that are left on
// it go with it.
func (c *Cluster) Leave(ctx context.Context, name string) error {
	if c.usage == nil {
		return ErrNotRunning
	}
	l, err := c.watchNodes(ctx)
	if err != nil {
		return err
	}
	cloud, err := kubernetes.NewForConfig(c.recorded(trace.ActorCloud, rest.ImpersonationConfig{}))
	if err != nil {
		return err
	}
	c.kubelets.close(name)
	c.noteHealth(name, true)
	if err := cloud.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete node %s: %w", name, err)
	}
	if err := c.collectOrphans(ctx, name); err != nil {
		return fmt.Errorf("pods of node %s: %w", name, err)
	}
	return c.settled(ctx, l)
}

// collectOrphans deletes the pods of a node that is gone, as upstream's pod garbage
// collector does (controller/podgc: gcOrphaned): no kubelet would end them. The controller
// itself would link the kubelet with it, and waits 40 seconds of the machine's time.
func (c *Cluster) collectOrphans(ctx context.Context, node string) error {
	client, err := kubernetes.NewForConfig(c.recorded(actorPodGC, controllerUser("pod-garbage-collector")))
	if err != nil {
		return err
	}
	pods, err := c.usage.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("spec.nodeName", node).String()})
	if err != nil {
		return err
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		status := p.Status.DeepCopy()
		status.Phase = corev1.PodFailed
		podutil.UpdatePodCondition(status, &corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue,
			Reason: "DeletionByPodGC", Message: "PodGC: node no longer exists"})
		if _, _, _, err := utilpod.PatchPodStatus(ctx, client, p.Namespace, p.Name, p.UID, p.Status, *status); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err := client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, *metav1.NewDeleteOptions(0)); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// restoreNodes brings back the nodes that the cluster began with, where they are not those
// that it has.
func (c *Cluster) restoreNodes(ctx context.Context) error {
	c.mu.Lock()
	stocked := c.stocked
	c.mu.Unlock()
	if !stocked {
		return nil
	}
	nodes := make([]*corev1.Node, nodeCount)
	for i := range nodes {
		nodes[i] = defaultNode(i)
	}
	err := c.replaceNodes(ctx, nodes)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stocked = err != nil
	return err
}

// replaceNodes leaves a node alone that is to stay. The new ones come first: pods find a
// place on them.
func (c *Cluster) replaceNodes(ctx context.Context, nodes []*corev1.Node) error {
	list, err := c.usage.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	old := map[string]bool{}
	for _, n := range list.Items {
		old[n.Name] = true
	}
	for _, n := range nodes {
		if old[n.Name] {
			delete(old, n.Name)
		} else if err := c.register(ctx, betaLabelled(n), true); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if err := c.Leave(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
