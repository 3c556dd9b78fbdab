package otherwise

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Workload are the pods of one controller, or one pod that has none.
type Workload struct {
	Name string // of the Deployment, where a ReplicaSet is its
	Pods []*corev1.Pod
	uid  types.UID
}

// Workloads are those of the pods, in their order.
func Workloads(pods []*corev1.Pod) (list []Workload) {
	for _, p := range pods {
		i := slices.IndexFunc(list, func(w Workload) bool { return w.Has(p) })
		if i < 0 {
			w := Workload{Name: p.Name, uid: p.UID}
			if owner := metav1.GetControllerOf(p); owner != nil {
				w.Name, w.uid = strings.TrimSuffix(owner.Name, "-"+p.Labels["pod-template-hash"]), owner.UID
			}
			i, list = len(list), append(list, w)
		}
		list[i].Pods = append(list[i].Pods, p)
	}
	return list
}

// Has tells whether a pod belongs to it.
func (w Workload) Has(p *corev1.Pod) bool {
	if owner := metav1.GetControllerOf(p); owner != nil {
		return owner.UID == w.uid
	}
	return p.UID == w.uid
}

// requests are what the first container of the workload's pods asks for: its CPU and its
// memory, none beyond most and what it is.
func (w Workload) requests(most corev1.ResourceList) (list []Input) {
	if len(w.Pods[0].Spec.Containers) == 0 {
		return nil
	}
	for _, of := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		unit, scale := unitOf(of)
		q, high := w.Pods[0].Spec.Containers[0].Resources.Requests[of], most[of]
		list = append(list, Input{Kind: "requests." + string(of), Of: w.Name, Field: "resources.requests." + string(of), Unit: unit,
			From: q.MilliValue() / scale, High: max(high.MilliValue(), q.MilliValue())/scale + 1})
	}
	return list
}

// unitOf is what a resource is counted in, and how many thousandths that is.
func unitOf(of corev1.ResourceName) (Unit, int64) {
	if of == corev1.ResourceMemory {
		return Mebibytes, 1000 << 20
	}
	return Milli, 1
}

// setRequest is what one of requests means to a pod.
func (i Input) setRequest(p *corev1.Pod, v int64) {
	if len(p.Spec.Containers) == 0 {
		return
	}
	of := corev1.ResourceName(strings.TrimPrefix(i.Kind, "requests."))
	_, scale := unitOf(of)
	c := &p.Spec.Containers[0]
	if c.Resources.Requests == nil {
		c.Resources.Requests = corev1.ResourceList{}
	}
	c.Resources.Requests[of] = *resource.NewMilliQuantity(v*scale, resource.DecimalSI)
	p.Status.ContainerStatuses = nil // what a kubelet has allocated would count as well
}

// edited are the pods with copies of those that match, changed.
func edited(pods []*corev1.Pod, match func(*corev1.Pod) bool, change func(*corev1.Pod)) []*corev1.Pod {
	pods = slices.Clone(pods)
	for i, p := range pods {
		if match(p) {
			pods[i] = p.DeepCopy()
			change(pods[i])
		}
	}
	return pods
}

// without are the pods but for those.
func without(pods, gone []*corev1.Pod) []*corev1.Pod {
	return slices.DeleteFunc(slices.Clone(pods), func(p *corev1.Pod) bool {
		return slices.ContainsFunc(gone, func(g *corev1.Pod) bool { return g.UID == p.UID && g.Name == p.Name })
	})
}

// more are the pods with n more like the last of some of them.
func more(pods []*corev1.Pod, like *corev1.Pod, n int) []*corev1.Pod {
	pods = slices.Clone(pods)
	for i := range n {
		p := like.DeepCopy()
		p.Name += "-more-" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		p.UID = types.UID(p.Name)
		pods = append(pods, p)
	}
	return pods
}

// largest is the most that one of several has of each resource.
func largest(of []corev1.ResourceList) corev1.ResourceList {
	most := corev1.ResourceList{}
	for _, list := range of {
		for name, q := range list {
			if was := most[name]; q.Cmp(was) > 0 {
				most[name] = q
			}
		}
	}
	return most
}

// OnNode are the pods of a node, in the order of their names.
func OnNode(pods []*corev1.Pod, node string) (on []*corev1.Pod) {
	for _, p := range pods {
		if p.Spec.NodeName == node {
			on = append(on, p)
		}
	}
	slices.SortFunc(on, func(a, b *corev1.Pod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return on
}

// mostMore is how many more of something are tried.
const mostMore = 50
