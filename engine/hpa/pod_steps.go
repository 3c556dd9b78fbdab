package hpa

import (
	"context"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// createPart ends with as many pods as the ReplicaSets ask for.
func (s *State) createPart() world.Part {
	wanted := func(w world.Workload) int { return w.Wanted(s.pass.desired) }
	if !s.stateful() {
		return world.Create(func(w world.Workload) bool { return len(w.Active()) == wanted(w) }, wanted)
	}
	part := world.Create(func(w world.Workload) bool { // the first of them: the next waits for it
		waits := func(p *corev1.Pod) bool { return !world.IsReady(p) }
		return len(w.Active()) == wanted(w) || w.Terminating() > 0 || slices.ContainsFunc(w.Active(), waits)
	}, wanted)
	part.Actor = trace.ActorStatefulSet
	return part
}

// stateful tells whether the target's own controller makes its pods, one after the other.
func (s *State) stateful() bool {
	return s.pass.hpa != nil && s.pass.hpa.Spec.ScaleTargetRef.Kind == "StatefulSet"
}

// act lets one actor move, where there is something to move, and returns what
// the workload looks like after it. It reports false when the actor had nothing
// to do, and says why in a fact.
func (s *State) act(ctx context.Context, f *trace.Frame, p world.Part) (world.Workload, bool, error) {
	if s.pass.hpa == nil {
		f.Add("skipped", s.pass.skip, "")
		return world.Workload{}, false, nil
	}
	waiting, err := s.Waits(ctx, p.Actor)
	if err != nil {
		return world.Workload{}, false, err
	}
	if !s.pass.moved && !waiting {
		f.Add("skipped", s.keepReason(), "")
		return world.Workload{}, false, nil
	}
	if !s.pass.moved { // not the HPA's doing: somebody changed the workload by hand
		f.Add("cause", "HPA는 유지했지만 이 액터에게는 다른 일이 남아 있었습니다(예: 파드를 직접 삭제).", "")
		if err := s.Drain(ctx, p.Actor); err != nil {
			return world.Workload{}, false, err
		}
		w, err := s.workload(ctx)
		return w, err == nil, ignoreGone(err)
	}
	w, err := s.Play(ctx, p, s.workload)
	return w, err == nil, ignoreGone(err)
}

// ignoreGone forgives that the target was deleted meanwhile.
func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (s *State) keepReason() string {
	if s.pass.decision == nil {
		return "유지: 레플리카 수를 계산하지 못해 아무것도 쓰지 않았으므로 할 일이 없습니다."
	}
	if s.pass.result.Err != nil {
		return "유지: 메트릭을 얻지 못해 레플리카 수를 바꾸지 않았으므로 할 일이 없습니다."
	}
	return "유지: 레플리카 수가 그대로이므로 할 일이 없습니다."
}

// scaleReplicaSet is the Deployment controller's part.
func scaleReplicaSet(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get replicaset -n " + s.Namespace
	before, err := s.replicaSets(ctx)
	if err != nil {
		return err
	}
	if s.Witness != nil {
		before = s.pass.before // the actor did not wait for us
	}
	w, ok, err := s.act(ctx, f, world.Rescale())
	if err != nil {
		return err
	}
	if !ok {
		w = before
	}
	if rs := w.Newest(); rs != nil {
		f.Add("replicaSetReplicas", strconv.Itoa(int(world.ReplicasOf(rs))), "")
	}
	if !ok {
		return nil
	}
	if w.Deployment == nil {
		f.Add("skipped", "HPA의 대상이 디플로이먼트가 아니므로 디플로이먼트 컨트롤러가 할 일이 없습니다.", "")
		return nil
	}
	wrote := false
	for _, rs := range w.ReplicaSets {
		if from, known := before.Find(rs.UID); known && from != world.ReplicasOf(rs) {
			f.Changes = append(f.Changes, change("replicaset/"+rs.Name, "spec.replicas", from, world.ReplicasOf(rs)))
			wrote = true
		}
	}
	if !wrote {
		return nil
	}
	return s.AwaitWaiting(ctx, trace.ActorReplicaSet)
}

// replicaSets reads the workload; a missing one is empty.
func (s *State) replicaSets(ctx context.Context) (world.Workload, error) {
	if s.pass.hpa == nil {
		return world.Workload{}, nil
	}
	w, err := s.workload(ctx)
	return w, ignoreGone(err)
}

// createPods is the ReplicaSet controller's part.
func createPods(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get pods -n " + s.Namespace
	part := s.createPart()
	f.Actor = part.Actor
	w, ok, err := s.act(ctx, f, part)
	if err != nil {
		return err
	}
	if !ok { // what could not be made before is missing still
		w, err := s.replicaSets(ctx)
		if why := w.Failure(); err == nil && why != "" {
			f.Add("replicaFailure", why, "")
		}
		return err
	}
	created, deleted := world.DiffPods(s.pass.known, w, f)
	f.Add("createdPods", strconv.Itoa(len(created)), world.SomeNames(created))
	f.Add("deletedPods", strconv.Itoa(len(deleted)), world.SomeNames(deleted))
	f.Add("podsTotal", strconv.Itoa(len(w.Active())), "")
	if why := w.Failure(); why != "" {
		f.Add("replicaFailure", why, "")
	}
	if len(created) > 0 {
		return s.AwaitWaiting(ctx, trace.ActorScheduler)
	}
	if w.Terminating() > 0 {
		return s.AwaitWaiting(ctx, trace.ActorKubelet)
	}
	return nil
}

// bindPods is the scheduler's part.
func bindPods(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlNodes()
	w, ok, err := s.act(ctx, f, world.Bind())
	if err != nil || !ok {
		return err
	}
	if world.AddBound(s.pass.known, w, f) > 0 {
		return s.AwaitWaiting(ctx, trace.ActorKubelet)
	}
	return nil
}
