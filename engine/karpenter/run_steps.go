package karpenter

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/types"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// bind is the scheduler's part again: Karpenter binds no pod.
func bind(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlNodes()
	if s.Shared && s.pass.plan != nil && len(s.pass.opened) == 0 { // the scheduler has tried already
		f.Add("boundPods", "0", "")
		f.Add("skipped", "새로 Ready가 된 노드가 없으므로 스케줄러가 할 일이 없습니다.", "")
		return nil
	}
	part := world.Bind()
	part.Done = s.boundAsPlanned
	w, err := s.place(ctx, f, part)
	if errors.Is(err, world.ErrStuck) { // somebody has taken the place since
		w, err = s.workload(ctx)
	}
	if _, left := w.Bound(); err == nil && left > 0 {
		f.Add("unschedulablePods", strconv.Itoa(left), "")
	}
	return err
}

// boundAsPlanned tells that as many pods have a node as the plan has places for: which of
// equal pods get them is the scheduler's choice. The mark on a pod is no answer here, it
// is from before the node came.
func (s *State) boundAsPlanned(w world.Workload) bool {
	if s.pass.plan == nil {
		return w.Placed()
	}
	waiting, without := 0, 0
	closed := s.onClosed()
	for _, p := range w.Active() {
		if p.Spec.NodeName == "" {
			waiting++
		}
		if s.pass.plan.failed(p) != nil || closed[p.UID] || !s.pass.plan.knows(p.UID) && p.Spec.NodeName == "" { // or it has come since
			without++
		}
	}
	return waiting <= without
}

// onClosed are the pods that are planned for a node which is still to come, where nobody
// waits for it.
func (s *State) onClosed() map[types.UID]bool {
	closed := map[types.UID]bool{}
	if !s.Shared {
		return closed
	}
	for _, n := range s.pass.plan.ExistingNodes {
		opened := slices.ContainsFunc(s.pass.opened, func(in *instance) bool { return n.Name() == in.name || n.Name() == in.claim.Name })
		for _, p := range n.Pods {
			closed[p.UID] = !opened && !n.Initialized()
		}
	}
	for _, n := range s.pass.plan.NewNodeClaims {
		for _, p := range n.Pods {
			closed[p.UID] = true
		}
	}
	return closed
}

// run is the kubelets' part, and the end of a pass.
func run(ctx context.Context, s *State, f *trace.Frame) error {
	f.Add("action", cmp.Or(s.pass.acted, "keep"), "")
	return runPods(ctx, s, f)
}

// runPods lets the kubelets start the pods that have got a node, and end those that are
// being deleted.
func runPods(ctx context.Context, s *State, f *trace.Frame) error {
	return s.TurnKubelet(ctx, f, s.Target)
}
