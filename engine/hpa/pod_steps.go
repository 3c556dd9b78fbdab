package hpa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/stepscale/stepscale/engine/trace"
)

// actorStep is what the steps of the actors after the HPA controller share.
type actorStep struct {
	actor  string
	done   func(s *State, w workload) bool
	wanted func(s *State, w workload) string // for the error, what was waited for
	seen   func(s *State, w workload) string
}

var replicaSetStep = actorStep{
	actor: ActorDeployment,
	done: func(s *State, w workload) bool {
		return w.deployment == nil || w.newest() != nil && replicasOf(w.newest()) == w.replicas()
	},
	wanted: func(s *State, w workload) string {
		return fmt.Sprintf("레플리카셋의 spec.replicas가 %d(으)로 바뀌는 것", w.replicas())
	},
	seen: func(s *State, w workload) string {
		if w.newest() == nil {
			return "레플리카셋이 없습니다"
		}
		return fmt.Sprintf("%s의 spec.replicas는 %d입니다", w.newest().Name, replicasOf(w.newest()))
	},
}

var createStep = actorStep{
	actor:  ActorReplicaSet,
	done:   func(s *State, w workload) bool { return len(w.active()) == w.wanted(s.pass.desired) },
	wanted: func(s *State, w workload) string { return fmt.Sprintf("파드 %d개", w.wanted(s.pass.desired)) },
	seen:   func(s *State, w workload) string { return fmt.Sprintf("파드 %d개", len(w.active())) },
}

var bindStep = actorStep{
	actor: ActorScheduler,
	done: func(s *State, w workload) bool {
		bound, unschedulable := w.bound()
		return bound+unschedulable == len(w.active())
	},
	wanted: func(s *State, w workload) string {
		return fmt.Sprintf("파드 %d개 모두에 노드가 정해지는 것", len(w.active()))
	},
	seen: func(s *State, w workload) string {
		bound, _ := w.bound()
		return fmt.Sprintf("%d개에 노드가 정해졌습니다", bound)
	},
}

var runStep = actorStep{
	actor: ActorKubelet,
	done: func(s *State, w workload) bool {
		bound, _ := w.bound()
		return w.ready() == bound && w.terminating() == 0
	},
	wanted: func(s *State, w workload) string {
		return fmt.Sprintf("파드 %d개가 Ready가 되고 삭제 중인 파드가 사라지는 것", len(w.active()))
	},
	seen: func(s *State, w workload) string {
		return fmt.Sprintf("Ready %d개, 삭제 중 %d개입니다", w.ready(), w.terminating())
	},
}

// act lets one actor move, where there is something to move, and returns what
// the workload looks like after it. It reports false when the actor had nothing
// to do, and says why in a fact.
func (s *State) act(ctx context.Context, f *trace.Frame, a actorStep) (workload, bool, error) {
	if s.pass.hpa == nil {
		f.Add("skipped", s.pass.skip, "")
		return workload{}, false, nil
	}
	waiting, err := s.waits(ctx, a.actor)
	if err != nil {
		return workload{}, false, err
	}
	if !s.pass.moved && !waiting {
		f.Add("skipped", s.keepReason(a.actor), "")
		return workload{}, false, nil
	}
	if !s.pass.moved { // not the HPA's doing: somebody changed the workload by hand
		f.Add("cause", fmt.Sprintf("HPA는 유지했지만 %s에게 다른 일이 남아 있었습니다(예: 파드를 직접 삭제).", a.actor), "")
		if err := s.drain(ctx, a.actor); err != nil {
			return workload{}, false, err
		}
		w, err := s.workload(ctx)
		return w, err == nil, ignoreGone(err)
	}
	return s.actUntil(ctx, a)
}

// actUntil opens the gate until the actor's part is done.
func (s *State) actUntil(ctx context.Context, a actorStep) (workload, bool, error) {
	var last workload
	quiet := 0
	err := s.move(ctx, a.actor, func(ctx context.Context) (bool, error) {
		w, err := s.workload(ctx)
		if err != nil {
			return false, err
		}
		last = w
		if a.done(s, w) {
			return true, nil
		}
		if !w.rolling() || s.Gate == nil {
			return false, nil
		}
		waiting, err := s.waits(ctx, a.actor) // a rolling update shares the pods out; take what comes
		if quiet++; waiting {
			quiet = 0
		}
		return quiet >= quietPolls, err
	})
	if errors.Is(err, errStuck) {
		return last, false, s.stuck(a.actor, a.wanted(s, last), a.seen(s, last))
	}
	return last, err == nil, ignoreGone(err)
}

// ignoreGone forgives that the target was deleted meanwhile.
func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (s *State) keepReason(actor string) string {
	if s.pass.decision == nil {
		return fmt.Sprintf("유지: 레플리카 수를 계산하지 못해 아무것도 쓰지 않았으므로 %s에게는 할 일이 없습니다.", actor)
	}
	if s.pass.result.Err != nil {
		return fmt.Sprintf("유지: 메트릭을 얻지 못해 레플리카 수를 바꾸지 않았으므로 %s에게는 할 일이 없습니다.", actor)
	}
	return fmt.Sprintf("유지: 레플리카 수가 그대로이므로 %s에게는 할 일이 없습니다.", actor)
}

// scaleReplicaSet is the Deployment controller's part.
func scaleReplicaSet(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get replicaset -n " + s.Namespace
	before, err := s.replicaSets(ctx)
	if err != nil {
		return err
	}
	w, ok, err := s.act(ctx, f, replicaSetStep)
	if err != nil {
		return err
	}
	if !ok {
		w = before
	}
	if rs := w.newest(); rs != nil {
		f.Add("replicaSetReplicas", strconv.Itoa(int(replicasOf(rs))), "")
	}
	if !ok {
		return nil
	}
	if w.deployment == nil {
		f.Add("skipped", "HPA의 대상이 디플로이먼트가 아니므로 디플로이먼트 컨트롤러가 할 일이 없습니다.", "")
		return nil
	}
	writes := 0
	for _, rs := range w.replicaSets {
		if from, known := before.find(rs.UID); known && from != replicasOf(rs) {
			f.Changes = append(f.Changes, change("replicaset/"+rs.Name, "spec.replicas", from, replicasOf(rs)))
			writes++
		}
	}
	if writes == 0 {
		return nil
	}
	if err := s.awaitCalls(ctx, writes, byActor(ActorDeployment, "/replicasets/")); err != nil {
		return err
	}
	return s.awaitWaiting(ctx, ActorReplicaSet)
}

// replicaSets reads the workload before an actor moves; a missing one is empty.
func (s *State) replicaSets(ctx context.Context) (workload, error) {
	if s.pass.hpa == nil {
		return workload{}, nil
	}
	w, err := s.workload(ctx)
	return w, ignoreGone(err)
}

func (w workload) find(uid types.UID) (int32, bool) {
	for _, rs := range w.replicaSets {
		if rs.UID == uid {
			return replicasOf(rs), true
		}
	}
	return 0, false
}

// createPods is the ReplicaSet controller's part.
func createPods(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get pods -n " + s.Namespace + " --show-labels"
	w, ok, err := s.act(ctx, f, createStep)
	if err != nil || !ok {
		return err
	}
	created, deleted := diffPods(s.pass.known, w, f)
	f.Add("createdPods", strconv.Itoa(len(created)), someNames(created))
	f.Add("deletedPods", strconv.Itoa(len(deleted)), someNames(deleted))
	f.Add("podsTotal", strconv.Itoa(len(w.active())), "")
	if err := s.awaitCalls(ctx, len(created)+len(deleted), byActor(ActorReplicaSet, "/pods")); err != nil {
		return err
	}
	if len(created) > 0 {
		return s.awaitWaiting(ctx, ActorScheduler)
	}
	if w.terminating() > 0 {
		return s.awaitWaiting(ctx, ActorKubelet)
	}
	return nil
}

// diffPods compares the pods with how the controller saw them, adds a change
// for each difference and returns the names.
func diffPods(known map[types.UID]podFingerprint, w workload, f *trace.Frame) (created, deleted []string) {
	live := map[types.UID]bool{}
	for _, p := range w.pods {
		live[p.UID] = true
		was, ok := known[p.UID]
		switch {
		case !ok && p.DeletionTimestamp == nil:
			created = append(created, p.Name)
			f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "metadata.name", To: p.Name})
		case ok && p.DeletionTimestamp != nil && !was.deleting:
			deleted = append(deleted, p.Name)
			f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "metadata.deletionTimestamp", To: p.DeletionTimestamp.UTC().Format(time.RFC3339)})
		}
	}
	var gone []string
	for uid, was := range known {
		if !live[uid] && !was.deleting {
			gone = append(gone, was.name)
		}
	}
	slices.Sort(gone)
	for _, name := range gone {
		f.Changes = append(f.Changes, trace.Change{Object: "pod/" + name, Field: "metadata.name", From: name})
	}
	return created, append(deleted, gone...)
}

// byActor matches an actor's calls whose path contains part.
func byActor(actor, part string) func(trace.Call) bool {
	return func(c trace.Call) bool { return c.Actor == actor && strings.Contains(c.Path, part) }
}

// bindPods is the scheduler's part.
func bindPods(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get pods -n " + s.Namespace + " -o wide"
	w, ok, err := s.act(ctx, f, bindStep)
	if err != nil || !ok {
		return err
	}
	bindings := 0
	for _, p := range w.active() {
		if p.Spec.NodeName != "" && s.pass.known[p.UID].node == "" {
			f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "spec.nodeName", To: p.Spec.NodeName})
			bindings++
		}
	}
	f.Add("boundPods", strconv.Itoa(bindings), "")
	if _, n := w.bound(); n > 0 {
		f.Add("unschedulablePods", strconv.Itoa(n), "")
	}
	if err := s.awaitCalls(ctx, bindings, byActor(ActorScheduler, "/binding")); err != nil {
		return err
	}
	if bindings > 0 {
		return s.awaitWaiting(ctx, ActorKubelet)
	}
	return nil
}
