package world

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// waitingPod is a pod whose container waits for a reason, as kubelets write it.
func waitingPod(name, reason, message string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{
		Image: "reg.example/web:v1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
	}}}}
}

func TestBlocked(t *testing.T) {
	crashed := waitingPod("a", "CrashLoopBackOff", "back-off 10s restarting failed container=web")
	crashed.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 3}
	sidecar := waitingPod("a", "ErrImagePull", "not found")
	sidecar.Status.InitContainerStatuses, sidecar.Status.ContainerStatuses = sidecar.Status.ContainerStatuses, nil
	for _, c := range []struct {
		pod  *corev1.Pod
		want string
	}{
		{waitingPod("a", "ContainerCreating", ""), ""},
		{waitingPod("a", "PodInitializing", ""), ""},
		{waitingPod("a", "ImagePullBackOff", `Back-off pulling image "reg.example/web:v1"`), `ImagePullBackOff: Back-off pulling image "reg.example/web:v1"`},
		{waitingPod("a", "InvalidImageName", ""), "InvalidImageName: reg.example/web:v1"},
		{crashed, "CrashLoopBackOff: back-off 10s restarting failed container=web (Error, exit code 3)"},
		{sidecar, "ErrImagePull: not found"},
	} {
		if got := Blocked(c.pod); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestBlockedIsTold: a pod that stands still is told of after BlockedWithin, and not as
// long as others become Ready.
func TestBlockedIsTold(t *testing.T) {
	ready := &corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}}
	one := Workload{Pods: []*corev1.Pod{waitingPod("web-1", "ErrImagePull", "no such host")}}
	two := Workload{Pods: []*corev1.Pod{one.Pods[0], ready}}
	var stand blocked
	begin := time.Now()
	for _, c := range []struct {
		at   time.Duration
		now  Workload
		told bool
	}{
		{0, one, false}, {BlockedWithin - time.Second, one, false}, {BlockedWithin - time.Second, two, false},
		{2*BlockedWithin - 2*time.Second, two, false}, {2 * BlockedWithin, two, true},
	} {
		err := stand.look(c.now, begin.Add(c.at))
		if errors.Is(err, ErrBlocked) != c.told {
			t.Errorf("after %s: %v", c.at, err)
		}
		if c.told && !strings.Contains(err.Error(), "web-1: ErrImagePull: no such host") {
			t.Error(err)
		}
	}
}
