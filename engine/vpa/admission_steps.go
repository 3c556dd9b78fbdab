package vpa

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// readForPod lets the webhook read the recommendation for the pod that is about
// to be born. Its answer still waits.
func readForPod(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = kubectlWebhook
	switch {
	case s.admission == nil:
		return s.readWatched(ctx, f)
	case s.admission.count(anyReview) == 0:
		f.Add("skipped", "이번 패스에는 웹훅이 불리지 않았습니다.", "")
		return nil
	}
	o, err := s.observer()
	if err != nil {
		return err
	}
	if err := s.admission.sync(ctx, &s.World, o); err != nil {
		return err
	}
	s.admission.let(true, false)
	err = s.Settle(ctx, func(context.Context) (bool, error) {
		unread := s.admission.count(func(r *review) bool { return !r.read })
		return unread == 0, nil
	})
	if err != nil {
		return err
	}
	if r, ok := s.admission.first(); ok {
		s.addReview(f, r)
	}
	s.addHeld(f)
	return nil
}

// readWatched shows what the pod was sent with, and whose recommendation there was
// for it, where somebody else admits: it is over already.
func (s *State) readWatched(ctx context.Context, f *trace.Frame) error {
	f.Actor, f.Kubectl = s.Admission.actor(), ""
	w, born, err := s.lastBorn(ctx, f)
	if err != nil || born == nil {
		return err
	}
	if s.Admission == AdmissionPolicy {
		f.Kubectl = fmt.Sprintf("kubectl get mutatingadmissionpolicy %s -o yaml", policyName)
	}
	f.Add("admissionBy", string(s.Admission), "")
	addSizes(f, w.Deployment.Spec.Template.Spec.Containers, "requestBefore", "limitBefore")
	if s.pass.vpa != nil {
		f.Add("matchedVPA", s.pass.vpa.Name, "")
		s.addRecommendation(f, s.pass.vpa)
	}
	return nil
}

// admitWatched shows what came of it.
func (s *State) admitWatched(ctx context.Context, f *trace.Frame) error {
	f.Actor = s.Admission.actor()
	w, born, err := s.lastBorn(ctx, f)
	if err != nil || born == nil {
		return err
	}
	if s.Admission = admittedBy(born); s.Admission == AdmissionNone {
		f.Add("admissionBy", string(s.Admission), "새 파드가 추천을 받지 못해 템플릿의 크기로 생겼습니다")
	}
	addSizes(f, born.Spec.Containers, "newRequest", "newLimit")
	for i, c := range w.Deployment.Spec.Template.Spec.Containers {
		for _, name := range resources {
			if _, ok := c.Resources.Requests[corev1.ResourceName(name)]; ok && i < len(born.Spec.Containers) {
				addAdded(f, c.Name, name, amountOf(name, c.Resources.Requests), amountOf(name, born.Spec.Containers[i].Resources.Requests))
			}
		}
	}
	return nil
}

// lastBorn is one of this pass's new pods, which are alike; without one it says so.
func (s *State) lastBorn(ctx context.Context, f *trace.Frame) (world.Workload, *corev1.Pod, error) {
	w, err := s.workload(ctx)
	if err != nil {
		return w, nil, err
	}
	born := s.newborn(w)
	if s.pass.disrupted == 0 || len(born) == 0 || w.Deployment == nil {
		f.Add("skipped", "이번 패스에는 새로 태어난 파드가 없습니다.", "")
		return w, nil, nil
	}
	return w, born[0], nil
}

func addAdded(f *trace.Frame, container string, r model.ResourceName, from, to model.ResourceAmount) {
	f.Add("requestAdded/"+of(container, r), signed(r, to-from), fmt.Sprintf("%s − %s", text(r, to), text(r, from)))
}

// addReview tells what the API server asked and what the webhook found.
func (s *State) addReview(f *trace.Frame, r review) {
	f.Add("admissionReview", "CREATE pods "+r.name+"…", "")
	f.Add("reviewUser", r.user, "")
	addSizes(f, r.before.Spec.Containers, "requestBefore", "limitBefore")
	if r.vpa == nil {
		f.Add("matchedVPA", "없음", "")
		return
	}
	f.Add("matchedVPA", r.vpa.Name, "")
	s.addRecommendation(f, r.vpa)
	if r.late {
		f.Add("webhookLate", "API 서버의 제한 시간(30초)이 가까워 웹훅이 단계를 기다리지 않고 답했습니다", "")
	}
}

// addPatch tells the webhook's JSON patch, and where its numbers come from.
func (s *State) addPatch(f *trace.Frame, r review) {
	f.Add("patches", strconv.Itoa(len(r.patch)), "")
	for _, p := range r.patch {
		value := fmt.Sprint(p.Value)
		if m, ok := p.Value.(map[string]any); ok && len(m) == 0 {
			value = "{}"
		}
		f.Add("patch"+p.Path, value, "")
	}
	for _, c := range r.before.Spec.Containers {
		target := recommendedFor(recommendationOf(r), c.Name)
		for _, name := range resources {
			key := corev1.ResourceName(name)
			if _, ok := list(target, "target")[key]; !ok {
				continue
			}
			from, to := amountOf(name, c.Resources.Requests), amountOf(name, list(target, "target"))
			if _, ok := c.Resources.Requests[key]; ok {
				addAdded(f, c.Name, name, from, to)
			}
			s.addLimit(f, r, c, name, from, to)
		}
	}
}

// addLimit explains a limit that grew in proportion
// (utils/vpa/limit_and_request_scaling.go, GetProportionalLimit).
func (s *State) addLimit(f *trace.Frame, r review, c corev1.Container, name model.ResourceName, from, to model.ResourceAmount) {
	if _, ok := c.Resources.Limits[corev1.ResourceName(name)]; !ok || from == 0 {
		return
	}
	old := amountOf(name, c.Resources.Limits)
	for _, p := range r.patch {
		set, err := resource.ParseQuantity(fmt.Sprint(p.Value))
		if err == nil && strings.HasSuffix(p.Path, "/resources/limits/"+string(name)) {
			value := amountOf(name, corev1.ResourceList{corev1.ResourceName(name): set})
			f.Add("proportionalLimit/"+of(c.Name, name), text(name, value), fmt.Sprintf("%s × %s / %s", text(name, to), text(name, old), text(name, from)))
		}
	}
}

// addSizes tells what containers ask for and may use, under the names of two facts.
func addSizes(f *trace.Frame, containers []corev1.Container, request, limit string) {
	for _, c := range containers {
		for _, r := range resources {
			if _, ok := c.Resources.Requests[corev1.ResourceName(r)]; ok {
				f.Add(request+"/"+of(c.Name, r), text(r, amountOf(r, c.Resources.Requests)), "")
			}
			if _, ok := c.Resources.Limits[corev1.ResourceName(r)]; ok {
				f.Add(limit+"/"+of(c.Name, r), text(r, amountOf(r, c.Resources.Limits)), "")
			}
		}
	}
}
