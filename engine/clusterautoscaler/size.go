package clusterautoscaler

import (
	"cmp"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Resize is a node group that gets another size (processors/nodegroupset ScaleUpInfo).
type Resize struct {
	Group    *NodeGroup
	From, To int
}

// What may make a scale-up smaller (Capped).
const (
	CappedByMaxTotal = "max-nodes-total"
	CappedByQuota    = "cores-total, memory-total"
	CappedByGroup    = "max"
)

// Size turns the best choice into sizes of groups, within the limits
// (core/scaleup/orchestrator/orchestrator.go prepareScaleUp).
func (u *ScaleUp) Size() {
	if u.Best == nil {
		return
	}
	u.Wanted = u.Best.Nodes
	n := u.Wanted
	if limit := u.autoscaler.Options.MaxNodesTotal; limit > 0 && n+u.nodes() > limit {
		n = limit - u.nodes()
		u.Capped = append(u.Capped, CappedByMaxTotal)
	}
	if n < 1 {
		return
	}
	if allowed, _ := u.quota(u.Best.Group, n); allowed < n {
		n = allowed
		u.Capped = append(u.Capped, CappedByQuota)
	}
	u.Resizes = balance(append([]*NodeGroup{u.Best.Group}, u.similar(u.Best.Group)...), n)
	total := 0
	for _, r := range u.Resizes {
		total += r.To - r.From
	}
	if total < n {
		u.Capped = append(u.Capped, CappedByGroup)
	}
}

// balance gives the nodes to the smallest groups first, none beyond its maximum
// (processors/nodegroupset/balancing_processor.go BalanceScaleUpBetweenGroups).
func balance(groups []*NodeGroup, n int) (resizes []Resize) {
	for _, g := range groups {
		resizes = append(resizes, Resize{g, g.Target, g.Target})
	}
	slices.SortStableFunc(resizes, func(a, b Resize) int { return cmp.Compare(a.From, b.From) })
	for ; n > 0; n-- {
		smallest := -1
		for i, r := range resizes {
			if r.To < r.Group.Max && (smallest < 0 || r.To < resizes[smallest].To) {
				smallest = i
			}
		}
		if smallest < 0 {
			break
		}
		resizes[smallest].To++
	}
	return slices.DeleteFunc(resizes, func(r Resize) bool { return r.To == r.From })
}

// similar are the other groups with like nodes on which the same pods fit; none unless
// --balance-similar-node-groups (core/scaleup/orchestrator/orchestrator.go ComputeSimilarNodeGroups).
func (u *ScaleUp) similar(g *NodeGroup) (like []*NodeGroup) {
	if !u.autoscaler.Options.BalanceSimilarNodeGroups {
		return nil
	}
	for _, other := range u.Candidates {
		if other == g || !nodesAlike(g.Template, other.Template) {
			continue
		}
		fits := u.fitting(other)
		if !slices.ContainsFunc(u.fitting(g), func(kind *PodGroup) bool { return !slices.Contains(fits, kind) }) {
			like = append(like, other)
		}
	}
	return like
}

// How much nodes may differ and be alike (config/const.go).
const (
	maxMemoryDifference      = 0.015
	maxAllocatableDifference = 0.05
)

// notCompared are the labels in which like nodes may differ
// (processors/nodegroupset/compare_nodegroups.go BasicIgnoredLabels, aws_nodegroups.go).
var notCompared = []string{
	corev1.LabelHostname, corev1.LabelTopologyZone, corev1.LabelTopologyRegion, corev1.LabelFailureDomainBetaZone, corev1.LabelFailureDomainBetaRegion,
	"topology.ebs.csi.aws.com/zone", "eks.amazonaws.com/nodegroup", "alpha.eksctl.io/nodegroup-name", "alpha.eksctl.io/instance-id",
}

// nodesAlike is processors/nodegroupset/compare_nodegroups.go IsCloudProviderNodeInfoSimilar.
func nodesAlike(a, b *corev1.Node) bool {
	if len(a.Status.Capacity) != len(b.Status.Capacity) {
		return false
	}
	for name, q := range a.Status.Capacity {
		other, ok := b.Status.Capacity[name]
		switch {
		case !ok, name != corev1.ResourceMemory && q.Cmp(other) != 0:
			return false
		case name == corev1.ResourceMemory && !within(q, other, maxMemoryDifference):
			return false
		}
	}
	for name, q := range a.Status.Allocatable {
		if !within(q, b.Status.Allocatable[name], maxAllocatableDifference) {
			return false
		}
	}
	return labelsAlike(a.Labels, b.Labels) && labelsAlike(b.Labels, a.Labels)
}

func within(a, b resource.Quantity, ratio float64) bool {
	x, y := float64(a.MilliValue()), float64(b.MilliValue())
	return math.Abs(x-y) <= max(x, y)*ratio
}

func labelsAlike(a, b map[string]string) bool {
	for name, value := range a {
		if other, ok := b[name]; !slices.Contains(notCompared, name) && (!ok || other != value) {
			return false
		}
	}
	return true
}
