package karpenter

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/karpenter/pkg/operator/options"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

func (s *State) workload(ctx context.Context) (world.Workload, error) {
	return s.Workload(ctx, s.Target)
}

// scale begins a pass: time goes by, in which somebody may have scaled the Deployment, and
// the Deployment controller follows.
func scale(ctx context.Context, s *State, f *trace.Frame) error {
	s.pass = pass{}
	length := cmp.Or(s.Begin, PassLength)
	if _, err := s.Tick(ctx, length); err != nil {
		return err
	}
	f.Add("interval", length.String(), "")
	return s.TurnDeployment(ctx, f, s.Target)
}

// create is the ReplicaSet controller's part: the pods exist, and have no node.
func create(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get pods -n " + s.Namespace
	w, err := s.workload(ctx)
	if err != nil {
		return err
	}
	if len(w.Active()) == w.Wanted(0) {
		f.Add("podsTotal", strconv.Itoa(len(w.Active())), "")
		f.Add("skipped", "파드의 수가 이미 맞으므로 할 일이 없습니다.", "")
		return nil
	}
	return s.TurnReplicaSet(ctx, f, s.Target)
}

// mark is the scheduler's part: it binds what fits, and marks the rest Unschedulable. To
// Karpenter that mark is the only sign that somebody needs a node.
func mark(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlNodes()
	w, err := s.place(ctx, f, world.Bind())
	if err != nil {
		return err
	}
	_, marked := w.Bound()
	f.Add("markedPods", strconv.Itoa(marked), "")
	for _, p := range w.Active() {
		if why, is := world.Unschedulable(p); is && p.Spec.NodeName == "" {
			f.Add("unschedulableReason", why, p.Name)
			break
		}
	}
	return nil
}

// place lets the scheduler play its part, and tells which pods it has bound.
func (s *State) place(ctx context.Context, f *trace.Frame, part world.Part) (w world.Workload, err error) {
	before, err := s.workload(ctx)
	if err != nil {
		return w, err
	}
	bindings := 0
	waits, err := s.Waits(ctx, trace.ActorScheduler)
	if err != nil {
		return w, err
	}
	if w = before; waits || !part.Done(before) {
		if w, err = s.Play(ctx, part, s.workload); err != nil {
			return w, err
		}
	}
	known := world.Fingerprints(before.Pods)
	for _, p := range w.Active() {
		if p.Spec.NodeName != "" && known[p.UID].Node == "" {
			f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "spec.nodeName", To: p.Spec.NodeName})
			bindings++
		}
	}
	f.Add("boundPods", strconv.Itoa(bindings), "")
	return w, s.AwaitHeld(ctx, trace.ActorKubelet, http.MethodPatch, bindings)
}

// batch lets Karpenter wait for more pods: until none has come for a second, ten at most.
func batch(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get pods -n " + s.Namespace + " --field-selector=status.phase=Pending"
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return err
	}
	if err := s.examinePools(ctx); err != nil { // somebody may have changed one
		return err
	}
	if err := s.readPending(ctx); err != nil {
		return err
	}
	f.Add("pendingPods", strconv.Itoa(len(s.pass.pending)), "")
	if len(s.pass.pending) == 0 {
		f.Add("skipped", noPending, "")
		return s.announce(ctx, f)
	}
	o := options.FromContext(ctx)
	if _, err := s.Elapse(ctx, o.BatchIdleDuration); err != nil {
		return err
	}
	f.Add("batchIdle", o.BatchIdleDuration.String(), "")
	f.Add("batchMax", o.BatchMaxDuration.String(), "")
	return s.announce(ctx, f)
}

const noPending = "배정하지 못했다고 표시된 파드가 없으므로 카펜터가 할 일이 없습니다."

// readPending finds the pods that Karpenter is to find a place for: those that are marked,
// and those of nodes that it is about to take away (Provisioner.Schedule).
func (s *State) readPending(ctx context.Context) error {
	if err := s.parts.look(ctx); err != nil {
		return err
	}
	var err error
	s.pass.pending, err = s.parts.pending(ctx, stepClock{s.Clock})
	return err
}

func (p *parts) pending(ctx context.Context, clk stepClock) (all []*corev1.Pod, err error) {
	pending, err := p.provision.GetPendingPods(ctx)
	if err != nil {
		return nil, err
	}
	moving, err := p.cluster.DeepCopyNodes().Deleting().CurrentlyReschedulablePods(ctx, p.kube, clk, p.said)
	if err != nil {
		return nil, err
	}
	seen := map[types.UID]bool{}
	for _, pod := range append(pending, moving...) {
		if !seen[pod.UID] {
			seen[pod.UID] = true
			all = append(all, pod)
		}
	}
	return all, nil
}
