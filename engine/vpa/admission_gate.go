package vpa

import (
	"context"
	"encoding/json"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
)

func (a *admission) arrive(r *review) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reviews = append(a.reviews, r)
	a.cond.Broadcast()
}

// waitFor blocks while the lesson holds admissions and ready says no, for as
// long as the API server's own timeout allows.
func (a *admission) waitFor(ctx context.Context, r *review, ready func() bool) {
	deadline := time.AfterFunc(a.patient, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		r.late = true
		a.cond.Broadcast()
	})
	defer deadline.Stop()
	defer context.AfterFunc(ctx, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.cond.Broadcast()
	})()
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.hold && !ready() && !r.late && ctx.Err() == nil {
		a.cond.Wait()
	}
}

// note keeps what the webhook read and what it is going to answer.
func (a *admission) note(r *review, vpa *vpav1.VerticalPodAutoscaler, answer []byte) {
	var ar admissionv1.AdmissionReview
	var ops []patchOperation
	if json.Unmarshal(answer, &ar) == nil && ar.Response != nil && len(ar.Response.Patch) > 0 {
		_ = json.Unmarshal(ar.Response.Patch, &ops) // shown as empty when it cannot be read
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r.vpa, r.patch, r.read = vpa, ops, true
	a.cond.Broadcast()
}

// arm makes admissions of pods wait for the two steps.
func (a *admission) arm() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hold, a.reading, a.answers, a.reviews = true, false, false, nil
}

// let opens the first, or both of the two stops.
func (a *admission) let(reading, answers bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reading, a.answers = reading, answers
	a.cond.Broadcast()
}

// release ends what arm began: admissions are answered at once.
func (a *admission) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hold = false
	a.cond.Broadcast()
}

// take returns the reviews since arm, or since the last take, and forgets them.
func (a *admission) take() []*review {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.reviews
	a.reviews = nil
	return all
}

// count counts the reviews that came and that match.
func (a *admission) count(match func(*review) bool) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, r := range a.reviews {
		if match(r) {
			n++
		}
	}
	return n
}

// first returns a copy of the first review since arm; the pods of one ReplicaSet
// are alike.
func (a *admission) first() (review, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.reviews) == 0 {
		return review{}, false
	}
	return *a.reviews[0], true
}
