package hpa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// eventSource is the component name that upstream's controller writes.
const eventSource = "horizontal-pod-autoscaler"

// The values of the fact "action".
const (
	actionUp   = "scaleUp"
	actionKeep = "keep"
	actionDown = "scaleDown"
)

// update writes the decision: the target's scale when it changes, then the
// HPA's status and events.
func update(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get hpa,deployment,replicaset -n %s", s.Namespace)
	if s.Mode == ModeDrive {
		f.Kubectl = fmt.Sprintf("kubectl get deployment,replicaset -n %s", s.Namespace)
	}
	f.Inputs = s.pass.recorded
	if s.pass.hpa == nil {
		f.Add("skipped", s.pass.skip, "")
		return nil
	}
	var err error
	if s.pass.decision != nil {
		if err = s.rescale(ctx, f); world.IsFault(err) {
			return err
		}
	}
	if s.managed() {
		s.keepStatus(f)
	} else if err := s.tell(ctx, f); err != nil {
		return err
	}
	s.addOutcome(f, err)
	return s.addReplicas(ctx, f)
}

// tell writes the HPA's status and events.
func (s *State) tell(ctx context.Context, f *trace.Frame) error {
	if err := s.writeStatus(ctx, f); err != nil {
		return err
	}
	for ; s.pass.emitted < len(s.pass.result.Events); s.pass.emitted++ {
		if err := s.emit(ctx, s.pass.result.Events[s.pass.emitted]); err != nil {
			return err
		}
	}
	return nil
}

// rescale updates the scale subresource when the decision says so. The error
// is the API server's refusal, which the status then tells.
func (s *State) rescale(ctx context.Context, f *trace.Frame) error {
	if !s.pass.tried {
		s.pass.result = s.pass.decision.Result()
		if !s.pass.result.Rescale {
			return nil
		}
		to := s.pass.result.Desired
		if !s.pass.marked { // before: an actor may be seen before the answer is
			s.Mark()
			s.pass.marked = true
		}
		err := s.updateScale(ctx, to)
		if world.IsFault(err) {
			return err
		}
		s.pass.tried, s.pass.refused = true, err
		s.pass.result = s.pass.decision.Rescaled(err)
		s.pass.moved, s.pass.desired = err == nil, to
	}
	if !s.pass.moved {
		return s.pass.refused
	}
	s.Crowd = max(s.Crowd, int(s.pass.desired))
	f.Changes = append(f.Changes, change(s.targetObject(), "spec.replicas", s.pass.input.SpecReplicas, s.pass.desired))
	return nil
}

// updateScale retries conflicts as upstream does: it reads the latest scale and
// writes the same number again.
func (s *State) updateScale(ctx context.Context, to int32) error {
	ref := s.pass.hpa.Spec.ScaleTargetRef
	scales := s.Controller.Scales.Scales(s.Namespace)
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		s.pass.scale.Spec.Replicas = to
		_, err := scales.Update(ctx, s.pass.resource, s.pass.scale, metav1.UpdateOptions{})
		if err == nil {
			return nil
		}
		var latest *autoscalingv1.Scale
		latest, getErr := scales.Get(ctx, s.pass.resource, ref.Name, metav1.GetOptions{})
		if getErr == nil {
			s.pass.scale = latest
		} else {
			err = errors.Join(err, getErr)
		}
		return err
	})
}

// writeStatus writes the HPA's status if it changed.
func (s *State) writeStatus(ctx context.Context, f *trace.Frame) error {
	old, status := s.pass.hpa.Status, s.pass.result.Status
	if equality.Semantic.DeepEqual(old, status) {
		return nil
	}
	hpa := s.pass.hpa.DeepCopy()
	hpa.Status = status
	_, err := s.Controller.Kube.AutoscalingV2().HorizontalPodAutoscalers(s.Namespace).UpdateStatus(ctx, hpa, metav1.UpdateOptions{})
	if world.IsFault(err) {
		return err
	}
	if err != nil {
		f.Add("statusError", err.Error(), "")
		s.pass.result.Events = append(s.pass.result.Events, Event{Type: corev1.EventTypeWarning, Reason: "FailedUpdateStatus", Message: err.Error()})
		return nil
	}
	object := "hpa/" + s.HPA
	if old.CurrentReplicas != status.CurrentReplicas {
		f.Changes = append(f.Changes, change(object, "status.currentReplicas", old.CurrentReplicas, status.CurrentReplicas))
	}
	if old.DesiredReplicas != status.DesiredReplicas {
		f.Changes = append(f.Changes, change(object, "status.desiredReplicas", old.DesiredReplicas, status.DesiredReplicas))
	}
	return nil
}

// eventKey joins equal events, as client-go's event correlator does.
type eventKey struct {
	hpa     string
	message Event
}

// emit creates an event for the HPA, or counts up the equal one from before.
func (s *State) emit(ctx context.Context, e Event) error {
	if s.events == nil {
		s.events = map[eventKey]*corev1.Event{}
	}
	events := s.Controller.Kube.CoreV1().Events(s.Namespace)
	key := eventKey{hpa: string(s.pass.hpa.UID), message: e}
	now := s.ServerClock().Now()
	if seen := s.events[key]; seen != nil {
		next := seen.DeepCopy()
		next.Count++
		next.LastTimestamp = metav1.NewTime(now)
		updated, err := events.Update(ctx, next, metav1.UpdateOptions{})
		if err == nil {
			s.events[key] = updated
			return nil
		}
		if world.IsFault(err) {
			return err
		}
	}
	created, err := events.Create(ctx, s.newEvent(e, now), metav1.CreateOptions{})
	if world.IsFault(err) {
		return err
	}
	if err == nil { // a refused event is no reason to stop, as upstream
		s.events[key] = created
	}
	return nil
}

func (s *State) newEvent(e Event, now time.Time) *corev1.Event {
	hpa := s.pass.hpa
	about := corev1.ObjectReference{
		Kind: "HorizontalPodAutoscaler", APIVersion: "autoscaling/v2",
		Namespace: hpa.Namespace, Name: hpa.Name, UID: hpa.UID, ResourceVersion: hpa.ResourceVersion,
	}
	return world.NewEvent(eventSource, about, e.Type, e.Reason, e.Message, now)
}

// addOutcome adds what was decided and, when it could not be, why.
func (s *State) addOutcome(f *trace.Frame, refused error) {
	r := s.pass.result
	f.Add("action", s.action(), "")
	if s.pass.decision != nil {
		f.Add("desiredReplicas", strconv.Itoa(int(r.Desired)), "")
	}
	if r.Rescale && r.Reason != "" {
		f.Add("rescaleReason", r.Reason, "")
	}
	if refused != nil {
		f.Add("rescaleError", refused.Error(), "")
	}
	for _, c := range r.Status.Conditions {
		f.Add("condition/"+string(c.Type), string(c.Status)+" "+c.Reason, "")
	}
	off := slices.ContainsFunc(r.Status.Conditions, func(c autoscalingv2.HorizontalPodAutoscalerCondition) bool {
		return c.Type == autoscalingv2.ScalingActive && c.Status == corev1.ConditionFalse
	})
	if r.Err == nil && refused == nil && !off {
		return
	}
	for _, c := range r.Status.Conditions {
		if c.Status == corev1.ConditionFalse && c.Reason != "DesiredWithinRange" && c.Reason != "NotScaledToZero" {
			f.Add("conditionReason", c.Reason, "")
			f.Add("conditionMessage", c.Message, "")
		}
	}
	for _, e := range r.Events {
		f.Add("event/"+e.Reason, e.Message, "")
	}
}

func (s *State) action() string {
	if !s.pass.moved {
		return actionKeep
	}
	if s.pass.desired > s.pass.input.SpecReplicas {
		return actionUp
	}
	return actionDown
}

// addReplicas shows the half-way state: the Deployment has the new number, its
// ReplicaSet still has the old one.
func (s *State) addReplicas(ctx context.Context, f *trace.Frame) error {
	w, err := s.workload(ctx)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if w.Deployment == nil {
		return nil
	}
	f.Add("deploymentReplicas", strconv.Itoa(int(w.Replicas())), "")
	then := w
	if s.Witness != nil { // the next actor does not wait for us, and has not moved before the write
		then = s.pass.before
	}
	if rs := then.Newest(); rs != nil {
		f.Add("replicaSetReplicas", strconv.Itoa(int(world.ReplicasOf(rs))), "")
	}
	if s.pass.moved {
		return s.AwaitWaiting(ctx, trace.ActorDeployment)
	}
	return nil
}

func (s *State) targetObject() string {
	ref := s.pass.hpa.Spec.ScaleTargetRef
	return world.ObjectName(ref.Kind, ref.Name)
}

func change(object, field string, from, to int32) trace.Change {
	return trace.Change{Object: object, Field: field, From: strconv.Itoa(int(from)), To: strconv.Itoa(int(to))}
}
