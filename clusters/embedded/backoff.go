package embedded

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/kubernetes/pkg/kubelet/util/format"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
)

// A kubelet waits before it starts a container again that has ended twice: 10 seconds at
// first, twice as long every time, and not at all after ten minutes without an end
// (kubelet/kubelet.go, newCrashLoopBackOff; kuberuntime_manager.go, doBackOff).
const (
	firstBackOff   = 10 * time.Second
	crashLoop      = "CrashLoopBackOff" // kubelet/container/sync_result.go
	longestBackOff = 5 * time.Minute
)

// virtualTime is the virtual clock for code that reads a clock only.
type virtualTime struct {
	clock.RealClock
	*virtualClock
}

func (v virtualTime) Now() time.Time                  { return v.virtualClock.Now() }
func (v virtualTime) Since(t time.Time) time.Duration { return v.virtualClock.Since(t) }

// newBackOff is the kubelet's own, in virtual time.
func newBackOff(c *virtualClock) *flowcontrol.Backoff {
	b := flowcontrol.NewBackOff(firstBackOff, longestBackOff)
	b.Clock = virtualTime{virtualClock: c}
	return b
}

func backOffKey(pod *corev1.Pod, container string) string { return string(pod.UID) + "/" + container }

// holdBack says of those containers that have ended at a moment why they do not start
// again yet; those that do are not in it.
func (u *usage) holdBack(pod *corev1.Pod, ended map[string]bool, at time.Time) map[string]string {
	waits := map[string]string{}
	for name := range ended {
		key := backOffKey(pod, name)
		if u.backoff.IsInBackOffSince(key, at) {
			waits[name] = fmt.Sprintf("back-off %s restarting failed container=%s pod=%s", u.backoff.Get(key), name, format.Pod(pod))
			continue
		}
		u.backoff.Next(key, at)
	}
	return waits
}

// inBackOff tells that a container does not run, and since when it has ended.
func inBackOff(pod *corev1.Pod, container string) (ended time.Time, is bool) {
	for cs := range statusesOf(&pod.Status) {
		if cs.Name == container && cs.State.Waiting != nil && cs.State.Waiting.Reason == crashLoop {
			if t := cs.LastTerminationState.Terminated; t != nil {
				ended = t.FinishedAt.Time
			}
			return ended, true
		}
	}
	return time.Time{}, false
}

// startAgain starts the containers whose time to wait is over. It puts their pods as they
// are then in the list's place.
func (u *usage) startAgain(ctx context.Context, pods []*corev1.Pod, now time.Time) error {
	u.backoff.GC()
	for i, pod := range pods {
		due := map[string]bool{}
		for _, c := range containersOf(pod) {
			if ended, waits := inBackOff(pod, c.Name); waits && !u.backoff.IsInBackOffSince(backOffKey(pod, c.Name), ended) {
				due[c.Name] = true
			}
		}
		if len(due) == 0 {
			continue
		}
		after, err := patchPodStatus(ctx, u.kubelet, pod, func(s *corev1.PodStatus) { started(s, pod, due, now) })
		switch {
		case apierrors.IsNotFound(err) || apierrors.IsConflict(err): // gone, or tried again in the next slice
			continue
		case err != nil:
			return fmt.Errorf("report the start of pod %s/%s: %w", pod.Namespace, pod.Name, err)
		}
		for name := range due {
			u.backoff.Next(backOffKey(pod, name), now)
		}
		pods[i] = after
	}
	return nil
}

// started writes into a pod's status that containers run again. Those that nobody asks
// are ready at once.
func started(s *corev1.PodStatus, pod *corev1.Pod, due map[string]bool, now time.Time) {
	asked := map[string]bool{}
	for _, c := range containersOf(pod) {
		asked[c.Name] = probed(c)
	}
	for cs := range statusesOf(s) {
		if due[cs.Name] {
			cs.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now)}}
			cs.RestartCount++
			cs.Ready, cs.Started = !asked[cs.Name], ptr.To(!asked[cs.Name])
		}
	}
	readyWithAll(s, asked, now)
}
