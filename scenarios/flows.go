package scenarios

import (
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Flow is a load and the workload that it is laid on.
type Flow struct {
	Target     string // name of the workload
	Container  string // of its pods; empty: every container that has no load of its own
	Pod        PodCost
	Load       Timeline
	WorkingSet WorkingSet
	line       int // of its target in scenario.yaml
}

// Use is what a container uses: millicores, and bytes of working set. Memory 0: the
// scenario says nothing about memory.
type Use struct {
	CPU    float64
	Memory int64
}

// flows are all loads, the first that of the target.
func (s *Scenario) flows() []Flow {
	return append([]Flow{{Target: s.Target, Pod: s.Pod, Load: s.Load, WorkingSet: s.WorkingSet}}, s.More...)
}

// Uses is what every container uses, by pod and name, elapsed after the load began. A
// pod of a workload without a load uses nothing.
func (s *Scenario) Uses(elapsed time.Duration, pods []*corev1.Pod, now time.Time) map[string]map[string]Use {
	uses := make(map[string]map[string]Use, len(pods))
	s.EachUse(elapsed, pods, now, func(pod, container string, u Use) {
		if uses[pod] == nil {
			uses[pod] = map[string]Use{}
		}
		uses[pod][container] = u
	})
	return uses
}

// EachUse is Uses for who keeps them otherwise: time passes in many slices, and every one
// of them asks.
func (s *Scenario) EachUse(elapsed time.Duration, pods []*corev1.Pod, now time.Time, tell func(pod, container string, u Use)) {
	flows := s.flows()
	list, containers := make([]Pod, 0, len(pods)), make([][]corev1.Container, 0, len(pods))
	for _, f := range flows {
		list, containers = list[:0], containers[:0]
		for _, p := range pods {
			if workloadName(p) == f.Target {
				of := f.containers(p, flows)
				list, containers = append(list, podOf(p, of, now)), append(containers, of)
			}
		}
		cpu := f.spread(elapsed, list).Usage
		for i, p := range list {
			for c := range containers[i] {
				n := len(containers[i])
				tell(p.Name, containers[i][c].Name, Use{CPU: float64(cpu[p.Name]) / float64(n), Memory: f.memory(elapsed, p) / int64(n)})
			}
		}
	}
}

// memory is what the containers of the flow would hold together.
func (f Flow) memory(elapsed time.Duration, p Pod) int64 {
	if len(f.WorkingSet.Timeline.Segments) == 0 {
		return 0
	}
	return f.WorkingSet.at(elapsed, p.ContainerAge)
}

// containers are those of the pod on which the flow is laid: the pod's own, to be read.
func (f Flow) containers(p *corev1.Pod, all []Flow) (list []corev1.Container) {
	if len(all) == 1 && f.Container == "" {
		return Running(p)
	}
	for _, c := range Running(p) {
		own := slices.ContainsFunc(all, func(o Flow) bool { return o.Target == f.Target && o.Container == c.Name })
		if f.Container == c.Name || f.Container == "" && !own {
			list = append(list, c)
		}
	}
	return list
}

// Running are the containers that run as long as their pod does: native sidecars too.
// They are the pod's own, to be read.
func Running(p *corev1.Pod) []corev1.Container {
	list := slices.Clip(p.Spec.Containers)
	for _, c := range p.Spec.InitContainers {
		if native(c) {
			list = append(list, c)
		}
	}
	return list
}

// workloadName is the name of the workload that made a pod. A Deployment's ReplicaSet
// has its name and a hash of the template (deployment/sync.go: getNewReplicaSet).
func workloadName(p *corev1.Pod) string {
	owner := metav1.GetControllerOfNoCopy(p)
	if owner == nil {
		return ""
	}
	if hash := p.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; hash != "" {
		return strings.TrimSuffix(owner.Name, "-"+hash)
	}
	return owner.Name
}

// podOf is a pod as the model knows it, for some of its containers.
func podOf(p *corev1.Pod, of []corev1.Container, now time.Time) Pod {
	pod := Pod{Name: p.Name, CPULimit: cpuLimit(p, of), Ready: isReady(p)}
	if p.Status.StartTime != nil {
		pod.Age = now.Sub(p.Status.StartTime.Time)
		pod.ContainerAge = pod.Age
	}
	for _, list := range [][]corev1.ContainerStatus{p.Status.ContainerStatuses, p.Status.InitContainerStatuses} {
		for i := range list {
			if c := &list[i]; c.State.Running != nil && named(of, c.Name) { // a container that was killed is younger than its pod
				pod.ContainerAge = min(pod.ContainerAge, now.Sub(c.State.Running.StartedAt.Time))
			}
		}
	}
	return pod
}

func named(of []corev1.Container, name string) bool {
	for i := range of {
		if of[i].Name == name {
			return true
		}
	}
	return false
}

func isReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue })
}

// cpuLimit adds up the limits of the containers, which the pod's own limit bounds; 0
// when nothing bounds them.
func cpuLimit(p *corev1.Pod, of []corev1.Container) int64 {
	var sum, whole int64
	if p.Spec.Resources != nil {
		whole = p.Spec.Resources.Limits.Cpu().MilliValue()
	}
	for i := range of {
		limit := of[i].Resources.Limits.Cpu().MilliValue()
		if limit == 0 {
			return whole
		}
		sum += limit
	}
	if whole > 0 {
		return min(sum, whole)
	}
	return sum
}
