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
)

// readForPod lets the webhook read the recommendation for the pod that is about
// to be born. Its answer still waits.
func readForPod(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get mutatingwebhookconfiguration %s -o yaml", webhookConfig)
	if s.admission.count(anyReview) == 0 {
		f.Add("skipped", "이번 회차에는 웹훅이 불리지 않았습니다.", "")
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
				f.Add("requestAdded/"+of(c.Name, name), signed(name, to-from), fmt.Sprintf("%s − %s", text(name, to), text(name, from)))
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
