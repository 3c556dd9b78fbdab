package hpa

import (
	"context"
	"fmt"
	"strconv"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// runPods is the kubelets' part. With it the loop closes: the load spreads over
// the pods that are Ready now, and the next pass reads less of it per pod.
func runPods(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get deployment,pods -n " + s.Namespace
	w, ok, err := s.act(ctx, f, world.Run(world.Workload.Settled))
	if err != nil {
		return err
	}
	if !ok {
		if w, err = s.replicaSets(ctx); err != nil {
			return err
		}
	}
	f.Add("readyPods", strconv.Itoa(w.Ready()), "")
	s.addLoadPerPod(f, w.Ready())
	if !ok {
		return nil
	}
	world.AddRun(s.pass.known, w, f)
	if err := s.Settle(ctx, func(ctx context.Context) (bool, error) {
		w, err := s.workload(ctx)
		return err != nil || w.Reported(), ignoreGone(err)
	}); err != nil {
		return err
	}
	return s.AwaitRun(ctx, s.pass.known, w)
}

// addLoadPerPod spreads what the pods used when the controller looked over the
// pods that are ready now.
func (s *State) addLoadPerPod(f *trace.Frame, ready int) {
	u := s.pass.usage
	if !u.ok || ready == 0 {
		return
	}
	f.Add("loadPerPod", quantityOf(u.resource, u.milli/int64(ready)),
		fmt.Sprintf("%s / %d", quantityOf(u.resource, u.milli), ready))
}
