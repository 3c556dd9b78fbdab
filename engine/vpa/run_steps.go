package vpa

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// bind is the scheduler's part.
func bind(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlNodes()
	before, err := s.workload(ctx)
	if err != nil {
		return err
	}
	if s.idle(before, before.Placed()) {
		f.Add("skipped", "노드를 정할 새 파드가 없습니다.", "")
		return nil
	}
	w, err := s.Play(ctx, world.Bind(), s.workload)
	if err != nil {
		return err
	}
	bindings := world.AddBound(s.pass.known, w, f)
	return s.AwaitHeld(ctx, trace.ActorKubelet, http.MethodPatch, bindings)
}

// idle tells whether an actor has nothing to do in this pass. One that nothing holds
// back may have done it already: then it counts whether there was something.
func (s *State) idle(w world.Workload, done bool) bool {
	if s.Gate != nil {
		return done
	}
	return done && len(s.newborn(w)) == 0 && s.pass.disrupted == 0
}

// run is the kubelets' part: new pods start, evicted ones end, and a resize in
// place is carried out.
func run(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get deployment,pods -n %s", s.Namespace)
	w, err := s.workload(ctx)
	if err != nil {
		return err
	}
	waits, err := s.Waits(ctx, trace.ActorKubelet)
	if err != nil {
		return err
	}
	if s.idle(w, s.settled(w) && !waits) && (s.Gate != nil || len(s.pass.resized) == 0) {
		f.Add("readyPods", strconv.Itoa(w.Ready()), "")
		f.Add("skipped", "kubelet에게는 할 일이 없습니다.", "")
		return nil
	}
	if w, err = s.Play(ctx, world.Run(s.settled), s.workload); err != nil {
		return err
	}
	f.Add("readyPods", strconv.Itoa(w.Ready()), "")
	world.AddRun(s.pass.known, w, f)
	for _, p := range w.Active() {
		started := world.IsReady(p) && !s.pass.known[p.UID].Ready
		if !started && slices.Contains(s.pass.resized, p.Name) {
			s.addResized(f, p)
		}
	}
	return nil
}

// settled is Workload.Settled, with every resize in place answered.
func (s *State) settled(w world.Workload) bool {
	if !s.Started(w) {
		return false
	}
	for _, p := range w.Active() {
		if slices.Contains(s.pass.resized, p.Name) && !resized(p) {
			return false
		}
	}
	return true
}

// resized tells whether the kubelet has answered a resize: carried it out, or
// said why not.
func resized(p *corev1.Pod) bool {
	if pendingResize(p) != nil {
		return true
	}
	for _, c := range p.Status.ContainerStatuses {
		for _, spec := range p.Spec.Containers {
			if spec.Name == c.Name && (c.Resources == nil || !equality.Semantic.DeepEqual(c.Resources.Requests, spec.Resources.Requests)) {
				return false
			}
		}
	}
	return true
}

// pendingResize is the condition in which the kubelet says why a resize waits;
// nil when none does.
func pendingResize(p *corev1.Pod) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == corev1.PodResizePending && c.Status == corev1.ConditionTrue {
			return c
		}
	}
	return nil
}

// addResized tells what the kubelet gave a pod without a restart.
func (s *State) addResized(f *trace.Frame, p *corev1.Pod) {
	if c := pendingResize(p); c != nil {
		f.Add("resizePending/"+p.Name, c.Reason, c.Message)
	}
	for _, c := range p.Status.ContainerStatuses {
		if c.Resources == nil {
			continue
		}
		f.Add("restarts/"+p.Name, strconv.Itoa(int(c.RestartCount)), "")
		for _, r := range resources {
			if _, ok := c.Resources.Requests[corev1.ResourceName(r)]; !ok {
				continue
			}
			from, to := s.pass.before[p.Name+"/"+c.Name], c.Resources.Requests
			f.Add("newRequest/"+of(c.Name, r), text(r, amountOf(r, to)), "")
			f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "status.containerStatuses[].resources.requests." + string(r),
				From: text(r, amountOf(r, from)), To: text(r, amountOf(r, to))})
		}
	}
}
