package clusterautoscaler

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Removal is what taking a node away would mean (simulator/cluster.go NodeToBeRemoved,
// UnremovableNode).
type Removal struct {
	Node         *corev1.Node
	Moves        []Placement   // of its pods
	Pods         []*corev1.Pod // that are evicted
	OnCompletion []*corev1.Pod // that are waited for
	Risky        bool          // a budget does not let all the pods go at once

	Reason  Reason // "": it could go
	Blocker *corev1.Pod
	Block   Block
	// Refused is why the first pod without a place fits on none of the other nodes, by node.
	Homeless *corev1.Pod
	Refused  map[string]*Refusal
}

// Simulate takes the eligible nodes away, one after the other, where all their pods have a
// place. What has moved stays moved, and a node that is gone takes no pods
// (core/scaledown/planner/planner.go categorizeNodes).
func (d *ScaleDown) Simulate(ctx context.Context) error {
	destinations := map[string]bool{}
	for _, n := range d.cluster.Nodes {
		destinations[n.Name] = !hasTaint(n, ToBeDeletedTaint)
	}
	found := 0
	for _, c := range d.Checked {
		if c.Reason != "" {
			continue
		}
		if found >= d.limit() {
			d.Removals = append(d.Removals, Removal{Node: c.Node, Reason: NotUnneededOtherReason})
			continue
		}
		r, err := d.simulate(ctx, c.Node, destinations)
		if err != nil {
			return err
		}
		if r.Reason == "" {
			found++
			r.Risky = !d.drain.budgets.atOnce(r.Pods)
			d.drain.budgets.spend(r.Pods)
		} else {
			d.autoscaler.recheck[c.Node.Name] = d.cluster.Now.Add(d.autoscaler.Options.RecheckTimeout)
		}
		d.Removals = append(d.Removals, r)
	}
	return nil
}

// limit is beyond how many unneeded nodes looking for more is a waste of time
// (core/scaledown/planner/planner.go unneededNodesLimit).
func (d *ScaleDown) limit() int {
	o := d.autoscaler.Options
	loops := max(int(o.UnneededTime/max(o.ScanInterval, 1)), 1)
	return min(o.Parallelism*loops+o.Parallelism, len(d.autoscaler.unneeded)+2*o.Parallelism)
}

// simulate is simulator/cluster.go SimulateNodeRemoval.
func (d *ScaleDown) simulate(ctx context.Context, n *corev1.Node, destinations map[string]bool) (Removal, error) {
	r := Removal{Node: n}
	for _, p := range d.snapshot.PodsOn(n.Name) {
		switch outcome, why := d.drain.judge(p); {
		case outcome == blocked:
			return Removal{Node: n, Reason: BlockedByPod, Blocker: p, Block: why}, nil
		case outcome == completion:
			r.OnCompletion = append(r.OnCompletion, p)
		case outcome == skip, ofDaemonSet(p): // go with the node
		default:
			r.Pods = append(r.Pods, p)
		}
	}
	fork := d.snapshot.Fork()
	if err := d.move(ctx, fork, &r, destinations); err != nil {
		return r, err
	}
	if r.Reason == "" {
		d.snapshot = fork
	}
	return r, nil
}

// move finds a place for every pod. Meanwhile the node stays as one that takes none, because
// a spread over nodes counts it still (findPlaceFor, replaceWithTaintedGhostNode).
func (d *ScaleDown) move(ctx context.Context, s *Snapshot, r *Removal, destinations map[string]bool) error {
	s.Remove(r.Node.Name)
	ghost := r.Node.DeepCopy()
	ghost.Spec.Taints = append(ghost.Spec.Taints, corev1.Taint{Key: ToBeDeletedTaint, Effect: corev1.TaintEffectNoSchedule})
	s.Add(ghost)
	acceptable := func(node string) bool { return node != r.Node.Name && destinations[node] }
	for _, p := range r.Pods {
		free := *p
		free.Spec.NodeName = ""
		node, err := s.Schedule(ctx, &free, acceptable)
		if err != nil {
			return err
		}
		if node == "" {
			r.Reason, r.Homeless, r.Refused = NoPlaceToMovePods, p, d.refusals(ctx, s, &free, acceptable)
			return nil
		}
		r.Moves = append(r.Moves, Placement{p.Name, node})
	}
	s.Remove(r.Node.Name)
	return nil
}

// refusals are why a pod fits on none of the nodes.
func (d *ScaleDown) refusals(ctx context.Context, s *Snapshot, p *corev1.Pod, acceptable func(string) bool) map[string]*Refusal {
	why := map[string]*Refusal{}
	for _, info := range s.nodes {
		node := info.Node().Name
		if acceptable(node) {
			why[node] = s.Fit(ctx, p, node)
		}
	}
	return why
}

// unneeded are the removals that could be done.
func (d *ScaleDown) unneeded() []*Removal {
	var could []*Removal
	for i := range d.Removals {
		if d.Removals[i].Reason == "" {
			could = append(could, &d.Removals[i])
		}
	}
	slices.SortStableFunc(could, func(a, b *Removal) int { return risk(a) - risk(b) })
	return could
}

// risk puts empty nodes first and those last whose pods a budget does not let go at once
// (core/scaledown/planner/planner.go sortByRisk).
func risk(r *Removal) int {
	switch {
	case len(r.Pods) == 0:
		return 0
	case !r.Risky:
		return 1
	}
	return 2
}
