package clusterautoscaler

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Reason is why a node is not removed (simulator/cluster.go UnremovableReason).
type Reason string

// The reasons, named as upstream's.
const (
	RecentlyUnremovable          Reason = "RecentlyUnremovable"
	CurrentlyBeingDeleted        Reason = "CurrentlyBeingDeleted"
	ScaleDownDisabled            Reason = "ScaleDownDisabledAnnotation"
	NotAutoscaled                Reason = "NotAutoscaled"
	ScaleDownUnreadyDisabled     Reason = "ScaleDownUnreadyDisabled"
	NotUnderutilized             Reason = "NotUnderutilized"
	BlockedByPod                 Reason = "BlockedByPod"
	NoPlaceToMovePods            Reason = "NoPlaceToMovePods"
	NotUnneededOtherReason       Reason = "NotUnneededOtherReason"
	NotUnneededLongEnough        Reason = "NotUnneededLongEnough"
	NotUnreadyLongEnough         Reason = "NotUnreadyLongEnough"
	NodeGroupMinSizeReached      Reason = "NodeGroupMinSizeReached"
	MinimalResourceLimitExceeded Reason = "MinimalResourceLimitExceeded"
	BlockedByOnCompletionPod     Reason = "BlockedByOnCompletionPod"
	UnexpectedError              Reason = "UnexpectedError"
)

// ScaleDown is one decision about fewer nodes. Its stages are to be called in their order;
// each fills in what stands below its name.
type ScaleDown struct {
	cluster    *Cluster
	autoscaler *Autoscaler
	snapshot   *Snapshot
	drain      *drainContext

	// Order
	Candidates []*corev1.Node // in the order in which they are looked at
	Excluded   []Checked      // nodes that are not looked at
	// Eligible
	Checked []Checked
	// Simulate
	Removals []Removal
	// Unneeded
	Since map[string]time.Time // by node that is unneeded
	// Cooldown
	Cooldown Cooldown
	// Removable
	Removable []Verdicted
	// Pick
	Empty, Drain []*Removal // that go now
	Held         []*Removal // that the budgets keep back
}

// Checked is a node with what eligibility says of it.
type Checked struct {
	Node        *corev1.Node
	Utilization Utilization
	Known       bool   // there was reason to calculate the utilization
	Reason      Reason // "": it may go, as far as this is concerned
}

// ScaleDown begins a decision.
func (a *Autoscaler) ScaleDown(c *Cluster) (*ScaleDown, error) {
	budgets, err := newPDBTracker(c.Budgets)
	if err != nil {
		return nil, err
	}
	bound := slices.DeleteFunc(slices.Clone(c.Pods), func(p *corev1.Pod) bool {
		return p.Spec.NodeName == "" || isExpendable(p, a.Options.ExpendablePriority)
	})
	return &ScaleDown{
		cluster: c, autoscaler: a, snapshot: a.judge.NewSnapshot(c.Nodes, bound),
		drain: &drainContext{cluster: c, options: a.Options, budgets: budgets},
	}, nil
}

// Run goes through all the stages.
func (d *ScaleDown) Run(ctx context.Context) error {
	d.Order()
	d.Eligible()
	if err := d.Simulate(ctx); err != nil {
		return err
	}
	d.Unneeded()
	d.Cool()
	d.Judge()
	d.Pick()
	return nil
}

// Order finds the nodes that may be looked at: of groups above their minimum, the empty
// ones first and then those that were unneeded before (processors/nodes/pre_filtering_processor.go,
// processors/scaledowncandidates/{emptycandidates,previouscandidates}). Nodes that have not
// started yet are none.
func (d *ScaleDown) Order() {
	starting := d.cluster.readiness(nil).notStarted
	for _, n := range d.cluster.Nodes {
		switch g := d.cluster.GroupOf(n.Name); {
		case slices.Contains(starting, n.Name):
		case g == nil:
			d.Excluded = append(d.Excluded, Checked{Node: n, Reason: NotAutoscaled})
		case g.Target <= g.Min:
			d.Excluded = append(d.Excluded, Checked{Node: n, Reason: NodeGroupMinSizeReached})
		default:
			d.Candidates = append(d.Candidates, n)
		}
	}
	rank := func(n *corev1.Node) int {
		_, before := d.autoscaler.unneeded[n.Name]
		switch {
		case d.isEmpty(n.Name):
			return 0
		case before:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(d.Candidates, func(a, b *corev1.Node) int { return rank(a) - rank(b) })
}

// isEmpty tells that nothing on a node would have to be moved. Budgets and controllers are
// not asked (emptycandidates/empty_candidates_sorting.go).
func (d *ScaleDown) isEmpty(node string) bool {
	alone := &drainContext{cluster: &Cluster{Now: d.cluster.Now}, options: d.autoscaler.Options, budgets: &pdbTracker{}}
	for _, p := range d.snapshot.PodsOn(node) {
		switch outcome, _ := alone.judge(p); {
		case outcome == blocked, outcome == drainOK && !ofDaemonSet(p):
			return false
		}
	}
	return true
}

// Eligible asks of every candidate whether it is used so little that looking further is
// worth it (core/scaledown/eligibility/eligibility.go FilterOutUnremovable).
func (d *ScaleDown) Eligible() {
	for node, until := range d.autoscaler.recheck {
		if !d.snapshot.Has(node) || !until.After(d.cluster.Now) {
			delete(d.autoscaler.recheck, node)
		}
	}
	for _, n := range d.Candidates {
		c := Checked{Node: n}
		c.Reason = d.ineligible(n, &c)
		d.Checked = append(d.Checked, c)
	}
}

// ineligible is eligibility.go unremovableReasonAndNodeUtilization.
func (d *ScaleDown) ineligible(n *corev1.Node, c *Checked) Reason {
	_, recently := d.autoscaler.recheck[n.Name]
	switch {
	case recently:
		return RecentlyUnremovable
	case hasTaint(n, ToBeDeletedTaint):
		return CurrentlyBeingDeleted
	case n.Annotations[ScaleDownDisabledAnnotation] == "true":
		return ScaleDownDisabled
	case d.cluster.GroupOf(n.Name) == nil:
		return NotAutoscaled
	}
	u, err := utilizationOf(n, d.snapshot.PodsOn(n.Name), d.autoscaler.Options, d.cluster.Now)
	if err != nil {
		return UnexpectedError
	}
	c.Utilization, c.Known = u, true
	switch {
	case !d.autoscaler.Options.ScaleDownUnready && !nodeReady(n):
		return ScaleDownUnreadyDisabled
	case u.Value() > d.autoscaler.Options.UtilizationThreshold:
		return NotUnderutilized
	}
	return ""
}
