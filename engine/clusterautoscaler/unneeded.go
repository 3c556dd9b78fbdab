package clusterautoscaler

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Unneeded keeps since when each node has been unneeded. One that was needed in a single
// loop begins anew (core/scaledown/unneeded/nodes.go Update).
func (d *ScaleDown) Unneeded() {
	since := map[string]time.Time{}
	for _, r := range d.unneeded() {
		since[r.Node.Name] = d.cluster.Now
		if before, ok := d.autoscaler.unneeded[r.Node.Name]; ok {
			since[r.Node.Name] = before
		}
	}
	d.autoscaler.unneeded, d.Since = since, since
}

// Forget begins to count anew for all nodes (core/scaledown/planner/planner.go CleanUpUnneededNodes).
func (a *Autoscaler) Forget() { a.unneeded = map[string]time.Time{} }

// Cooldown is what keeps nodes from being removed after something has happened.
type Cooldown struct {
	AfterAdd, AfterDelete, AfterFailure time.Duration // left of each, 0 when it is over
	ThisLoop                            bool          // the half that adds nodes waits for more pods, and this one with it
}

// On tells that nothing is removed in this loop.
func (c Cooldown) On() bool { return c.ThisLoop || c.Left() > 0 }

// Left is the longest that is left.
func (c Cooldown) Left() time.Duration { return max(c.AfterAdd, c.AfterDelete, c.AfterFailure) }

// Cool finds what is left of the delays (core/static_autoscaler.go isScaleDownInCooldown).
func (d *ScaleDown) Cool() {
	a, now := d.autoscaler, d.cluster.Now
	left := func(last time.Time, delay time.Duration) time.Duration { return max(0, last.Add(delay).Sub(now)) }
	d.Cooldown.AfterAdd = left(a.lastScaleUp, a.Options.DelayAfterAdd)
	d.Cooldown.AfterDelete = left(a.lastDelete, a.Options.DelayAfterDelete)
	d.Cooldown.AfterFailure = left(a.lastFailure, a.Options.DelayAfterFailure)
}

// Verdicted is an unneeded node with what is against removing it now.
type Verdicted struct {
	*Removal
	Left   time.Duration // until it has been unneeded long enough
	Reason Reason        // "": it may go
}

// Judge finds which unneeded nodes may go now (core/scaledown/unneeded/nodes.go RemovableAt,
// core/scaledown/planner/planner.go NodesToDelete).
func (d *ScaleDown) Judge() {
	size := map[string]int{}
	for _, g := range d.cluster.Groups {
		size[g.Name] = g.Target - len(d.cluster.readiness(g).deleted)
	}
	cores := total(d.cluster.Nodes, corev1.ResourceCPU)
	memory := total(d.cluster.Nodes, corev1.ResourceMemory)
	for _, r := range d.unneeded() {
		v := Verdicted{Removal: r}
		v.Left = max(0, d.threshold(r.Node)-d.cluster.Now.Sub(d.Since[r.Node.Name]))
		g := d.cluster.GroupOf(r.Node.Name)
		of := r.Node.Status.Capacity
		switch {
		case !d.Since[r.Node.Name].Add(d.threshold(r.Node)).Before(d.cluster.Now): // not even at the very moment
			v.Reason = NotUnneededLongEnough
			if !nodeReady(r.Node) {
				v.Reason = NotUnreadyLongEnough
			}
		case size[g.Name] <= g.Min:
			v.Reason = NodeGroupMinSizeReached
		case cores-of.Cpu().Value() < d.autoscaler.Options.Cores.Min, memory-of.Memory().Value() < d.autoscaler.Options.Memory.Min:
			v.Reason = MinimalResourceLimitExceeded
		case len(r.OnCompletion) > 0:
			v.Reason = BlockedByOnCompletionPod
		default:
			size[g.Name]--
			cores -= of.Cpu().Value()
			memory -= of.Memory().Value()
		}
		d.Removable = append(d.Removable, v)
	}
}

// threshold is how long a node has to be unneeded.
func (d *ScaleDown) threshold(n *corev1.Node) time.Duration {
	if nodeReady(n) {
		return d.autoscaler.Options.UnneededTime
	}
	return d.autoscaler.Options.UnreadyTime
}

// Pick takes as many of the nodes as may go at once: ten, of which one is drained. Nodes
// that are going already count (core/scaledown/budgets/budgets.go CropNodes).
func (d *ScaleDown) Pick() {
	going, draining := 0, 0
	for _, n := range d.cluster.Nodes {
		if hasTaint(n, ToBeDeletedTaint) {
			going++
			if !d.isEmpty(n.Name) {
				draining++
			}
		}
	}
	left := d.autoscaler.Options.Parallelism - going
	drains := min(left, d.autoscaler.Options.DrainParallelism-draining)
	for _, v := range d.Removable {
		switch {
		case v.Reason != "":
		case d.Cooldown.On():
			d.Held = append(d.Held, v.Removal)
		case len(v.Pods) == 0 && left > 0:
			d.Empty = append(d.Empty, v.Removal)
			left--
			drains = min(drains, left)
		case len(v.Pods) > 0 && drains > 0:
			d.Drain = append(d.Drain, v.Removal)
			left--
			drains--
		default:
			d.Held = append(d.Held, v.Removal)
		}
	}
}
