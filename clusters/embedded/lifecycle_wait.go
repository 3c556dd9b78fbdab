package embedded

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/kubernetes/pkg/util/node"
	"k8s.io/kubernetes/pkg/util/taints"
)

// settled waits until the controllers have taken note of which nodes are not Ready: of
// the taints, and of the pods whose time runs: the others are gone, or about to.
func (c *Cluster) settled(ctx context.Context, l *lifecycle) error {
	err := wait.PollUntilContextTimeout(ctx, pollEvery, startTimeout, true, func(ctx context.Context) (bool, error) {
		nodes, err := c.usage.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		sick := slices.DeleteFunc(slices.Clone(nodes.Items), isReadyNode)
		limited := 0
		for _, n := range nodes.Items {
			execute := !isReadyNode(n) && len(sick) < len(nodes.Items) // where all are, upstream evicts nobody
			if tainted(n, corev1.TaintEffectNoSchedule) == isReadyNode(n) || tainted(n, corev1.TaintEffectNoExecute) != execute {
				return false, nil
			}
			if !execute {
				continue
			}
			of, err := c.limitedPods(ctx, n.Name)
			if err != nil {
				return false, err
			}
			limited += of
		}
		return l.timers.Waiters() == limited, nil
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = fmt.Errorf("the node lifecycle controller took no note of a node within %s", startTimeout)
	}
	return err
}

func isReadyNode(n corev1.Node) bool { return node.IsNodeReady(&n) }

func tainted(n corev1.Node, effect corev1.TaintEffect) bool {
	return taints.TaintExists(n.Spec.Taints, &corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: effect})
}

// limitedPods counts those on a node that tolerate for a while that it is not Ready: five
// minutes, which the API server writes into every pod (DefaultTolerationSeconds).
func (c *Cluster) limitedPods(ctx context.Context, on string) (n int, err error) {
	pods, err := c.usage.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("spec.nodeName", on).String()})
	if err != nil {
		return 0, err
	}
	for _, p := range pods.Items {
		if p.DeletionTimestamp != nil { // its time is over, or another has deleted it
			continue
		}
		if slices.ContainsFunc(p.Spec.Tolerations, func(t corev1.Toleration) bool {
			return t.Key == corev1.TaintNodeNotReady && t.TolerationSeconds != nil && *t.TolerationSeconds > 0
		}) {
			n++
		}
	}
	return n, nil
}

// watchNodes starts the controllers of nodes where they do not run.
func (c *Cluster) watchNodes(ctx context.Context) (*lifecycle, error) {
	if l := c.lifecycle.Load(); l != nil {
		return l, nil
	}
	l, err := c.startLifecycle(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.settled(ctx, l); err != nil {
		l.end()
		return nil, err
	}
	c.lifecycle.Store(l)
	return l, nil
}

// leaveNodes ends the controllers of nodes.
func (c *Cluster) leaveNodes() {
	if l := c.lifecycle.Swap(nil); l != nil {
		l.end()
	}
}

// passed is called whenever virtual time has moved. It lets the evictions happen that are
// due, and returns when no pod is left whose time is over.
func (c *Cluster) passed(ctx context.Context, now time.Time) error {
	l := c.lifecycle.Load()
	if l == nil {
		return nil
	}
	before := l.timers.Waiters()
	if l.timers.SetTime(now); l.timers.Waiters() == before {
		return nil
	}
	return c.settled(ctx, l)
}
