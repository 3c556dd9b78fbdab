package karpenter

import (
	"context"
	"fmt"
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

// edit is an input and what another value of it does to a copy of what was recorded.
type edit struct {
	otherwise.Input
	set func(r *Recorded, v int64)
}

// with is what was recorded with another value; From leaves it alone.
func (e edit) with(r Recorded, v int64) Recorded {
	r = r.own()
	if v != e.From {
		e.set(&r, v)
	}
	return r
}

// inputsOfPlan are all that a plan depends on and that somebody could have changed.
func (r Recorded) inputsOfPlan(p *plan) (list []otherwise.Probe) {
	var edits []edit
	if p != nil {
		edits = slices.Concat(r.requests(p.pods, waits), r.selectors(p.pods), []edit{r.waiting(p.pods)}, r.limits(), r.roomOn(""), r.prices(p), r.kubelets(p))
	}
	for _, e := range edits {
		in := otherwise.Probe{Input: e.Input}
		in.Decide = func(ctx context.Context, v int64) (otherwise.Outcome, error) {
			_, o, err := e.with(r, v).planned(ctx)
			return o, err
		}
		list = append(list, in)
	}
	return list
}

func waits(p *corev1.Pod) bool { return p.Spec.NodeName == "" }

// requests are those of each workload, of all its pods alike that match.
func (r Recorded) requests(pods []*corev1.Pod, match func(*corev1.Pod) bool) (list []edit) {
	var sizes []corev1.ResourceList
	for _, t := range r.Types {
		sizes = append(sizes, t.Allocatable())
	}
	for _, w := range otherwise.Workloads(pods) {
		for _, in := range w.Requests(otherwise.Largest(sizes...)) {
			list = append(list, edit{in, func(r *Recorded, v int64) {
				r.Pods = otherwise.Edited(r.Pods, func(p *corev1.Pod) bool { return w.Has(p) && match(p) }, func(p *corev1.Pod) { in.SetRequest(p, v) })
			}})
		}
	}
	return list
}

// selectors are nodeSelectors that might not be there.
func (r Recorded) selectors(pods []*corev1.Pod) (list []edit) {
	for _, w := range otherwise.Workloads(pods) {
		if len(w.Pods[0].Spec.NodeSelector) > 0 {
			list = append(list, edit{otherwise.Input{Kind: "noNodeSelector", Of: w.Name, Field: "nodeSelector", Unit: otherwise.Choice, High: 1}, func(r *Recorded, _ int64) {
				r.Pods = otherwise.Edited(r.Pods, w.Has, func(p *corev1.Pod) { p.Spec.NodeSelector = nil })
			}})
		}
	}
	return list
}

func (r Recorded) waiting(pods []*corev1.Pod) edit {
	return edit{otherwise.Waiting(pods), func(r *Recorded, v int64) { r.Pods = otherwise.SetWaiting(r.Pods, pods, v) }}
}

// limits are those of the NodePools on CPU, in whole cores as machines have them.
func (r Recorded) limits() (list []edit) {
	for i, pool := range r.Pools {
		q, ok := pool.Spec.Limits[corev1.ResourceCPU]
		if !ok {
			continue
		}
		list = append(list, edit{otherwise.Input{Kind: "limits.cpu", Of: pool.Name, Field: "spec.limits.cpu", Unit: otherwise.Count, From: q.Value(), High: q.Value() + 200}, func(r *Recorded, v int64) {
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
		from := n.Status.Allocatable.Cpu().MilliValue()
		list = append(list, edit{otherwise.Input{Kind: "allocatable.cpu", Of: n.Name, Field: "status.allocatable.cpu", Unit: otherwise.Milli, From: from, Low: from, High: 4*from + 1}, func(r *Recorded, v int64) {
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
	return []edit{{otherwise.Input{Kind: "price", Of: of, Unit: otherwise.Price, From: from, Low: 1, High: 10*from + 1}, func(r *Recorded, v int64) { r.Types[i].Price = float64(v) / 1e4 }}}
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
			list = append(list, edit{otherwise.Input{Kind: "kubelet.cpu", Of: t.Name, Field: "kube-reserved", Unit: otherwise.Milli, From: has.MilliValue(), Low: has.MilliValue(), High: t.Capacity.Cpu().MilliValue()}, func(r *Recorded, v int64) {
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

// onNode are the pods of a node that have to go somewhere, in the order of their names.
func (r Recorded) onNode(node string) (pods []*corev1.Pod) {
	for _, p := range r.Pods {
		if p.Spec.NodeName == node {
			pods = append(pods, p)
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int {
		return slices.Compare([]string{a.Namespace, a.Name}, []string{b.Namespace, b.Name})
	})
	return pods
}

func key(in otherwise.Input, v int64) string {
	return fmt.Sprint(in.Kind, "\x00", in.Of, "\x00", in.Field, "\x00", v)
}
