package clusterautoscaler

import (
	"context"

	corev1 "k8s.io/api/core/v1"
)

// Unschedulable are the pods that the scheduler has given up on (ScaleUp.List).
func Unschedulable(c *Cluster) []*corev1.Pod {
	u := &ScaleUp{cluster: c}
	u.List()
	return u.Pending
}

// Refusals are why a pod fits on the nodes on which it does not, by node.
func (j *Judge) Refusals(ctx context.Context, c *Cluster, p *corev1.Pod) map[string]*Refusal {
	var bound []*corev1.Pod
	for _, other := range c.Pods {
		if allocated(other) != "" && !isTerminal(other) {
			bound = append(bound, other)
		}
	}
	s := j.NewSnapshot(c.Nodes, onNodes(bound))
	refused := map[string]*Refusal{}
	for _, n := range c.Nodes {
		if no := s.Fit(ctx, p, n.Name); no != nil {
			refused[n.Name] = no
		}
	}
	return refused
}

// Fate is what the rules say of a node whose group and history are not known.
type Fate struct {
	Node        *corev1.Node
	Utilization Utilization
	Reason      Reason // that keeps it; empty: it could go once it has been unneeded for long enough
	Block       Block
	Pod         *corev1.Pod // that blocks, or has no place
}

// Fates looks at every node as if all were of one group that may shrink, with upstream's
// default flags: what is not known cannot keep a node here.
func Fates(ctx context.Context, judge *Judge, c *Cluster) (fates []Fate, err error) {
	whole := *c
	whole.Groups = []*NodeGroup{{Nodes: names(c.Nodes), Target: len(c.Nodes) + 1, Max: len(c.Nodes) + 1}}
	d, err := New(DefaultOptions(), judge, c.Now).ScaleDown(&whole)
	if err != nil {
		return nil, err
	}
	d.Order()
	d.Eligible()
	if err := d.Simulate(ctx); err != nil {
		return nil, err
	}
	removal := map[string]Removal{}
	for _, r := range d.Removals {
		removal[r.Node.Name] = r
	}
	for _, x := range d.Checked {
		f := Fate{Node: x.Node, Utilization: x.Utilization, Reason: x.Reason}
		if r, ok := removal[x.Node.Name]; ok {
			f.Reason, f.Block = r.Reason, r.Block
			if f.Pod = r.Blocker; f.Pod == nil {
				f.Pod = r.Homeless
			}
		}
		fates = append(fates, f)
	}
	return fates, nil
}
