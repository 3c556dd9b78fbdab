package clusterautoscaler

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The annotations of pods that Cluster Autoscaler heeds (utils/drain/drain.go, core/static_autoscaler.go).
const (
	SafeToEvict             = "cluster-autoscaler.kubernetes.io/safe-to-evict"
	SafeToEvictLocalVolumes = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
	PodScaleUpDelay         = "cluster-autoscaler.kubernetes.io/pod-scale-up-delay"
)

// longTerminating is what a pod may take beyond its grace period (utils/drain/drain.go
// PodLongTerminatingExtraThreshold).
const longTerminating = 30 * time.Second

// ofDaemonSet is utils/pod/pod.go IsDaemonSetPod.
func ofDaemonSet(p *corev1.Pod) bool {
	owner := metav1.GetControllerOf(p)
	return owner != nil && owner.Kind == "DaemonSet" || p.Annotations["cluster-autoscaler.kubernetes.io/daemonset-pod"] == "true"
}

// isMirror is utils/pod/pod.go IsMirrorPod: a static pod of a kubelet.
func isMirror(p *corev1.Pod) bool { return p.Annotations[corev1.MirrorPodAnnotationKey] != "" }

// isTerminal is utils/drain/drain.go IsPodTerminal.
func isTerminal(p *corev1.Pod) bool {
	switch p.Status.Phase {
	case corev1.PodFailed:
		return true
	case corev1.PodSucceeded:
		return p.Spec.RestartPolicy != corev1.RestartPolicyAlways
	}
	return false
}

// terminatesLong is utils/drain/drain.go IsPodLongTerminating.
func terminatesLong(p *corev1.Pod, now time.Time) bool {
	if p.DeletionTimestamp == nil {
		return false
	}
	grace := int64(corev1.DefaultTerminationGracePeriodSeconds)
	if p.Spec.TerminationGracePeriodSeconds != nil {
		grace = *p.Spec.TerminationGracePeriodSeconds
	}
	return p.DeletionTimestamp.Add(time.Duration(grace)*time.Second + longTerminating).Before(now)
}

// blockingVolumes are the local volumes that nobody has called safe to lose
// (utils/drain/drain.go HasBlockingLocalStorage).
func blockingVolumes(p *corev1.Pod) (blocking []string) {
	safe := strings.Split(p.Annotations[SafeToEvictLocalVolumes], ",")
	for _, v := range p.Spec.Volumes {
		local := v.HostPath != nil || v.EmptyDir != nil && v.EmptyDir.Medium != corev1.StorageMediumMemory
		if local && !slices.Contains(safe, v.Name) {
			blocking = append(blocking, v.Name)
		}
	}
	return blocking
}

// isExpendable is core/utils/expendable.go IsExpendablePod: it neither makes nodes come nor
// keeps them.
func isExpendable(p *corev1.Pod, cutoff int32) bool {
	return p.Spec.Priority != nil && *p.Spec.Priority < cutoff
}

// alike is a pod's spec without what scheduling does not look at
// (utils/utils.go sanitizePodSpec).
func alike(p *corev1.Pod) *corev1.PodSpec {
	spec := p.Spec.DeepCopy()
	spec.Hostname = ""
	projected := map[string]bool{}
	spec.Volumes = slices.DeleteFunc(spec.Volumes, func(v corev1.Volume) bool {
		projected[v.Name] = v.Projected != nil
		return v.Projected != nil
	})
	for _, containers := range [][]corev1.Container{spec.Containers, spec.InitContainers} {
		for i := range containers {
			containers[i].Env = nil
			containers[i].VolumeMounts = slices.DeleteFunc(containers[i].VolumeMounts, func(m corev1.VolumeMount) bool { return projected[m.Name] })
		}
	}
	return spec
}

// maxAlike is how many kinds of pod are kept apart for one controller
// (core/scaleup/equivalence/groups.go, simulator/scheduling/similar_pods.go).
const maxAlike = 10

// kinds find pods that scheduling treats alike: of one controller, with equal labels and
// an equal spec.
type kinds[T any] map[string][]kind[T]

type kind[T any] struct {
	labels map[string]string
	spec   *corev1.PodSpec
	value  T
}

// find is what was kept for pods like this one; false where nothing was.
func (k kinds[T]) find(p *corev1.Pod) (value T, ok bool) {
	owner := metav1.GetControllerOf(p)
	if owner == nil || ofDaemonSet(p) {
		return value, false
	}
	var spec *corev1.PodSpec
	for _, x := range k[string(owner.UID)] {
		if spec == nil {
			spec = alike(p)
		}
		if equality.Semantic.DeepEqual(x.labels, p.Labels) && equality.Semantic.DeepEqual(x.spec, spec) {
			return x.value, true
		}
	}
	return value, false
}

// keep keeps a value for pods like this one, unless the controller has too many kinds.
func (k kinds[T]) keep(p *corev1.Pod, value T) {
	owner := metav1.GetControllerOf(p)
	if owner == nil || ofDaemonSet(p) || len(k[string(owner.UID)]) >= maxAlike {
		return
	}
	k[string(owner.UID)] = append(k[string(owner.UID)], kind[T]{p.Labels, alike(p), value})
}
