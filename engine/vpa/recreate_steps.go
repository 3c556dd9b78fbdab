package vpa

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// recreate is the ReplicaSet controller's part: a pod is missing, it sends a
// new one. The request stops at the webhook.
func recreate(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get replicaset,pods -n %s", s.Namespace)
	w, err := s.workload(ctx)
	if err != nil {
		return err
	}
	if w.Deployment == nil {
		f.Add("skipped", "VPA의 대상이 없어 다시 만들 파드도 없습니다.", "")
		return nil
	}
	wanted, active := w.Wanted(0), len(w.Active())
	f.Add("replicaSetReplicas", strconv.Itoa(wanted), "")
	f.Add("absentPods", strconv.Itoa(wanted-active), fmt.Sprintf("%d − %d", wanted, active))
	if w.Terminating() > 0 {
		f.Add("terminatingPods", strconv.Itoa(w.Terminating()), "")
	}
	if wanted <= active {
		f.Add("skipped", "레플리카셋이 원하는 수만큼 파드가 있어 만들 것이 없습니다.", "")
		return nil
	}
	s.admission.arm()
	err = s.create(ctx, f, func(w world.Workload) bool { return s.admission.count(anyReview) > 0 || len(w.Active()) >= wanted })
	if err != nil {
		return err
	}
	f.Add("admissionReviews", strconv.Itoa(s.admission.count(anyReview)), "")
	s.addHeld(f)
	return nil
}

// addHeld shows the admissions that wait for their step in the webhook.
func (s *State) addHeld(f *trace.Frame) {
	for range s.admission.count(func(r *review) bool { return !r.answered }) {
		f.Waiting = append(f.Waiting, trace.Waiting{Actor: ActorAdmission, Verb: "POST", Path: s.admission.url})
	}
}

func anyReview(*review) bool { return true }

// create lets the ReplicaSet controller move until done, or until it reports
// that it cannot: a webhook with failurePolicy Fail that is down, a quota.
func (s *State) create(ctx context.Context, f *trace.Frame, done func(world.Workload) bool) error {
	var last world.Workload
	failure := ""
	err := s.Move(ctx, world.ActorReplicaSet, func(ctx context.Context) (bool, error) {
		w, err := s.workload(ctx)
		last, failure = w, createFailure(w)
		return done(w) || failure != "", err
	})
	if errors.Is(err, world.ErrStuck) {
		return s.Stuck(world.ActorReplicaSet, fmt.Sprintf("파드 %d개", last.Wanted(0)), fmt.Sprintf("파드 %d개", len(last.Active())))
	}
	if failure != "" {
		f.Add("createError", failure, "")
	}
	return err
}

// createFailure is what a ReplicaSet says about pods that it could not create.
func createFailure(w world.Workload) string {
	for _, rs := range w.ReplicaSets {
		for _, c := range rs.Status.Conditions {
			if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue {
				return c.Message
			}
		}
	}
	return ""
}

// admit lets the answers of the webhook go and the pods be born.
func admit(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get pods -n %s -o custom-columns=NAME:.metadata.name,CPU:.spec.containers[*].resources.requests.cpu,LIMIT:.spec.containers[*].resources.limits.cpu,STATUS:.status.phase", s.Namespace)
	if s.admission.count(anyReview) == 0 {
		f.Add("skipped", "이번 회차에는 웹훅이 불리지 않았습니다.", "")
		return s.addBorn(ctx, f)
	}
	s.admission.let(true, true)
	defer s.admission.release()
	err := s.create(ctx, f, func(w world.Workload) bool { return len(w.Active()) >= w.Wanted(0) })
	if err != nil {
		return err
	}
	if r, ok := s.admission.first(); ok {
		s.addPatch(f, r)
	}
	if err := s.addBorn(ctx, f); err != nil {
		return err
	}
	born := len(s.admission.take())
	return s.AwaitHeld(ctx, world.ActorScheduler, http.MethodPost, born)
}

// addBorn tells which pods are new, and with what requests.
func (s *State) addBorn(ctx context.Context, f *trace.Frame) error {
	w, err := s.workload(ctx)
	if err != nil || s.pass.known == nil {
		return err
	}
	created := 0
	for _, p := range w.Active() {
		if _, old := s.pass.known[p.UID]; old {
			continue
		}
		created++
		f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "metadata.name", To: p.Name})
		addSizes(f, p.Spec.Containers, "newRequest", "newLimit")
	}
	f.Add("createdPods", strconv.Itoa(created), "")
	return nil
}

// bind is the scheduler's part.
func bind(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get pods -n %s -o wide", s.Namespace)
	before, err := s.workload(ctx)
	if err != nil {
		return err
	}
	bound, stuck := before.Bound()
	if bound+stuck == len(before.Active()) {
		f.Add("skipped", "노드를 정할 새 파드가 없습니다.", "")
		return nil
	}
	var w world.Workload
	err = s.Move(ctx, world.ActorScheduler, func(ctx context.Context) (bool, error) {
		w, err = s.workload(ctx)
		b, n := w.Bound()
		return b+n == len(w.Active()), err
	})
	if errors.Is(err, world.ErrStuck) {
		return s.Stuck(world.ActorScheduler, "모든 파드에 노드가 정해지는 것", fmt.Sprintf("파드 %d개", len(w.Active())))
	}
	if err != nil {
		return err
	}
	after, unschedulable := w.Bound()
	f.Add("boundPods", strconv.Itoa(after-bound), "")
	if unschedulable > 0 {
		f.Add("unschedulablePods", strconv.Itoa(unschedulable), "")
	}
	world.AddBound(s.pass.known, w, f)
	return s.AwaitHeld(ctx, world.ActorKubelet, http.MethodPatch, after-bound)
}

// run is the kubelets' part: new pods start, evicted ones end, and a resize in
// place is carried out.
func run(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get deployment,pods -n %s", s.Namespace)
	w, err := s.workload(ctx)
	if err != nil {
		return err
	}
	waits, err := s.Waits(ctx, world.ActorKubelet)
	if err != nil {
		return err
	}
	if s.settled(w) && !waits {
		f.Add("readyPods", strconv.Itoa(w.Ready()), "")
		f.Add("skipped", "kubelet에게는 할 일이 없습니다.", "")
		return nil
	}
	err = s.Move(ctx, world.ActorKubelet, func(ctx context.Context) (bool, error) {
		w, err = s.workload(ctx)
		return s.settled(w), err
	})
	if errors.Is(err, world.ErrStuck) {
		bound, _ := w.Bound()
		return s.Stuck(world.ActorKubelet, fmt.Sprintf("파드 %d개가 Ready가 되고 삭제 중인 파드가 사라지는 것", bound),
			fmt.Sprintf("Ready %d개, 삭제 중 %d개입니다", w.Ready(), w.Terminating()))
	}
	if err != nil {
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

// settled tells whether the kubelets have nothing left to do for the pods.
func (s *State) settled(w world.Workload) bool {
	bound, _ := w.Bound()
	if w.Ready() != bound || w.Terminating() > 0 {
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
