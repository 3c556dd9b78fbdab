package embedded

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
)

// end is what a container runtime reports of a container that has ended.
type end struct {
	reason   string
	exitCode int32
}

var (
	oomKilled = end{"OOMKilled", 137} // by the kernel
	crashed   = end{"Error", 1}       // by itself
)

// killOverLimit kills the containers whose working set is over their memory
// limit, and starts them again at once. It puts their pods as they are then in
// the list's place, where the load model finds the new start.
func (u *usage) killOverLimit(ctx context.Context, pods []*corev1.Pod, use inUse, now time.Time) (bool, error) {
	killed := false
	for i, pod := range pods {
		over := overLimit(pod, use[pod.Name])
		if len(over) == 0 {
			continue
		}
		after, err := u.kill(ctx, pod, over, oomKilled, now)
		if apierrors.IsNotFound(err) { // deleted since the list was read
			continue
		}
		if err != nil {
			return killed, fmt.Errorf("report %s of pod %s/%s: %w", oomKilled.reason, pod.Namespace, pod.Name, err)
		}
		pods[i], killed = after, true
	}
	return killed, nil
}

// overLimit names the containers that use more memory than they may. The
// constant that stands in for a missing memory model kills nothing.
func overLimit(pod *corev1.Pod, use map[string]Usage) map[string]bool {
	var over map[string]bool
	for _, c := range containersOf(pod) {
		if _, ended := inBackOff(pod, c.Name); ended {
			continue
		}
		if limit, ok := limitsInForce(pod, c)[corev1.ResourceMemory]; ok && use[c.Name].Memory > limit.Value() {
			if over == nil {
				over = map[string]bool{}
			}
			over[c.Name] = true
		}
	}
	return over
}

// limitsInForce are those of the container's cgroup: a resize that the kubelet
// has not done yet is in the spec already, and in the status not.
func limitsInForce(pod *corev1.Pod, c corev1.Container) corev1.ResourceList {
	for cs := range statusesOf(&pod.Status) {
		if cs.Name == c.Name && cs.Resources != nil {
			return cs.Resources.Limits
		}
	}
	return c.Resources.Limits
}

// kill reports that containers of the pod have ended, and runs them again: at once the
// first time, and later when the kubelet's back-off is over.
func (u *usage) kill(ctx context.Context, pod *corev1.Pod, ended map[string]bool, how end, now time.Time) (*corev1.Pod, error) {
	var after *corev1.Pod
	waits := u.holdBack(pod, ended, now)
	err := retry.RetryOnConflict(retry.DefaultRetry, func() (err error) {
		after, err = patchPodStatus(ctx, u.kubelet, pod, func(s *corev1.PodStatus) {
			defer unready(s, pod, ended, waits, now)
			for cs := range statusesOf(s) {
				if ended[cs.Name] {
					restart(cs, how, waits[cs.Name], metav1.NewTime(now))
				}
			}
		})
		if apierrors.IsConflict(err) {
			fresh, getErr := u.kubelet.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
			if getErr != nil {
				return getErr
			}
			if fresh.UID != pod.UID {
				return apierrors.NewNotFound(corev1.Resource("pods"), pod.Name)
			}
			pod = fresh
		}
		return err
	})
	return after, err
}

// restart makes the status that of a container that ended and runs again, or waits and
// says why.
func restart(cs *corev1.ContainerStatus, how end, waits string, now metav1.Time) {
	ended := &corev1.ContainerStateTerminated{Reason: how.reason, ExitCode: how.exitCode, FinishedAt: now}
	if cs.State.Running != nil {
		ended.StartedAt = cs.State.Running.StartedAt
	}
	cs.LastTerminationState = corev1.ContainerState{Terminated: ended}
	if waits != "" {
		cs.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: crashLoop, Message: waits}}
		cs.Ready, cs.Started = false, ptr.To(false)
		return
	}
	cs.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}
	cs.RestartCount++
}

// unready tells of the containers that have ended and are asked before they are ready
// again, or wait.
func unready(s *corev1.PodStatus, pod *corev1.Pod, over map[string]bool, waits map[string]string, now time.Time) {
	for _, c := range containersOf(pod) {
		if !over[c.Name] || !probed(c) && waits[c.Name] == "" {
			continue
		}
		for cs := range statusesOf(s) {
			if cs.Name == c.Name {
				cs.Ready = false
			}
		}
		setReady(s, corev1.ConditionFalse, now)
	}
}
