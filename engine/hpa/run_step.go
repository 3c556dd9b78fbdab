package hpa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// reportedWithin bounds, in machine time, how long the controllers may take to report what
// the HPA reads in its next pass.
const reportedWithin = 10 * time.Second

// runPods is the kubelets' part. With it the loop closes: the load spreads over
// the pods that are Ready now, and the next pass reads less of it per pod.
func runPods(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get deployment,pods -n " + s.Namespace
	w, ok, err := s.runOrdered(ctx, f)
	if err != nil {
		return err
	}
	if !ok {
		if w, err = s.replicaSets(ctx); err != nil {
			return err
		}
	}
	f.Add("readyPods", strconv.Itoa(w.Ready()), "")
	s.addUsagePerReadyPod(f, w.Ready())
	if !ok {
		return nil
	}
	world.AddRun(s.pass.known, w, f)
	return s.SettleFor(ctx, reportedWithin, func(ctx context.Context) (bool, error) {
		w, err := s.workload(ctx)
		return err != nil || w.Reported(), ignoreGone(err)
	})
}

// addUsagePerReadyPod spreads what the pods used when the controller looked over the
// pods that are ready now. It is not their load: that has gone on meanwhile.
func (s *State) addUsagePerReadyPod(f *trace.Frame, ready int) {
	u := s.pass.usage
	if !u.ok || ready == 0 {
		return
	}
	f.Add("usagePerReadyPod", quantityOf(u.resource, u.milli/int64(ready)),
		fmt.Sprintf("%s / %d", quantityOf(u.resource, u.milli), ready))
}

// runOrdered lets the kubelets do their part. A StatefulSet makes or deletes its next pod
// when the one before is ready or gone, so there its controller and the scheduler move
// with them.
func (s *State) runOrdered(ctx context.Context, f *trace.Frame) (world.Workload, bool, error) {
	if !s.stateful() || !s.pass.moved {
		return s.act(ctx, f, world.Run(s.Started))
	}
	shut, err := s.OpenAll(ctx)
	if err != nil {
		return world.Workload{}, false, err
	}
	part := world.Run(func(w world.Workload) bool { // or waits for a probe, or may make no more
		asked := slices.ContainsFunc(w.Active(), world.Asked)
		return s.Started(w) && (len(w.Active()) == int(s.pass.desired) || asked || w.Failure() != "")
	})
	w, ok, err := s.act(ctx, f, part)
	if err = errors.Join(err, shut()); err != nil || !ok {
		return w, ok, err
	}
	world.DiffPods(s.pass.known, w, f)
	return w, ok, nil
}
