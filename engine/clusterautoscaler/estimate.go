package clusterautoscaler

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	resourcehelpers "k8s.io/component-helpers/resource"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/podtopologyspread"
)

// Choice is what one node group could do for the pods (expander/expander.go Option).
type Choice struct {
	Group *NodeGroup
	Nodes int           // new ones with at least one pod
	Pods  []*corev1.Pod // that would be helped
	Bins  []Bin         // new nodes with what is on them, in the order in which they were opened
}

// Bin is a new node of an estimation.
type Bin struct {
	Node string
	Pods []string
}

// Estimate finds how many nodes each node group would need
// (core/scaleup/orchestrator/orchestrator.go ComputeExpansionOption).
func (u *ScaleUp) Estimate(ctx context.Context) error {
	for _, g := range u.Candidates {
		kinds := u.fitting(g)
		if len(kinds) == 0 {
			continue
		}
		e := &estimation{group: g, snapshot: u.snapshot.Fork(), left: u.roomFor(g)}
		if err := e.run(ctx, kinds); err != nil {
			return err
		}
		if c := e.choice(); c.Nodes > 0 {
			u.Choices = append(u.Choices, c)
		}
	}
	return nil
}

// roomFor is how many nodes an estimation may open: a loop's limit, what is left of the group
// (with its like, when they are balanced), and of the whole cluster (estimator/threshold.go,
// sng_capacity_threshold.go, cluster_capacity_threshold.go).
func (u *ScaleUp) roomFor(g *NodeGroup) int {
	room := g.Max - g.Target
	for _, like := range u.similar(g) {
		room += like.Max - like.Target
	}
	room = min(room, u.autoscaler.Options.MaxNodesPerScaleUp)
	if limit := u.autoscaler.Options.MaxNodesTotal; limit > 0 {
		room = min(room, max(0, limit-u.nodes()))
	}
	return room
}

// nodes is how many there are or will be.
func (u *ScaleUp) nodes() int { return len(u.snapshot.nodes) }

// estimation packs pods on new nodes of one group: first fit, large pods first
// (estimator/binpacking_estimator.go BinpackingNodeEstimator).
type estimation struct {
	group    *NodeGroup
	snapshot *Snapshot
	left     int // nodes that may be opened still
	full     bool
	bins     []Bin
	old      []Bin // nodes that were there before and took pods all the same
	pods     []*corev1.Pod
}

func (e *estimation) run(ctx context.Context, kinds []*PodGroup) error {
	for _, kind := range decreasing(kinds, e.group.Template) {
		rest, err := e.onOpened(ctx, kind.Pods)
		if err != nil {
			return err
		}
		if e.full {
			continue
		}
		if err := e.onNew(ctx, rest); err != nil {
			return err
		}
	}
	return nil
}

// decreasing are the kinds by what a pod takes of a node, the greatest first
// (estimator/decreasing_pod_orderer.go).
func decreasing(kinds []*PodGroup, node *corev1.Node) []*PodGroup {
	score := func(g *PodGroup) (sum float64) {
		for _, r := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			if of := node.Status.Allocatable[r]; of.MilliValue() > 0 {
				sum += float64(requested(r, g.sample())) / float64(of.MilliValue())
			}
		}
		return sum
	}
	kinds = slices.Clone(kinds)
	slices.SortStableFunc(kinds, func(a, b *PodGroup) int { return cmp.Compare(score(b), score(a)) })
	return kinds
}

// podRequests are those of a pod as the scheduler counts them: the containers together or the
// greatest init container, with sidecars, overhead, and what a pod asks for as a whole
// (utils/pod/pod.go PodRequests, with upstream's feature gates as they are by default).
func podRequests(p *corev1.Pod) corev1.ResourceList {
	return resourcehelpers.PodRequests(p, resourcehelpers.PodResourcesOptions{UseStatusResources: true})
}

// requested is the sum of what pods ask for, in thousandths.
func requested(r corev1.ResourceName, pods ...*corev1.Pod) (milli int64) {
	for _, p := range pods {
		q := podRequests(p)[r]
		milli += q.MilliValue()
	}
	return milli
}

// onOpened places pods on the new nodes until the first that fits on none, and returns the
// rest (tryToScheduleOnExistingNodes).
func (e *estimation) onOpened(ctx context.Context, pods []*corev1.Pod) ([]*corev1.Pod, error) {
	opened := func(node string) bool { return slices.ContainsFunc(e.bins, func(b Bin) bool { return b.Node == node }) }
	for i, p := range pods {
		if len(e.bins) == 0 {
			return pods, nil
		}
		node, err := e.snapshot.Schedule(ctx, p, opened)
		if err != nil || node == "" {
			return pods[i:], err
		}
		e.track(p, node)
	}
	return nil, nil
}

// onNew places pods on the last new node and opens another where that is full
// (tryToScheduleOnNewNodes).
func (e *estimation) onNew(ctx context.Context, pods []*corev1.Pod) error {
	for _, p := range pods {
		placed, err := e.onLast(ctx, p)
		if err != nil {
			return err
		}
		if placed {
			continue
		}
		if len(e.bins) > 0 && len(e.last().Pods) == 0 {
			return nil // what does not fit on an empty node fits on no other
		}
		if e.left == 0 {
			e.full = true
			return nil
		}
		e.open()
		if e.snapshot.Fit(ctx, p, e.last().Node) != nil {
			return nil
		}
		if err := e.place(p, e.last().Node); err != nil {
			return err
		}
	}
	return nil
}

// onLast tries the last new node, and any other where only the spread over hosts forbids it.
func (e *estimation) onLast(ctx context.Context, p *corev1.Pod) (bool, error) {
	if len(e.bins) == 0 {
		return false, nil
	}
	last := e.last().Node
	no := e.snapshot.Fit(ctx, p, last)
	if no == nil {
		return true, e.place(p, last)
	}
	overHosts := slices.ContainsFunc(p.Spec.TopologySpreadConstraints, func(c corev1.TopologySpreadConstraint) bool { return c.TopologyKey == corev1.LabelHostname })
	if !overHosts || !slices.Contains(no.Reasons, podtopologyspread.ErrReasonConstraintsNotMatch) {
		return false, nil
	}
	node, err := e.snapshot.Schedule(ctx, p, func(node string) bool { return node != last })
	if node != "" {
		e.track(p, node)
	}
	return node != "", err
}

func (e *estimation) last() *Bin { return &e.bins[len(e.bins)-1] }

// open adds a node to the estimation.
func (e *estimation) open() {
	e.left--
	node, pods := e.group.newNode("e-" + strconv.Itoa(len(e.bins)))
	e.snapshot.Add(node, pods...)
	e.bins = append(e.bins, Bin{Node: node.Name})
}

func (e *estimation) place(p *corev1.Pod, node string) error {
	e.track(p, node)
	return e.snapshot.Place(p, node)
}

// track notes a pod that is helped. A node that was there before counts as well, as it does
// for upstream (trackScheduledPod).
func (e *estimation) track(p *corev1.Pod, node string) {
	e.pods = append(e.pods, p)
	for _, bins := range [][]Bin{e.bins, e.old} {
		if i := slices.IndexFunc(bins, func(b Bin) bool { return b.Node == node }); i >= 0 {
			bins[i].Pods = append(bins[i].Pods, p.Name)
			return
		}
	}
	e.old = append(e.old, Bin{Node: node, Pods: []string{p.Name}})
}

// choice is what came of it: nodes without a pod are not ordered.
func (e *estimation) choice() Choice {
	used := slices.DeleteFunc(slices.Concat(e.bins, e.old), func(b Bin) bool { return len(b.Pods) == 0 })
	return Choice{Group: e.group, Nodes: len(used), Pods: e.pods, Bins: used}
}
