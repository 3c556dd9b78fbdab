package karpenter

import (
	"context"
	"fmt"
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
	if _, left := w.Bound(); err == nil && left > 0 {
		f.Add("unschedulablePods", strconv.Itoa(left), "")
	}
	return err
}

// boundAsPlanned tells that every pod has a node but those for which the plan has none.
// The mark on a pod is no answer here: it is from before the node came.
func (s *State) boundAsPlanned(w world.Workload) bool {
	for _, p := range w.Active() {
		if p.Spec.NodeName == "" && (s.pass.plan == nil || s.pass.plan.placed(p.UID)) {
			_, marked := world.Unschedulable(p)
			return s.pass.plan == nil && marked
		}
	}
	return true
}

// run is the kubelets' part.
func run(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get deployment,pods -n %s", s.Namespace)
	f.Add("action", s.action(), "")
	before, err := s.workload(ctx)
	if err != nil {
		return err
	}
	waits, err := s.Waits(ctx, trace.ActorKubelet)
	if err != nil {
		return err
	}
	if !waits && s.Started(before) {
		f.Add("readyPods", strconv.Itoa(before.Ready()), "")
		f.Add("skipped", "시작하거나 끝낼 파드가 없습니다.", "")
		return nil
	}
	known := world.Fingerprints(before.Pods)
	w, err := s.Play(ctx, world.Run(s.Started), s.workload)
	if err != nil {
		return err
	}
	world.AddRun(known, w, f)
	f.Add("readyPods", strconv.Itoa(w.Ready()), "")
	return s.AwaitRun(ctx, known, w)
}

// action is what Karpenter did in the pass.
func (s *State) action() string {
	if len(s.pass.created) > 0 {
		return "addNode"
	}
	return "keep"
}
