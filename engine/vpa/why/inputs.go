package why

import (
	"math"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	resourcehelpers "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/resources"

	"github.com/stepscale/stepscale/engine/otherwise"
	"github.com/stepscale/stepscale/engine/vpa"
)

// input is something that a decision reads, as a whole number with bounds.
type input struct {
	kind                       Kind
	container, resource, field string
	unit                       otherwise.Unit
	from, low, high            int64
	set                        func(j *vpa.Judged, v int64) // of a copy, whose VPA is not
	size                       func(p *corev1.Pod, v int64) // of a copy
}

// decide is whether the pod is updated with another value of the input. What is recorded
// is the value of from, and stays untouched.
func (i input) decide(j vpa.Judged, p *corev1.Pod, v int64) bool {
	switch {
	case v == i.from:
	case i.size != nil:
		p = p.DeepCopy()
		i.size(p, v)
	default:
		i.set(&j, v)
	}
	return j.Updates(p)
}

// What no input is tried beyond.
const (
	mostAmount      = 1 << 40 // millicores, or Mi
	mostThousandths = 10_000  // a difference of ten times
	mostSeconds     = 8 * 24 * 3600
)

// inputs are all that the decision about a pod depends on and that somebody could have
// changed.
func inputs(j vpa.Judged, p *corev1.Pod) (list []input) {
	if j.VPA.Status.Recommendation != nil {
		for i, r := range j.VPA.Status.Recommendation.ContainerRecommendations {
			for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
				if _, ok := r.Target[name]; ok {
					list = append(list, ofContainer(p, i, r, name)...)
				}
			}
		}
	}
	return append(list, later(j), lifetime(j), threshold(j))
}

func ofContainer(p *corev1.Pod, i int, r vpav1.RecommendedContainerResources, name corev1.ResourceName) (list []input) {
	unit, scale := otherwise.Milli, int64(1)
	if name == corev1.ResourceMemory {
		unit, scale = otherwise.Mebibytes, 1<<20
	}
	amount := func(l corev1.ResourceList) int64 {
		if name == corev1.ResourceCPU {
			return l.Cpu().MilliValue()
		}
		return l.Memory().Value() / scale
	}
	quantity := func(v int64) resource.Quantity {
		if name == corev1.ResourceCPU {
			return *resource.NewMilliQuantity(v, resource.DecimalSI)
		}
		return *resource.NewQuantity(v*scale, resource.BinarySI)
	}
	one := input{container: r.ContainerName, resource: string(name), unit: unit, low: 1}
	requests, _ := resourcehelpers.ContainerRequestsAndLimits(r.ContainerName, p)
	most := 4 * max(amount(r.Target), amount(r.UpperBound), amount(requests), 1)
	one.high = int64(math.Min(float64(most), mostAmount))
	if hasContainer(p, r.ContainerName) {
		request := one
		request.kind, request.from = Request, amount(requests)
		request.size = func(p *corev1.Pod, v int64) { setRequest(p, r.ContainerName, name, quantity(v)) }
		list = append(list, request)
	}
	for _, b := range []struct {
		kind Kind
		list func(*vpav1.RecommendedContainerResources) corev1.ResourceList
	}{
		{LowerBound, func(r *vpav1.RecommendedContainerResources) corev1.ResourceList { return r.LowerBound }},
		{Target, func(r *vpav1.RecommendedContainerResources) corev1.ResourceList { return r.Target }},
		{UpperBound, func(r *vpav1.RecommendedContainerResources) corev1.ResourceList { return r.UpperBound }},
	} {
		if _, ok := b.list(&r)[name]; !ok {
			continue
		}
		bound := one
		bound.kind, bound.from = b.kind, amount(b.list(&r))
		bound.set = func(j *vpa.Judged, v int64) {
			j.VPA = j.VPA.DeepCopy()
			b.list(&j.VPA.Status.Recommendation.ContainerRecommendations[i])[name] = quantity(v)
		}
		list = append(list, bound)
	}
	return list
}

func hasContainer(p *corev1.Pod, name string) bool {
	return slices.ContainsFunc(p.Spec.Containers, func(c corev1.Container) bool { return c.Name == name })
}

// setRequest sets it where it is written and where the kubelet reports it.
func setRequest(p *corev1.Pod, container string, name corev1.ResourceName, q resource.Quantity) {
	set := func(r *corev1.ResourceRequirements) {
		if r.Requests == nil {
			r.Requests = corev1.ResourceList{}
		}
		r.Requests[name] = q
	}
	for i := range p.Spec.Containers {
		if p.Spec.Containers[i].Name == container {
			set(&p.Spec.Containers[i].Resources)
		}
	}
	for i := range p.Status.ContainerStatuses {
		if c := &p.Status.ContainerStatuses[i]; c.Name == container && c.Resources != nil {
			set(c.Resources)
		}
	}
}

// later lets time pass: the pod gets older, and everything else stays as it is.
func later(j vpa.Judged) input {
	longest := max(j.Params.Update.PodLifetimeUpdateThreshold, j.Params.Update.EvictAfterOOMThreshold)
	return input{kind: Later, unit: otherwise.Seconds, high: min(int64(longest/time.Second)+1, mostSeconds), set: func(j *vpa.Judged, v int64) {
		j.Now = j.Now.Add(time.Duration(v) * time.Second)
	}}
}

func lifetime(j vpa.Judged) input {
	return input{kind: Lifetime, field: "--in-recommendation-bounds-eviction-lifetime-threshold", unit: otherwise.Seconds,
		from: int64(j.Params.Update.PodLifetimeUpdateThreshold / time.Second), high: mostSeconds, set: func(j *vpa.Judged, v int64) {
			j.Params.Update.PodLifetimeUpdateThreshold = time.Duration(v) * time.Second
		}}
}

func threshold(j vpa.Judged) input {
	return input{kind: Threshold, field: "--pod-update-threshold", unit: otherwise.Thousandth,
		from: int64(math.Round(j.Params.Update.MinChangePriority * 1000)), high: mostThousandths, set: func(j *vpa.Judged, v int64) {
			j.Params.Update.MinChangePriority = float64(v) / 1000
		}}
}
