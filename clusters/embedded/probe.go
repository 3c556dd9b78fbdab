package embedded

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"
	"k8s.io/utils/ptr"
)

// Warming is a Load that also says how long the process of a container takes before its
// probes succeed.
type Warming interface {
	Warming(pod *corev1.Pod) time.Duration
}

// probed tells whether somebody has to ask the container before it is ready.
func probed(c corev1.Container) bool { return c.ReadinessProbe != nil || c.StartupProbe != nil }

// readyAfter is how long after its start a container is ready: at the first tick of the
// prober at which its process answers (kubelet/prober/worker.go: doProbe). Nothing is
// asked before initialDelaySeconds, and of readiness nothing before the startup probe
// has succeeded, which makes the prober ask at once (prober_manager.go: UpdatePodStatus).
func readyAfter(c corev1.Container, warming time.Duration) time.Duration {
	var started time.Duration
	if p := c.StartupProbe; p != nil {
		started = succeeds(p, warming, 0)
	}
	if c.ReadinessProbe == nil {
		return started
	}
	return succeeds(c.ReadinessProbe, warming, started)
}

// succeeds is when a probe has been answered often enough; asked is a moment out of turn.
func succeeds(p *corev1.Probe, warming, asked time.Duration) time.Duration {
	period := time.Duration(max(p.PeriodSeconds, 1)) * time.Second
	least := max(time.Duration(p.InitialDelaySeconds)*time.Second, warming)
	first := asked
	if asked == 0 || asked < least {
		first = (max(least, asked) + period - 1) / period * period
	}
	return first + time.Duration(max(p.SuccessThreshold, 1)-1)*period
}

// waiting are the pods of a list that wait for a probe.
func waiting(pods []*corev1.Pod) (list []int) {
	for i, pod := range pods {
		if podutil.IsPodReady(pod) {
			continue
		}
		for _, c := range containersOf(pod) {
			if probed(c) {
				list = append(list, i)
				break
			}
		}
	}
	return list
}

// probe lets the containers become ready whose probe has succeeded by now. It puts their
// pods as they are then in the list's place, where the load model finds them.
func (u *usage) probe(ctx context.Context, pods []*corev1.Pod, model Load, now time.Time) error {
	for _, i := range waiting(pods) {
		pod := pods[i]
		var warming time.Duration
		if w, ok := model.(Warming); ok {
			warming = w.Warming(pod)
		}
		due := map[string]bool{}
		for _, c := range containersOf(pod) {
			_, ended := inBackOff(pod, c.Name)
			due[c.Name] = !ended && !now.Before(startOf(pod, c.Name).Add(readyAfter(c, warming)))
		}
		if !anyDue(pod, due) {
			continue
		}
		after, err := patchPodStatus(ctx, u.kubelet, pod, func(s *corev1.PodStatus) { answered(s, due, now) })
		switch {
		case apierrors.IsNotFound(err) || apierrors.IsConflict(err): // gone, or asked again at the next tick
		case err != nil:
			return fmt.Errorf("report readiness of pod %s/%s: %w", pod.Namespace, pod.Name, err)
		default:
			pods[i] = after
		}
	}
	return nil
}

// anyDue tells whether a container becomes ready that was not.
func anyDue(pod *corev1.Pod, due map[string]bool) bool {
	for cs := range statusesOf(&pod.Status) {
		if due[cs.Name] && !cs.Ready {
			return true
		}
	}
	return false
}

// answered writes what the probes have found into a pod's status.
func answered(s *corev1.PodStatus, due map[string]bool, now time.Time) {
	for cs := range statusesOf(s) {
		if due[cs.Name] {
			cs.Ready, cs.Started = true, ptr.To(true)
		}
	}
	readyWithAll(s, due, now)
}

// readyWithAll makes a pod Ready when every one of its containers that run is.
func readyWithAll(s *corev1.PodStatus, run map[string]bool, now time.Time) {
	for cs := range statusesOf(s) {
		if _, runs := run[cs.Name]; runs && !cs.Ready {
			return
		}
	}
	setReady(s, corev1.ConditionTrue, now)
}

// setReady writes both conditions of a pod that tell whether it may be sent requests.
func setReady(s *corev1.PodStatus, status corev1.ConditionStatus, now time.Time) {
	for _, t := range []corev1.PodConditionType{corev1.ContainersReady, corev1.PodReady} {
		if _, c := podutil.GetPodCondition(s, t); c != nil && c.Status != status {
			c.Status, c.LastTransitionTime = status, metav1.NewTime(now)
		}
	}
}
