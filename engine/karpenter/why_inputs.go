package karpenter

import (
	"context"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/utils/resources"

	"github.com/stepscale/stepscale/engine/instances"
	"github.com/stepscale/stepscale/engine/otherwise"
)

type edit = otherwise.Edit[Recorded]

// recordedPods is where they are.
var recordedPods otherwise.Pods[Recorded] = func(r *Recorded) *[]*corev1.Pod { return &r.Pods }

// inputsOfPlan are all that a plan depends on and that somebody could have changed.
func (r Recorded) inputsOfPlan(p *plan) []otherwise.Probe {
	var edits []edit
	if p != nil {
		edits = slices.Concat(recordedPods.Requests(p.pods, r.sizes(), waits), recordedPods.Selectors(p.pods), recordedPods.Waiting(p.pods), r.limits(), r.roomOn(""), r.prices(p), r.kubelets(p))
	}
	return otherwise.Probes(r, edits, func(ctx context.Context, r Recorded) (otherwise.Outcome, error) {
		_, o, err := r.planned(ctx)
		return o, err
	})
}

func waits(p *corev1.Pod) bool { return p.Spec.NodeName == "" }

// sizes are what machines have for pods.
func (r Recorded) sizes() (list []corev1.ResourceList) {
	for _, t := range r.Types {
		list = append(list, t.Allocatable())
	}
	return list
}

// limits are those of the NodePools on CPU, in whole cores as machines have them.
func (r Recorded) limits() (list []edit) {
	for i, pool := range r.Pools {
		q, ok := pool.Spec.Limits[corev1.ResourceCPU]
		if !ok {
			continue
		}
		list = append(list, edit{Input: otherwise.Input{Kind: "limits.cpu", Of: pool.Name, Field: "spec.limits.cpu", Unit: otherwise.Count, From: q.Value(), High: q.Value() + 200}, Set: func(r *Recorded, v int64) {
			r.editPool(i, func(p *karpv1.NodePool) {
				p.Spec.Limits[corev1.ResourceCPU] = *resource.NewQuantity(v, resource.DecimalSI)
			})
		}})
	}
	return list
}

func (r *Recorded) editPool(i int, change func(*karpv1.NodePool)) {
	r.Pools[i] = r.Pools[i].DeepCopy()
	change(r.Pools[i])
}

// roomOn is what the other nodes have for pods.
func (r Recorded) roomOn(but string) (list []edit) {
	for i, n := range r.Nodes {
		if n.Name == but {
			continue
		}
		list = append(list, edit{Input: otherwise.RoomOn(n), Set: func(r *Recorded, v int64) {
			n := r.Nodes[i].DeepCopy()
			n.Status.Allocatable[corev1.ResourceCPU] = *resource.NewMilliQuantity(v, resource.DecimalSI)
			n.Status.Capacity[corev1.ResourceCPU] = *resource.NewMilliQuantity(max(v, n.Status.Capacity.Cpu().MilliValue()), resource.DecimalSI)
			r.Nodes[i] = n
		}})
	}
	return list
}

// prices are those of the types that were big enough.
func (r Recorded) prices(p *plan) (list []edit) {
	told := map[string]bool{}
	for _, claim := range p.NewNodeClaims {
		for _, t := range claim.InstanceTypeOptions {
			if !told[t.Name] {
				told[t.Name] = true
				list = append(list, r.price(t.Name)...)
			}
		}
	}
	return list
}

func (r Recorded) price(of string) []edit {
	i := slices.IndexFunc(r.Types, func(t instances.Type) bool { return t.Name == of })
	if i < 0 {
		return nil
	}
	from := int64(math.Round(r.Types[i].Price * 1e4))
	return []edit{{Input: otherwise.Input{Kind: "price", Of: of, Unit: otherwise.Price, From: from, Low: 1, High: 10*from + 1}, Set: func(r *Recorded, v int64) { r.Types[i].Price = float64(v) / 1e4 }}}
}

// kubelets are what the machines of a type have for pods that was too small, and that would
// be cheaper than the one that was chosen: up to the whole machine.
func (r Recorded) kubelets(p *plan) (list []edit) {
	for _, claim := range p.NewNodeClaims {
		from := p.opened[claim]
		for _, t := range from.within {
			cheapest := t.Offerings.Available().Compatible(claim.Requirements)
			if slices.Contains(claim.InstanceTypeOptions, t) || len(cheapest) == 0 || resources.Cmp(claim.Spec.Resources.Requests[corev1.ResourceCPU], t.Capacity[corev1.ResourceCPU]) > 0 ||
				slices.ContainsFunc(list, func(e edit) bool { return e.Of == t.Name }) {
				continue
			}
			has := t.Allocatable()[corev1.ResourceCPU]
			list = append(list, edit{Input: otherwise.Input{Kind: "kubelet.cpu", Of: t.Name, Field: "kube-reserved", Unit: otherwise.Milli, From: has.MilliValue(), Low: has.MilliValue(), High: t.Capacity.Cpu().MilliValue()}, Set: func(r *Recorded, v int64) {
				r.adjust = func(all []*cloudprovider.InstanceType) { keepLess(all, t.Name, v) }
			}})
		}
	}
	return list
}

// keepLess leaves the pods of a type's nodes so much CPU.
func keepLess(all []*cloudprovider.InstanceType, of string, milli int64) {
	for _, t := range all {
		if t.Name == of {
			t.Overhead.KubeReserved[corev1.ResourceCPU] = *resource.NewMilliQuantity(t.Capacity.Cpu().MilliValue()-milli, resource.DecimalSI)
		}
	}
}
