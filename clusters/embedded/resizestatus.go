package embedded

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	resourcehelper "k8s.io/component-helpers/resource"
)

// resizable are the resources that change in a running container.
var resizable = []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory}

// wantsResize says whether a running pod's spec and its containers differ, or
// whether a resize that was taken back is still reported as pending.
func wantsResize(pod *corev1.Pod) bool {
	if pod.Generation <= 1 || pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodRunning {
		return false
	}
	return differs(pod) || pendingResize(&pod.Status) != nil
}

// differs says whether a container has other resources than its spec says, or
// none reported.
func differs(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.ContainerStatuses, func(cs corev1.ContainerStatus) bool {
		c := containerOf(pod, cs.Name)
		return c != nil && (cs.Resources == nil || !equality.Semantic.DeepEqual(*cs.Resources, c.Resources))
	})
}

func containerOf(pod *corev1.Pod, name string) *corev1.Container {
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name == name {
			return &pod.Spec.Containers[i]
		}
	}
	return nil
}

func pendingResize(s *corev1.PodStatus) *corev1.PodCondition {
	for i := range s.Conditions {
		if s.Conditions[i].Type == corev1.PodResizePending {
			return &s.Conditions[i]
		}
	}
	return nil
}

func podRequests(pod *corev1.Pod) corev1.ResourceList {
	return resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})
}

// withReportedResources is the pod with a spec that says what its containers have.
func withReportedResources(pod *corev1.Pod) *corev1.Pod {
	pod = pod.DeepCopy()
	for _, cs := range pod.Status.ContainerStatuses {
		if c := containerOf(pod, cs.Name); c != nil && cs.Resources != nil {
			c.Resources = *cs.Resources
		}
	}
	return pod
}

func addRequests(sum, requests corev1.ResourceList) {
	for _, name := range resizable {
		q := sum[name]
		q.Add(requests[name])
		sum[name] = q
	}
}

// fit says why the requests do not fit beside what is used on the node. The
// words are the kubelet's (pkg/kubelet/lifecycle/predicate.go); in 1.37 the API
// server refuses most that no empty node could take (PodResizeValidator).
func fit(requests, used, allocatable corev1.ResourceList) (reason, message string) {
	for _, name := range resizable {
		want, all := requests[name], allocatable[name]
		if want.Cmp(all) > 0 {
			return corev1.PodReasonInfeasible, fmt.Sprintf("Node didn't have enough capacity: %s, requested: %d, capacity: %d",
				name, units(name, requests), units(name, allocatable))
		}
	}
	for _, name := range resizable {
		sum, all := requests[name].DeepCopy(), allocatable[name]
		sum.Add(used[name])
		if sum.Cmp(all) > 0 {
			return corev1.PodReasonDeferred, fmt.Sprintf("Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d",
				name, units(name, requests), units(name, used), units(name, allocatable))
		}
	}
	return "", ""
}

func units(name corev1.ResourceName, of corev1.ResourceList) int64 {
	q := of[name]
	if name == corev1.ResourceCPU {
		return q.MilliValue()
	}
	return q.Value()
}

// actuate reports that the pod's containers have what its spec says.
func actuate(s *corev1.PodStatus, pod *corev1.Pod, now metav1.Time) {
	for i := range s.ContainerStatuses {
		cs := &s.ContainerStatuses[i]
		c := containerOf(pod, cs.Name)
		if c == nil {
			continue
		}
		if cs.State.Waiting == nil && restartsFor(c, cs.Resources) { // one that waits starts with what it has then
			restart(cs, end{"Completed", 0}, "", now) // a last state of before would tell of an earlier end once more
		}
		cs.Resources = c.Resources.DeepCopy()
		cs.AllocatedResources = c.Resources.Requests.DeepCopy()
	}
	s.ObservedGeneration = pod.Generation
	s.Conditions = slices.DeleteFunc(s.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodResizePending || c.Type == corev1.PodResizeInProgress
	})
}

// restartsFor says whether one of the changed resources needs a restart.
func restartsFor(c *corev1.Container, had *corev1.ResourceRequirements) bool {
	return slices.ContainsFunc(c.ResizePolicy, func(p corev1.ContainerResizePolicy) bool {
		if p.RestartPolicy != corev1.RestartContainer {
			return false
		}
		return had == nil || !sameQuantity(had.Requests, c.Resources.Requests, p.ResourceName) ||
			!sameQuantity(had.Limits, c.Resources.Limits, p.ResourceName)
	})
}

func sameQuantity(a, b corev1.ResourceList, name corev1.ResourceName) bool {
	x, inA := a[name]
	y, inB := b[name]
	return inA == inB && x.Cmp(y) == 0
}

// refuse reports why the resize waits. The condition is written once for every
// reason and generation, as a kubelet does, and not again while nothing changes.
func refuse(s *corev1.PodStatus, pod *corev1.Pod, reason, message string, now metav1.Time) {
	s.ObservedGeneration = pod.Generation
	pending := pendingResize(s)
	if pending == nil {
		s.Conditions = append(s.Conditions, corev1.PodCondition{Type: corev1.PodResizePending})
		pending = &s.Conditions[len(s.Conditions)-1]
	} else if pending.Reason == reason && pending.ObservedGeneration == pod.Generation {
		return
	}
	if pending.Reason != reason {
		pending.LastTransitionTime = now
	}
	pending.Status, pending.Reason, pending.Message = corev1.ConditionTrue, reason, message
	pending.LastProbeTime, pending.ObservedGeneration = now, pod.Generation
}
