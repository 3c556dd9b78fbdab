package hpa_test

import (
	"math/rand/v2"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/kubernetes/pkg/controller/util/selectors"
	"k8s.io/utils/ptr"
)

// oddities are what a world has beside the usual. Each kind has its own source of
// chance, so that a history without one of them is the same history else.
type oddities struct {
	shape                       shape
	pod, lag, company, periods  *rand.Rand
	lacking, podLevel, sidecars bool // some pods of this world lack a container, and so on
	status                      int32
	rivals                      []selectors.Key // the HPA that is watched among them; empty when it is alone
}

func newOddities(s shape, replicas int32) oddities {
	chance := func(kind uint64) *rand.Rand { return rand.New(rand.NewPCG(s.Seed, kind)) }
	o := oddities{shape: s, pod: chance(1), lag: chance(2), company: chance(3), periods: chance(4), status: replicas}
	o.lacking, o.podLevel, o.sidecars = o.pod.IntN(3) == 0, o.pod.IntN(3) == 0, o.pod.IntN(3) == 0
	return o
}

// statusReplicas are those of the scale's status: they follow, late.
func (o *oddities) statusReplicas(replicas int32) int32 {
	if o.shape.Prompt {
		return replicas
	}
	return o.status
}

// shapePod makes a new pod unlike the others.
func (o *oddities) shapePod(p *corev1.Pod) {
	if o.shape.Alike {
		return
	}
	if o.lacking && o.pod.IntN(6) == 0 {
		lackOne(o.pod, p)
	}
	if o.sidecars && o.pod.IntN(2) == 0 {
		addInitContainers(o.pod, p)
	}
	if o.podLevel && o.pod.IntN(2) == 0 {
		p.Spec.Resources = &corev1.ResourceRequirements{Requests: someRequests(o.pod)}
		if o.pod.IntN(2) == 0 {
			for i := range p.Spec.Containers {
				p.Spec.Containers[i].Resources.Requests = nil
			}
		}
	}
}

// lackOne takes a container away, or renames it, or takes a request of it.
func lackOne(rng *rand.Rand, p *corev1.Pod) {
	containers, i := p.Spec.Containers, rng.IntN(2)
	switch rng.IntN(4) {
	case 0:
		p.Spec.Containers = append([]corev1.Container{}, containers[1-i])
	case 1:
		containers[i].Name = "renamed"
	case 2:
		containers[i].Resources.Requests = someRequests(rng)
	default:
		containers[i].Resources.Requests = nil
	}
}

// addInitContainers adds one that ends, or one that runs beside the others; now and then
// it is one of the others.
func addInitContainers(rng *rand.Rand, p *corev1.Pod) {
	c := corev1.Container{Name: "init"}
	if rng.IntN(3) == 0 {
		c, p.Spec.Containers = p.Spec.Containers[0], p.Spec.Containers[1:]
	}
	if rng.IntN(3) > 0 {
		c.RestartPolicy = ptr.To(corev1.ContainerRestartPolicyAlways)
	}
	if rng.IntN(4) > 0 {
		c.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("2")}
	}
	p.Spec.InitContainers = append(p.Spec.InitContainers, c)
}

func someRequests(rng *rand.Rand) corev1.ResourceList {
	list := corev1.ResourceList{}
	if rng.IntN(3) > 0 {
		list[corev1.ResourceCPU] = resource.MustParse("300m")
	}
	if rng.IntN(3) > 0 {
		list[corev1.ResourceMemory] = resource.MustParse("3")
	}
	return list
}

// oddMessages are of upstream's events in odd worlds.
var oddMessages = []string{
	"container app not found in Pod", "missing request for cpu in container init", "missing pod-level request for",
	"controlled by more than one HPA", "pods might be unready",
}

// stepOddly moves what is odd in the world.
func (w *world) stepOddly() {
	o := &w.odd
	if !o.shape.Alike {
		for _, p := range w.list() {
			if p.Status.Phase == corev1.PodSucceeded && o.pod.IntN(3) == 0 {
				delete(w.pods, p.Name)
			}
			if kind := o.pod.IntN(120); kind < spoilt && w.pods[p.Name] == p {
				spoilStatus(w.changed(p), kind)
			}
		}
	}
	o.status = w.replicas
	if o.lag.IntN(3) == 0 {
		o.status = max(0, w.replicas+int32(o.lag.IntN(7)-3))
	}
	if !o.shape.Alone {
		o.keepCompany()
	}
}

const spoilt = 8 // kinds of status that spoilStatus knows

// spoilStatus gives a pod a status that a kubelet is seldom seen to write.
func spoilStatus(p *corev1.Pod, kind int) {
	switch s := &p.Status; kind {
	case 0:
		s.Phase = corev1.PodSucceeded
	case 1:
		s.Phase = corev1.PodFailed
	case 2:
		s.Phase = corev1.PodUnknown
	case 3:
		s.StartTime = nil
	case 4:
		s.Conditions = nil
	case 5:
		s.Conditions = []corev1.PodCondition{{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}
	case 6:
		for i := range s.Conditions {
			s.Conditions[i].Status = corev1.ConditionUnknown
		}
	case 7:
		s.Phase = ""
	}
}

// keepCompany lets other HPAs for the same pods come and go.
func (o *oddities) keepCompany() {
	if len(o.rivals) > 0 {
		if o.company.IntN(2) == 0 {
			o.rivals = nil
		}
		return
	}
	if o.company.IntN(25) > 0 {
		return
	}
	for _, name := range []string{"api", "old", "web", "zz"} {
		if name == "web" || o.company.IntN(2) == 0 {
			o.rivals = append(o.rivals, selectors.Key{Name: name, Namespace: "ns"})
		}
	}
}

// rivals are the HPAs that upstream finds: without a pod it finds none.
func (w *world) rivals() []selectors.Key {
	if len(w.pods) == 0 || len(w.odd.rivals) < 2 {
		return nil
	}
	return w.odd.rivals
}

// editPeriods makes the periods of the policies longer or shorter, as an edit of them
// with kubectl would.
func (w *world) editPeriods() bool {
	b, o := w.hpa.Spec.Behavior, &w.odd
	if b == nil || o.shape.Still || o.shape.Fixed || o.periods.IntN(10) > 0 {
		return false
	}
	b = b.DeepCopy()
	for _, rules := range []*autoscalingv2.HPAScalingRules{b.ScaleUp, b.ScaleDown} {
		for i := range rules.Policies {
			rules.Policies[i].PeriodSeconds = []int32{1, 15, 30, 60, 120, 300, 1800}[o.periods.IntN(7)]
		}
	}
	w.hpa.Spec.Behavior = b
	w.hpa.Generation++
	return true
}
