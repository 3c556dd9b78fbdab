package karpenter

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/stepscale/stepscale/engine/otherwise"
)

// mostQuiet is how long nothing is let happen to pods at most, in seconds.
const mostQuiet = 3600

// inputsOfDisruption are all that the fate of a node depends on and that somebody could have
// changed. What an input at a value comes to is the same for all nodes, and kept in memo.
func (r Recorded) inputsOfDisruption(node string, memo map[string]map[string]otherwise.Outcome) (list []otherwise.Probe) {
	on := r.onNode(node)
	everywhere := func(*corev1.Pod) bool { return true }
	edits := slices.Concat(r.requests(on, everywhere), r.podsOn(node, on), r.roomOn(node), r.price(r.typeOf(node)), r.policies(), r.annotated(on), r.allowed(on),
		[]edit{{otherwise.Input{Kind: "time", Unit: otherwise.Seconds, High: mostQuiet}, func(r *Recorded, v int64) { r.Now = r.Now.Add(time.Duration(v) * time.Second) }}})
	for _, e := range edits {
		in := otherwise.Probe{Input: e.Input}
		in.Decide = func(ctx context.Context, v int64) (otherwise.Outcome, error) {
			if memo[key(e.Input, v)] == nil {
				of, err := e.with(r, v).disrupted(ctx)
				if err != nil {
					return otherwise.Outcome{}, err
				}
				memo[key(e.Input, v)] = of
			}
			return memo[key(e.Input, v)][node], nil
		}
		list = append(list, in)
	}
	return list
}

// typeOf is the instance type of a node.
func (r Recorded) typeOf(node string) string {
	for _, n := range r.Nodes {
		if n.Name == node {
			return n.Labels[corev1.LabelInstanceTypeStable]
		}
	}
	return ""
}

// podsOn is how many pods there are on the node: the last by name are not there.
func (r Recorded) podsOn(node string, on []*corev1.Pod) []edit {
	if len(on) == 0 {
		return nil
	}
	n := int64(len(on))
	return []edit{{otherwise.Input{Kind: "podsOnNode", Of: node, Unit: otherwise.Count, From: n, High: n}, func(r *Recorded, v int64) { r.Pods = otherwise.Without(r.Pods, on[v:]) }}}
}

// policies are what the NodePools say of disruption.
func (r Recorded) policies() (list []edit) {
	for i, pool := range r.Pools {
		d := pool.Spec.Disruption
		if after := d.ConsolidateAfter.Duration; after != nil {
			list = append(list, edit{otherwise.Input{Kind: "consolidateAfter", Of: pool.Name, Field: "spec.disruption.consolidateAfter", Unit: otherwise.Seconds, From: int64(*after / time.Second), High: mostQuiet}, func(r *Recorded, v int64) {
				quiet := time.Duration(v) * time.Second
				r.editPool(i, func(p *karpv1.NodePool) { p.Spec.Disruption.ConsolidateAfter.Duration = &quiet })
			}})
		}
		other := karpv1.ConsolidationPolicyWhenEmpty
		if d.ConsolidationPolicy == other {
			other = karpv1.ConsolidationPolicyWhenEmptyOrUnderutilized
		}
		list = append(list, edit{otherwise.Input{Kind: "consolidationPolicy", Of: string(other), Field: "spec.disruption.consolidationPolicy", Unit: otherwise.Choice, High: 1}, func(r *Recorded, _ int64) {
			r.editPool(i, func(p *karpv1.NodePool) { p.Spec.Disruption.ConsolidationPolicy = other })
		}})
		list = append(list, r.budgets(i, pool)...)
	}
	return list
}

// budgets are those of a NodePool that has one, always open: of nodes, or of a percentage.
func (r Recorded) budgets(i int, pool *karpv1.NodePool) []edit {
	if len(pool.Spec.Disruption.Budgets) != 1 {
		return nil
	}
	nodes := pool.Spec.Disruption.Budgets[0].Nodes
	number, percent := strings.CutSuffix(nodes, "%")
	from, err := strconv.ParseInt(number, 10, 32)
	if err != nil {
		return nil
	}
	unit, high, suffix := otherwise.Count, int64(len(r.Nodes))+1, ""
	if percent {
		unit, high, suffix = otherwise.Percent, 100, "%"
	}
	return []edit{{otherwise.Input{Kind: "budget", Of: pool.Name, Field: "spec.disruption.budgets[0].nodes", Unit: unit, From: from, High: max(from, high)}, func(r *Recorded, v int64) {
		r.editPool(i, func(p *karpv1.NodePool) { p.Spec.Disruption.Budgets[0].Nodes = strconv.FormatInt(v, 10) + suffix })
	}}}
}

// annotated are the workloads that say karpenter.sh/do-not-disrupt, as if they did not.
func (r Recorded) annotated(on []*corev1.Pod) (list []edit) {
	for _, w := range otherwise.Workloads(on) {
		if !slices.ContainsFunc(w.Pods, func(p *corev1.Pod) bool { return p.Annotations[karpv1.DoNotDisruptAnnotationKey] != "" }) {
			continue
		}
		list = append(list, edit{otherwise.Input{Kind: "noDoNotDisrupt", Of: w.Name, Field: karpv1.DoNotDisruptAnnotationKey, Unit: otherwise.Choice, High: 1}, func(r *Recorded, _ int64) {
			r.Pods = otherwise.Edited(r.Pods, w.Has, func(p *corev1.Pod) { delete(p.Annotations, karpv1.DoNotDisruptAnnotationKey) })
		}})
	}
	return list
}

// allowed is how many pods the budgets let go that are about pods of the node.
func (r Recorded) allowed(on []*corev1.Pod) (list []edit) {
	for i, b := range r.Budgets {
		selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err != nil || !slices.ContainsFunc(on, func(p *corev1.Pod) bool { return p.Namespace == b.Namespace && selector.Matches(labels.Set(p.Labels)) }) {
			continue
		}
		from := int64(b.Status.DisruptionsAllowed)
		list = append(list, edit{otherwise.Input{Kind: "disruptionsAllowed", Of: b.Name, Field: "status.disruptionsAllowed", Unit: otherwise.Count, From: from, High: from + 50}, func(r *Recorded, v int64) {
			r.Budgets[i] = r.Budgets[i].DeepCopy()
			r.Budgets[i].Status.DisruptionsAllowed = int32(v)
		}})
	}
	return list
}
