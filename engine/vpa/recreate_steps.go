package vpa

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

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
	if s.absent(f, wanted, active); w.Terminating() > 0 {
		f.Add("terminatingPods", strconv.Itoa(w.Terminating()), "")
	}
	if wanted <= active && (s.Gate != nil || s.pass.disrupted == 0) {
		f.Add("skipped", "레플리카셋이 원하는 수만큼 파드가 있어 만들 것이 없습니다.", "")
		return nil
	}
	if s.admission == nil {
		return s.createWatched(ctx, f, wanted)
	}
	if s.Gate != nil {
		s.admission.arm()
	}
	err = s.create(ctx, f, s.Gate != nil, func(w world.Workload) bool { return s.admission.count(anyReview) > 0 || len(w.Active()) >= wanted })
	if err != nil {
		return err
	}
	f.Add("admissionReviews", strconv.Itoa(s.admission.count(anyReview)), "")
	s.addHeld(f)
	return nil
}

// absent tells how many pods are missing, or were before the ReplicaSet controller
// moved on its own.
func (s *State) absent(f *trace.Frame, wanted, active int) {
	if s.Gate == nil {
		remark := ""
		if s.pass.disrupted > 0 {
			remark = "축출된 파드의 수. 아무도 멈춰 세우지 않아 이미 다시 만들어졌을 수 있습니다"
		}
		f.Add("absentPods", strconv.Itoa(s.pass.disrupted), remark)
		return
	}
	f.Add("absentPods", strconv.Itoa(wanted-active), fmt.Sprintf("%d − %d", wanted, active))
}

// createWatched looks on while the pods are made and admitted by others.
func (s *State) createWatched(ctx context.Context, f *trace.Frame, wanted int) error {
	if err := s.create(ctx, f, false, func(w world.Workload) bool { return len(w.Active()) >= wanted }); err != nil {
		return err
	}
	w, err := s.workload(ctx)
	if err != nil {
		return err
	}
	s.addCreated(f, s.newborn(w))
	return nil
}

// newborn are the live pods that came after the updater's move.
func (s *State) newborn(w world.Workload) []*corev1.Pod {
	return slices.DeleteFunc(w.Active(), func(p *corev1.Pod) bool {
		_, old := s.pass.known[p.UID]
		return old
	})
}

func (s *State) addCreated(f *trace.Frame, pods []*corev1.Pod) {
	for _, p := range pods {
		f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "metadata.name", To: p.Name})
	}
	f.Add("createdPods", strconv.Itoa(len(pods)), "")
}

// addHeld shows the admissions that wait for their step in the webhook.
func (s *State) addHeld(f *trace.Frame) {
	for range s.admission.count(func(r *review) bool { return !r.answered }) {
		f.Waiting = append(f.Waiting, trace.Waiting{Actor: ActorAdmission, Verb: "POST", Path: s.admission.address})
	}
}

func anyReview(*review) bool { return true }

// create lets the ReplicaSet controller move until done, or until it reports
// that it cannot: a webhook with failurePolicy Fail that is down, a quota. Held says that
// our webhook keeps its requests.
func (s *State) create(ctx context.Context, f *trace.Frame, held bool, done func(world.Workload) bool) error {
	part := world.Create(func(w world.Workload) bool {
		return done(w) || w.Deployment == nil // nobody recreates pods of a Deployment that was deleted
	}, func(w world.Workload) int { return w.Wanted(0) })
	part.Unanswered = held
	w, err := s.Play(ctx, part, s.workload)
	if why := w.Failure(); why != "" {
		f.Add("replicaFailure", why, "")
	}
	return err
}

// admit lets the answers of the webhook go and the pods be born.
func admit(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get pods -n %s -o custom-columns='NAME:.metadata.name,CPU:.spec.containers[*].resources.requests.cpu,CPU_LIMIT:.spec.containers[*].resources.limits.cpu,MEMORY:.spec.containers[*].resources.requests.memory,MEMORY_LIMIT:.spec.containers[*].resources.limits.memory,STATUS:.status.phase'", s.Namespace)
	switch {
	case s.admission == nil:
		return s.admitWatched(ctx, f)
	case s.admission.count(anyReview) == 0:
		f.Add("skipped", "이번 패스에는 웹훅이 불리지 않았습니다.", "")
		return s.addBorn(ctx, f)
	}
	s.admission.let(true, true)
	defer s.admission.release()
	err := s.create(ctx, f, false, func(w world.Workload) bool { return len(w.Active()) >= w.Wanted(0) })
	if err != nil {
		return err
	}
	if r, ok := s.admission.first(); ok {
		s.addPatch(f, r)
	}
	if err := s.addBorn(ctx, f); err != nil {
		return err
	}
	return s.AwaitHeld(ctx, trace.ActorScheduler, http.MethodPost, len(s.admission.take()))
}

// addBorn tells which pods are new, and with what requests.
func (s *State) addBorn(ctx context.Context, f *trace.Frame) error {
	w, err := s.workload(ctx)
	if err != nil || s.pass.known == nil {
		return err
	}
	born := s.newborn(w)
	for _, p := range born {
		addSizes(f, p.Spec.Containers, "newRequest", "newLimit")
	}
	s.addCreated(f, born)
	return nil
}
