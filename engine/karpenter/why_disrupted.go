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
// changed.
func (r Recorded) inputsOfDisruption(node string, memo otherwise.Memo) []otherwise.Probe {
	on := otherwise.OnNode(r.Pods, node)
	everywhere := func(*corev1.Pod) bool { return true }
	edits := slices.Concat(recordedPods.Requests(on, r.sizes(), everywhere), recordedPods.OnNode(node, on), r.roomOn(node), r.price(r.typeOf(node)), r.policies(), annotated(on), r.allowed(on),
		[]edit{{Input: otherwise.Input{Kind: "time", Unit: otherwise.Seconds, High: mostQuiet}, Set: func(r *Recorded, v int64) { r.Now = r.Now.Add(time.Duration(v) * time.Second) }}})
	return otherwise.ProbesOf(node, r, edits, memo, otherwise.Outcome{}, func(ctx context.Context, r Recorded) (map[string]otherwise.Outcome, error) { return r.disrupted(ctx) })
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

// policies are what the NodePools say of disruption.
func (r Recorded) policies() (list []edit) {
	for i, pool := range r.Pools {
		d := pool.Spec.Disruption
		if after := d.ConsolidateAfter.Duration; after != nil {
			list = append(list, edit{Input: otherwise.Input{Kind: "consolidateAfter", Of: pool.Name, Field: "spec.disruption.consolidateAfter", Unit: otherwise.Seconds, From: int64(*after / time.Second), High: mostQuiet}, Set: func(r *Recorded, v int64) {
				quiet := time.Duration(v) * time.Second
				r.editPool(i, func(p *karpv1.NodePool) { p.Spec.Disruption.ConsolidateAfter.Duration = &quiet })
			}})
		}
		other := karpv1.ConsolidationPolicyWhenEmpty
		if d.ConsolidationPolicy == other {
			other = karpv1.ConsolidationPolicyWhenEmptyOrUnderutilized
		}
		list = append(list, edit{Input: otherwise.Input{Kind: "consolidationPolicy", Of: string(other), Field: "spec.disruption.consolidationPolicy", Unit: otherwise.Choice, High: 1}, Set: func(r *Recorded, _ int64) {
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
	return []edit{{Input: otherwise.Input{Kind: "budget", Of: pool.Name, Field: "spec.disruption.budgets[0].nodes", Unit: unit, From: from, High: max(from, high)}, Set: func(r *Recorded, v int64) {
		r.editPool(i, func(p *karpv1.NodePool) { p.Spec.Disruption.Budgets[0].Nodes = strconv.FormatInt(v, 10) + suffix })
	}}}
}

// annotated are the workloads that say karpenter.sh/do-not-disrupt, as if they did not.
func annotated(on []*corev1.Pod) (list []edit) {
	for _, w := range otherwise.Workloads(on) {
		if slices.ContainsFunc(w.Pods, func(p *corev1.Pod) bool { return p.Annotations[karpv1.DoNotDisruptAnnotationKey] != "" }) {
			list = append(list, recordedPods.Change(otherwise.Input{Kind: "noDoNotDisrupt", Of: w.Name, Field: karpv1.DoNotDisruptAnnotationKey, Unit: otherwise.Choice, High: 1}, w.Has,
				func(p *corev1.Pod, _ int64) { delete(p.Annotations, karpv1.DoNotDisruptAnnotationKey) }))
		}
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
		list = append(list, edit{Input: otherwise.Allowed(b.Name, b.Status.DisruptionsAllowed), Set: func(r *Recorded, v int64) {
			r.Budgets[i] = r.Budgets[i].DeepCopy()
			r.Budgets[i].Status.DisruptionsAllowed = int32(v)
		}})
	}
	return list
}
