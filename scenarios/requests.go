package scenarios

import (
	"strconv"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
)

// lack is a request that an HPA asks for and a pod does not have.
type lack struct {
	resource  corev1.ResourceName
	container string   // empty: of the whole pod
	path      []string // below the pod's spec
}

// lacks finds what makes calculateRequests of upstream's replica_calculator.go fail for
// a pod: a utilization is a part of requests, of every container, the native sidecars
// among them, or of the pod itself.
func lacks(h *autoscalingv2.HorizontalPodAutoscaler, pod *corev1.Pod) (all []lack) {
	for _, m := range h.Spec.Metrics {
		switch {
		case m.Resource != nil && m.Resource.Target.Type == autoscalingv2.UtilizationMetricType:
			all = append(all, lacksOf(pod, m.Resource.Name, "")...)
		case m.ContainerResource != nil && m.ContainerResource.Target.Type == autoscalingv2.UtilizationMetricType:
			all = append(all, lacksOf(pod, m.ContainerResource.Name, m.ContainerResource.Container)...)
		}
	}
	return all
}

func lacksOf(pod *corev1.Pod, name corev1.ResourceName, container string) (all []lack) {
	if container == "" && resourcehelper.IsPodLevelRequestsSet(pod) {
		if _, ok := resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})[name]; !ok {
			all = append(all, lack{name, "", []string{"resources"}})
		}
		return all
	}
	in := func(field string, containers []corev1.Container, counts func(corev1.Container) bool) {
		for i, c := range containers {
			_, requested := c.Resources.Requests[name]
			if counts(c) && !requested && (container == "" || container == c.Name) {
				all = append(all, lack{name, c.Name, []string{field, strconv.Itoa(i), "name"}})
			}
		}
	}
	in("containers", pod.Spec.Containers, func(corev1.Container) bool { return true })
	in("initContainers", pod.Spec.InitContainers, native)
	return all
}

// native tells a sidecar from a container that ends before the others start.
func native(c corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}
