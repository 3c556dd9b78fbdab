package vpa

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// act resizes in place or evicts, as the second half of upstream's RunOnce. After a
// fault in the middle it is run again, for what is left to do.
func act(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get pods,replicasets -n %s", s.Namespace)
	if s.pass.known == nil {
		if err := s.remember(ctx); err != nil {
			return err
		}
		s.Mark()
	}
	d := s.pass.decided
	if d == nil || len(d.order) == 0 {
		f.Add("action", actionKeep, "")
		f.Add("skipped", s.whyKeep(), "")
		return nil
	}
	evict := d.order
	if d.mode == vpav1.UpdateModeInPlaceOrRecreate {
		var err error
		if evict, err = s.resize(f, d); err != nil {
			return err
		}
	}
	if err := s.evict(ctx, f, d, evict); err != nil {
		return err
	}
	f.Add("evictedPods", strconv.Itoa(s.pass.disrupted), "")
	f.Add("action", s.action(), "")
	return s.afterAct(ctx)
}

// eviction is how far the eviction of a pod has come in this pass.
type eviction int

const (
	evictionSent eviction = iota + 1 // and no answer came
	evictionDone
)

// evict evicts as many as may go at once.
func (s *State) evict(ctx context.Context, f *trace.Frame, d *decided, pods []*corev1.Pod) error {
	if s.Gate == nil && s.admission != nil && s.pass.evictions == nil && len(pods) > 0 {
		s.admission.arm() // the next actor does not wait, its request can
	}
	if s.pass.evictions == nil {
		s.pass.evictions = map[types.UID]eviction{}
	}
	for _, p := range pods {
		if err := s.evictOne(ctx, f, d, p); err != nil {
			return err
		}
	}
	if s.Gate == nil && s.admission != nil && s.pass.disrupted == 0 {
		s.admission.release()
	}
	return nil
}

func (s *State) evictOne(ctx context.Context, f *trace.Frame, d *decided, p *corev1.Pod) error {
	if s.pass.evictions[p.UID] == evictionSent {
		gone, err := s.going(ctx, p)
		if err != nil {
			return err
		}
		if gone {
			s.pass.uncounted = true
			s.evicted(p)
		}
	}
	switch {
	case s.pass.evictions[p.UID] == evictionDone:
		f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "metadata.deletionTimestamp", To: "축출(Eviction)"})
		return nil
	case s.pass.inPlaceOnly:
		f.Add("evictionHeld/"+p.Name, "새 파드에 추천을 넣어 줄 컴포넌트가 없어 내보내지 않습니다", "")
		return nil
	case s.pass.uncounted || !d.eviction.CanEvict(p):
		f.Add("evictionHeld/"+p.Name, "이번 패스에 내보낼 수 있는 파드 수를 채웠습니다", "")
		return nil
	}
	s.pass.evictions[p.UID] = evictionSent
	err := d.eviction.Evict(p, d.vpa, s.updater.events)
	if world.IsFault(err) {
		return err
	}
	if err != nil {
		delete(s.pass.evictions, p.UID)
		f.Add("evictionRefused/"+p.Name, refusal(err), err.Error())
		return nil
	}
	s.evicted(p)
	f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "metadata.deletionTimestamp", To: "축출(Eviction)"})
	return nil
}

func (s *State) evicted(p *corev1.Pod) {
	s.pass.evictions[p.UID] = evictionDone
	s.pass.disrupted++
	s.Did(ActorUpdater, "pod/"+p.Name)
}

// going tells whether a pod is gone or on its way.
func (s *State) going(ctx context.Context, p *corev1.Pod) (bool, error) {
	live, err := s.AsObserver().Kube.CoreV1().Pods(p.Namespace).Get(ctx, p.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	return err == nil && (live.UID != p.UID || live.DeletionTimestamp != nil), err
}

// refusal is the reason of an API server's no.
func refusal(err error) string {
	if apierrors.IsTooManyRequests(err) {
		return "TooManyRequests"
	}
	if reason := apierrors.ReasonForError(err); reason != "" {
		return string(reason)
	}
	return "Error"
}

// afterAct gives the next actors the time to come to the gate.
func (s *State) afterAct(ctx context.Context) error {
	if err := s.AwaitHeld(ctx, trace.ActorKubelet, http.MethodPatch, len(s.pass.resized)); err != nil {
		return err
	}
	if s.pass.disrupted == 0 {
		return nil
	}
	if err := s.AwaitHeld(ctx, trace.ActorKubelet, http.MethodDelete, s.pass.disrupted); err != nil {
		return err
	}
	return s.AwaitWaiting(ctx, trace.ActorReplicaSet)
}

// remember notes how the pods are before the updater moves.
func (s *State) remember(ctx context.Context) error {
	w, err := s.workload(ctx)
	if err != nil {
		return err
	}
	s.rememberPods(w.Pods)
	s.Crowd = len(w.Pods)
	return nil
}

func (s *State) rememberPods(pods []*corev1.Pod) {
	s.pass.known, s.pass.before = world.Fingerprints(pods), map[string]corev1.ResourceList{}
	for _, p := range pods {
		for _, c := range p.Spec.Containers {
			s.pass.before[p.Name+"/"+c.Name] = c.Resources.Requests
		}
	}
}

func (s *State) whyKeep() string {
	if s.pass.decided == nil {
		return s.pass.skip
	}
	return "유지: 이번 패스에 바꿀 파드가 없습니다."
}

// The values of the fact "action".
const (
	actionKeep   = "keep"
	actionEvict  = "evict"
	actionResize = "resize"
)

func (s *State) action() string {
	switch {
	case s.pass.disrupted > 0:
		return actionEvict
	case len(s.pass.resized) > 0:
		return actionResize
	}
	return actionKeep
}
