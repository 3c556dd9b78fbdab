package hpa

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// runPods is the kubelets' part. With it the loop closes: the load spreads over
// the pods that are Ready now, and the next pass reads less of it per pod.
func runPods(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get deployment,pods -n " + s.Namespace
	w, ok, err := s.act(ctx, f, runStep)
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
	started := addRunChanges(s, w, f)
	if err := s.Settle(ctx, func(ctx context.Context) (bool, error) {
		w, err := s.workload(ctx)
		return err != nil || w.Reported(), ignoreGone(err)
	}); err != nil {
		return err
	}
	return s.AwaitCalls(ctx, started, world.ByActor(world.ActorKubelet, "/pods/"))
}

// addRunChanges adds what the kubelets did and returns how many pods they started.
func addRunChanges(s *State, w world.Workload, f *trace.Frame) int {
	started := 0
	for _, p := range w.Active() {
		if world.IsReady(p) && !s.pass.known[p.UID].Ready {
			f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "status.conditions[Ready]", From: "False", To: "True"})
			started++
		}
	}
	gone := map[string]bool{}
	for _, was := range s.pass.known {
		gone[was.Name] = true
	}
	for _, p := range w.Pods {
		delete(gone, p.Name)
	}
	names := make([]string, 0, len(gone))
	for name := range gone {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f.Changes = append(f.Changes, trace.Change{Object: "pod/" + name, Field: "metadata.name", From: name})
	}
	return started
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
