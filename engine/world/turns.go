package world

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/stepscale/stepscale/engine/trace"
)

// The turns are for loops that are about nodes: the actors behind a Deployment move in them
// as everywhere, each in a step of its own, whoever gave it something to do. What waits of
// other workloads goes with it.

// TurnDeployment lets the Deployment controller follow a Deployment that was scaled.
func (w *World) TurnDeployment(ctx context.Context, f *trace.Frame, name string) error {
	f.Kubectl = fmt.Sprintf("kubectl get deployment,replicaset -n %s", w.Namespace)
	before, after, moved, err := w.turn(ctx, name, Rescale())
	if err != nil {
		return err
	}
	f.Add("deploymentReplicas", strconv.Itoa(int(after.Replicas())), "")
	if rs := after.Newest(); rs != nil {
		f.Add("replicaSetReplicas", strconv.Itoa(int(ReplicasOf(rs))), "")
	}
	for _, rs := range after.ReplicaSets {
		if from, known := before.Find(rs.UID); known && from != ReplicasOf(rs) {
			f.Changes = append(f.Changes, trace.Change{Object: "replicaset/" + rs.Name, Field: "spec.replicas", From: strconv.Itoa(int(from)), To: strconv.Itoa(int(ReplicasOf(rs)))})
		}
	}
	if !moved {
		f.Add("skipped", "디플로이먼트의 레플리카 수가 그대로이므로 할 일이 없습니다.", "")
		return nil
	}
	return w.AwaitWaiting(ctx, trace.ActorReplicaSet)
}

// TurnReplicaSet lets the ReplicaSet controller make or delete pods.
func (w *World) TurnReplicaSet(ctx context.Context, f *trace.Frame, name string) error {
	f.Kubectl = "kubectl get pods -n " + w.Namespace
	wanted := func(w Workload) int { return w.Wanted(0) }
	before, after, moved, err := w.turn(ctx, name, Create(func(w Workload) bool { return len(w.Active()) == wanted(w) }, wanted))
	if err != nil {
		return err
	}
	created, deleted := DiffPods(Fingerprints(before.Pods), after, f)
	f.Add("createdPods", strconv.Itoa(len(created)), SomeNames(created))
	if len(deleted) > 0 {
		f.Add("deletedPods", strconv.Itoa(len(deleted)), SomeNames(deleted))
	}
	f.Add("podsTotal", strconv.Itoa(len(after.Active())), "")
	if why := after.Failure(); why != "" {
		f.Add("replicaFailure", why, "")
	}
	switch {
	case !moved:
		f.Add("skipped", "파드의 수가 이미 맞으므로 할 일이 없습니다.", "")
		return nil
	case len(created) > 0:
		return w.AwaitWaiting(ctx, trace.ActorScheduler)
	}
	return w.AwaitWaiting(ctx, trace.ActorKubelet)
}

// TurnScheduler lets the scheduler bind what fits and mark the rest Unschedulable.
func (w *World) TurnScheduler(ctx context.Context, f *trace.Frame, name string) (Workload, error) {
	f.Kubectl = w.KubectlNodes()
	before, after, moved, err := w.turn(ctx, name, Bind())
	if err != nil {
		return after, err
	}
	bound := AddBound(Fingerprints(before.Pods), after, f)
	if !moved {
		f.Add("skipped", "노드를 정할 파드가 없습니다.", "")
	}
	return after, w.AwaitHeld(ctx, trace.ActorKubelet, http.MethodPatch, bound)
}

// TurnKubelet lets the kubelets start and end pods.
func (w *World) TurnKubelet(ctx context.Context, f *trace.Frame, name string) error {
	f.Kubectl = fmt.Sprintf("kubectl get deployment,pods -n %s", w.Namespace)
	before, after, moved, err := w.turn(ctx, name, Run(w.Started))
	if err != nil {
		return err
	}
	AddRun(Fingerprints(before.Pods), after, f)
	f.Add("readyPods", strconv.Itoa(after.Ready()), "")
	if !moved {
		f.Add("skipped", "시작하거나 끝낼 파드가 없습니다.", "")
	}
	return nil
}

// turn plays a part where there is something to play, and lets go what else waits of its
// actor's.
func (w *World) turn(ctx context.Context, name string, p Part) (before, after Workload, moved bool, err error) {
	read := func(ctx context.Context) (Workload, error) { return w.Workload(ctx, name) }
	if before, err = read(ctx); err != nil {
		return before, before, false, err
	}
	if after = before; !p.Done(before) {
		if after, err = w.Play(ctx, p, read); err != nil {
			return before, after, true, err
		}
		moved = true
	}
	waits, err := w.Waits(ctx, p.Actor)
	if err != nil || !waits {
		return before, after, moved, err
	}
	if err = w.Drain(ctx, p.Actor); err == nil {
		after, err = read(ctx)
	}
	return before, after, true, err
}
