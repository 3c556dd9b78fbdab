package clusterautoscaler

import (
	"context"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"k8s.io/kubernetes/pkg/util/taints"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// cool tells what is left of the delays, and marks the unneeded nodes, so that the scheduler
// likes the others better (at most MaxBulkSoftTaints changes in a loop).
func cool(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes -o custom-columns='NAME:.metadata.name,TAINTS:.spec.taints[*].key'"
	d := s.pass.down
	d.Cool()
	d.Cooldown.ThisLoop = s.pass.up != nil && s.pass.up.Verdict == AllPodsAreNew // shouldScaleUp: DisableScaleDownForLoop
	f.Add("inCooldown", strconv.FormatBool(d.Cooldown.On()), "")
	f.Add("cooldownLeft", d.Cooldown.Left().String(), "")
	changed := 0
	for _, n := range d.cluster.Nodes {
		_, unneeded := d.Since[n.Name]
		if d.cluster.GroupOf(n.Name) == nil || hasTaint(n, DeletionCandidateTaint) == unneeded || changed >= s.Options.MaxBulkSoftTaints {
			continue
		}
		soft := corev1.Taint{Key: DeletionCandidateTaint, Value: strconv.FormatInt(d.cluster.Now.Unix(), 10), Effect: corev1.TaintEffectPreferNoSchedule}
		if err := s.setTaint(ctx, f, n.Name, soft, unneeded); err != nil {
			return err
		}
		changed++
	}
	f.Add("softTainted", strconv.Itoa(len(d.Since)), "")
	return nil
}

// setTaint puts a taint on a node or takes it off, and tries again where somebody was faster.
func (s *State) setTaint(ctx context.Context, f *trace.Frame, node string, t corev1.Taint, there bool) error {
	nodes := s.Controller.Kube.CoreV1().Nodes()
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		n, err := nodes.Get(ctx, node, metav1.GetOptions{})
		if err != nil {
			return err
		}
		change := taints.RemoveTaint
		if there {
			change = taints.AddOrUpdateTaint
		}
		n, _, err = change(n, &t)
		if err != nil {
			return err
		}
		if t.Key == ToBeDeletedTaint && s.Options.CordonBeforeTerminate {
			n.Spec.Unschedulable = there
		}
		_, err = nodes.Update(ctx, n, metav1.UpdateOptions{})
		return err
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	c := trace.Change{Object: "node/" + node, Field: "spec.taints", To: t.Key + ":" + string(t.Effect)}
	if !there {
		c.From, c.To = c.To, ""
	}
	f.Changes = append(f.Changes, c)
	return nil
}

// taint keeps new pods from the nodes that go.
func taint(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes"
	going := s.going(f)
	for _, r := range going {
		t := corev1.Taint{Key: ToBeDeletedTaint, Value: strconv.FormatInt(s.pass.down.cluster.Now.Unix(), 10), Effect: corev1.TaintEffectNoSchedule}
		if err := s.setTaint(ctx, f, r.Node.Name, t, true); err != nil {
			return err
		}
		if err := s.awaitCordon(ctx, r.Node.Name, s.Options.CordonBeforeTerminate); err != nil {
			return err
		}
		if err := s.addTaints(ctx, f, r.Node.Name); err != nil {
			return err
		}
	}
	f.Add("taintedNodes", strconv.Itoa(len(going)), "")
	return nil
}

// awaitCordon gives the node lifecycle controller the time to write the taint of a node that
// takes no pods, or to take it off.
func (s *State) awaitCordon(ctx context.Context, node string, cordoned bool) error {
	return s.Settle(ctx, func(ctx context.Context) (bool, error) {
		n, err := s.node(ctx, node)
		return n == nil || hasTaint(n, corev1.TaintNodeUnschedulable) == cordoned, err
	})
}

// evict evicts the pods of the nodes that are drained, after the scheduler has had time to
// see the taint. The API server may refuse, where a budget has been spent meanwhile: then the
// node stays in this pass.
func evict(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlNodes()
	if len(s.going(f)) == 0 {
		return nil
	}
	if _, err := s.Elapse(ctx, s.Options.DelayAfterTaint); err != nil {
		return err
	}
	f.Add("taintDelay", s.Options.DelayAfterTaint.String(), "")
	evicted := 0
	for _, r := range s.pass.down.Drain {
		for _, p := range r.Pods {
			err := s.Controller.Kube.CoreV1().Pods(p.Namespace).EvictV1(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace}})
			switch {
			case world.IsFault(err):
				return err
			case apierrors.IsNotFound(err): // or the step is run again
				continue
			case err != nil:
				f.Add("evictionRefused/"+p.Name, string(apierrors.ReasonForError(err)), err.Error())
				continue
			}
			evicted++
			s.Did(Actor, "pod/"+p.Name)
			f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "metadata.deletionTimestamp", To: "축출(Eviction)"})
		}
	}
	s.Evicted += evicted
	f.Add("evictedPods", strconv.Itoa(evicted), "")
	if evicted == 0 {
		return nil
	}
	return s.AwaitWaiting(ctx, trace.ActorKubelet)
}

// remove gives the machines back. A node on which a pod is left keeps its machine, and loses
// its taint (actuation/group_deletion_scheduler.go AbortNodeDeletion).
func remove(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes"
	going := s.going(f)
	left, err := s.left(ctx, going)
	if err != nil {
		return err
	}
	n := 0
	for _, r := range going {
		name := r.Node.Name
		if left[name] > 0 {
			s.autoscaler.DeleteFailed(s.Clock.Now())
			if err := s.say(ctx, r.Node, corev1.EventTypeWarning, "ScaleDownFailed", "failed to delete a node: pods are left on it"); err != nil {
				return err
			}
			if err := s.setTaint(ctx, f, name, corev1.Taint{Key: ToBeDeletedTaint, Effect: corev1.TaintEffectNoSchedule}, false); err != nil {
				return err
			}
			if err := s.awaitCordon(ctx, name, false); err != nil {
				return err
			}
			continue
		}
		if err := s.say(ctx, r.Node, corev1.EventTypeNormal, "ScaleDown", "node removed by cluster autoscaler"); err != nil {
			return err
		}
		if err := s.Machines.Leave(ctx, name); err != nil {
			return err
		}
		s.release(name)
		f.Changes = append(f.Changes, trace.Change{Object: "node/" + name, Field: "metadata.name", From: name})
		n++
	}
	f.Add("deletedNodes", strconv.Itoa(n), world.SomeNames(removalNames(going)))
	for _, g := range s.Groups {
		f.Add("groupTarget/"+g.Name, strconv.Itoa(g.Target), "")
	}
	return nil
}

// left counts the pods that keep nodes from going, by node.
func (s *State) left(ctx context.Context, going []*Removal) (map[string]int, error) {
	c, err := s.cluster(ctx)
	if err != nil {
		return nil, err
	}
	left := map[string]int{}
	for _, r := range going {
		for _, p := range c.Pods {
			if p.Spec.NodeName == r.Node.Name && !ofDaemonSet(p) && !isMirror(p) && !terminatesLong(p, c.Now) {
				left[r.Node.Name]++
			}
		}
	}
	return left, nil
}
