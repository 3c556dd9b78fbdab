package clusterautoscaler

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	corehelpers "k8s.io/component-helpers/scheduling/corev1"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"
)

// youngFor is how long Cluster Autoscaler waits for more pods when all are new
// (core/static_autoscaler.go unschedulablePodTimeBuffer).
const youngFor = 2 * time.Second

// Verdict is what becomes of the pods that need help.
type Verdict string

// The verdicts (core/static_autoscaler.go shouldScaleUp).
const (
	Needed        Verdict = "Needed"
	NotNeeded     Verdict = "NotNeeded"              // nobody needs help
	LimitedByMax  Verdict = "LimitedByMaxNodesTotal" // --max-nodes-total is reached
	AllPodsAreNew Verdict = "InCooldown"             // wait one loop for more of them
)

// ScaleUp is one decision about more nodes. Its stages are to be called in their order;
// each fills in what stands below its name.
type ScaleUp struct {
	cluster    *Cluster
	autoscaler *Autoscaler
	snapshot   *Snapshot

	// List
	Pending []*corev1.Pod // that the scheduler found no node for
	// AddUpcoming
	Upcoming map[string]int // nodes that are ordered and not there yet, by group
	// FilterPods
	Expendable []*corev1.Pod // nobody makes nodes for them
	Fitting    []Placement   // need no help: a node has room, or will have
	Daemons    []*corev1.Pod // of DaemonSets, which come with their node
	Delayed    []*corev1.Pod // younger than their delay
	Help       []*corev1.Pod // that need it
	// Decide
	Verdict Verdict
	// Equivalence
	Kinds []*PodGroup
	// Valid
	Candidates []*NodeGroup
	Skipped    []Skip
	// Estimate
	Choices []Choice
	// Expand
	Rounds []Round
	Best   *Choice
	// Size
	Wanted  int // nodes, before the limits
	Resizes []Resize
	Capped  []string // which limits made it less
}

// Placement is a pod and the node that it would go to.
type Placement struct{ Pod, Node string }

// ScaleUp begins a decision.
func (a *Autoscaler) ScaleUp(c *Cluster) *ScaleUp {
	bound := slices.DeleteFunc(slices.Clone(c.Pods), func(p *corev1.Pod) bool {
		return allocated(p) == "" || isExpendable(p, a.Options.ExpendablePriority)
	})
	return &ScaleUp{cluster: c, autoscaler: a, snapshot: a.judge.NewSnapshot(c.Nodes, onNodes(bound))}
}

// Run goes through all the stages.
func (u *ScaleUp) Run(ctx context.Context) error {
	u.List()
	if !u.cluster.Healthy(u.autoscaler.Options) { // upstream ends the loop here
		u.Pending = nil
	}
	u.AddUpcoming()
	if err := u.FilterPods(ctx); err != nil {
		return err
	}
	if u.Decide(); u.Verdict != Needed {
		return nil
	}
	u.Equivalence()
	u.Valid()
	u.Predicates(ctx)
	if err := u.Estimate(ctx); err != nil {
		return err
	}
	err := u.Expand()
	u.Size()
	return err
}

// allocated is the node that a pod is on, or will be on when others have gone for it.
func allocated(p *corev1.Pod) string { return cmp.Or(p.Spec.NodeName, p.Status.NominatedNodeName) }

// onNodes gives the pods that are nominated for a node that node.
func onNodes(pods []*corev1.Pod) []*corev1.Pod {
	on := make([]*corev1.Pod, len(pods))
	for i, p := range pods {
		on[i] = p
		if p.Spec.NodeName == "" {
			on[i] = p.DeepCopy()
			on[i].Spec.NodeName = p.Status.NominatedNodeName
		}
	}
	return on
}

// List finds the pods that the scheduler has given up on (core/static_autoscaler.go listPods).
func (u *ScaleUp) List() {
	for _, p := range u.cluster.Pods {
		_, c := podutil.GetPodCondition(&p.Status, corev1.PodScheduled)
		if allocated(p) == "" && !podutil.IsPodTerminal(p) && c != nil && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			u.Pending = append(u.Pending, p)
		}
	}
}

// AddUpcoming adds the nodes that are ordered and not Ready yet, as if they were, so that
// nobody orders them twice (clusterstate/clusterstate.go GetUpcomingNodes,
// core/static_autoscaler.go addUpcomingNodesToClusterSnapshot). Those that have registered
// already are taken out for it.
func (u *ScaleUp) AddUpcoming() {
	u.Upcoming = map[string]int{}
	for _, g := range u.cluster.Groups {
		r := u.cluster.readiness(g)
		for _, n := range r.notStarted {
			u.snapshot.Remove(n)
		}
		_, open := u.autoscaler.requests[g.Name]
		n := g.Target - len(r.ready) - len(r.unready)
		if n <= 0 || !open || u.autoscaler.backedOff(g.Name, u.cluster.Now) > 0 {
			continue
		}
		u.Upcoming[g.Name] = n
		for i := range n {
			node, pods := g.newNode("upcoming-" + strconv.Itoa(i))
			u.snapshot.Add(node, pods...)
		}
	}
}

// FilterPods leaves the pods that only a new node can help
// (processors/pods/..., core/podlistprocessor: filter_out_expendable, filter_out_schedulable, filter_out_daemon_sets,
// core/static_autoscaler.go filterOutYoungPods).
func (u *ScaleUp) FilterPods(ctx context.Context) error {
	rest := u.part(u.Pending, &u.Expendable, func(p *corev1.Pod) bool { return isExpendable(p, u.autoscaler.Options.ExpendablePriority) })
	rest, err := u.filterSchedulable(ctx, rest)
	if err != nil {
		return err
	}
	rest = u.part(rest, &u.Daemons, ofDaemonSet)
	u.Help = u.part(rest, &u.Delayed, func(p *corev1.Pod) bool { return p.CreationTimestamp.Add(u.delay(p)).After(u.cluster.Now) })
	return nil
}

// part moves those that match to another list.
func (u *ScaleUp) part(pods []*corev1.Pod, to *[]*corev1.Pod, match func(*corev1.Pod) bool) (rest []*corev1.Pod) {
	for _, p := range pods {
		if match(p) {
			*to = append(*to, p)
		} else {
			rest = append(rest, p)
		}
	}
	return rest
}

// filterSchedulable places pods on the nodes that are there or ordered, the important first
// (core/podlistprocessor/filter_out_schedulable.go filterOutSchedulableByPacking).
func (u *ScaleUp) filterSchedulable(ctx context.Context, pods []*corev1.Pod) (rest []*corev1.Pod, err error) {
	pods = slices.Clone(pods)
	slices.SortStableFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(corehelpers.PodPriority(b), corehelpers.PodPriority(a)) })
	anywhere := func(string) bool { return true }
	hopeless := kinds[bool]{}
	for _, p := range pods {
		node := ""
		if _, known := hopeless.find(p); !known {
			if node, err = u.snapshot.Schedule(ctx, p, anywhere); err != nil {
				return nil, err
			}
			if node == "" {
				hopeless.keep(p, true)
			}
		}
		if node == "" {
			rest = append(rest, p)
		} else {
			u.Fitting = append(u.Fitting, Placement{p.Name, node})
		}
	}
	return rest, nil
}

// delay is how old a pod has to be: the flag, or more where an annotation says so.
func (u *ScaleUp) delay(p *corev1.Pod) time.Duration {
	own, err := time.ParseDuration(p.Annotations[PodScaleUpDelay])
	if err != nil {
		return u.autoscaler.Options.NewPodScaleUpDelay
	}
	return max(own, u.autoscaler.Options.NewPodScaleUpDelay)
}

// Decide tells whether there is anything to do (core/static_autoscaler.go shouldScaleUp).
func (u *ScaleUp) Decide() {
	limit := u.autoscaler.Options.MaxNodesTotal
	switch {
	case len(u.Help) == 0:
		u.Verdict = NotNeeded
	case limit > 0 && len(u.cluster.readiness(nil).ready) >= limit:
		u.Verdict = LimitedByMax
	case !slices.ContainsFunc(u.Help, func(p *corev1.Pod) bool { return !p.CreationTimestamp.Add(youngFor).After(u.cluster.Now) }):
		u.Verdict = AllPodsAreNew
	default:
		u.Verdict = Needed
	}
}
