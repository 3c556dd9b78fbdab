package karpenter

import (
	"cmp"
	"context"
	"errors"
	"strconv"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// bind is the scheduler's part again: Karpenter binds no pod.
func bind(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlNodes()
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
	waiting, without := 0, len(s.pass.plan.PodErrors)
	for _, p := range w.Active() {
		if p.Spec.NodeName == "" {
			waiting++
		}
		if !s.pass.plan.knows(p.UID) && p.Spec.NodeName == "" { // it has come since
			without++
		}
	}
	return waiting <= without
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
