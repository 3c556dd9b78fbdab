package clusterautoscaler

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Skip is a node group that comes into no question, and why, in upstream's words.
type Skip struct {
	Group  *NodeGroup
	Reason string
}

// The reasons to skip a node group (core/scaleup/orchestrator/skippedreasons.go).
const (
	SkipBackoff  = "in backoff after failed scale-up"
	SkipMaxSize  = "max node group size reached"
	SkipNotReady = "not ready for scale-up"
)

// Valid finds the node groups that may grow at all
// (core/scaleup/orchestrator/orchestrator.go filterValidScaleUpNodeGroups).
func (u *ScaleUp) Valid() {
	for _, g := range u.cluster.Groups {
		if why := u.skip(g); why != "" {
			u.Skipped = append(u.Skipped, Skip{g, why})
		} else {
			u.Candidates = append(u.Candidates, g)
		}
	}
}

func (u *ScaleUp) skip(g *NodeGroup) string {
	switch {
	case !u.healthy(g):
		return SkipNotReady
	case u.autoscaler.backedOff(g.Name, u.cluster.Now) > 0:
		return SkipBackoff
	case g.Target >= g.Max:
		return SkipMaxSize
	case g.Template == nil:
		return SkipNotReady
	}
	if _, exceeded := u.quota(g, 1); len(exceeded) > 0 {
		return fmt.Sprintf("exceeded quota: %q, resources: %s", "cluster-wide", strings.Join(exceeded, ", "))
	}
	return ""
}

// healthy is Cluster.Healthy for one group: not too many of its nodes are missing for which
// there is no open order (clusterstate/clusterstate.go IsNodeGroupHealthy).
func (u *ScaleUp) healthy(g *NodeGroup) bool {
	o, r := u.autoscaler.Options, u.cluster.readiness(g)
	missing := g.Target - u.autoscaler.requests[g.Name].increase - len(r.ready)
	return missing <= o.OKUnreadyCount || float64(missing) <= o.MaxUnreadyPercentage/100*float64(len(r.ready)+len(r.unready)+len(r.notStarted))
}

// quota is how many of n more nodes the limits of the whole cluster allow, and which are
// exceeded by n (resourcequotas/tracker.go CheckQuota).
func (u *ScaleUp) quota(g *NodeGroup, n int) (allowed int, exceeded []string) {
	allowed = n
	for _, r := range []struct {
		name  corev1.ResourceName
		limit Range
	}{{corev1.ResourceCPU, u.autoscaler.Options.Cores}, {corev1.ResourceMemory, u.autoscaler.Options.Memory}} {
		of := g.Template.Status.Capacity[r.name]
		if r.limit.Max == 0 || of.Value() == 0 {
			continue
		}
		if room := (r.limit.Max - total(u.all(), r.name)) / of.Value(); room < int64(n) {
			allowed = min(allowed, max(0, int(room)))
			exceeded = append(exceeded, string(r.name))
		}
	}
	return allowed, exceeded
}

// all are the nodes that are there or ordered.
func (u *ScaleUp) all() []*corev1.Node {
	nodes := make([]*corev1.Node, len(u.snapshot.nodes))
	for i, n := range u.snapshot.nodes {
		nodes[i] = n.Node()
	}
	return nodes
}

// total is what nodes have of a resource, those aside that are going.
func total(nodes []*corev1.Node, r corev1.ResourceName) (sum int64) {
	for _, n := range nodes {
		if !hasTaint(n, ToBeDeletedTaint) {
			of := n.Status.Capacity[r]
			sum += of.Value()
		}
	}
	return sum
}

// Predicates asks for every node group which kinds of pod fit on a fresh node of it
// (core/scaleup/orchestrator/orchestrator.go SchedulablePodGroups).
func (u *ScaleUp) Predicates(ctx context.Context) {
	for _, g := range u.Candidates {
		s := u.snapshot.Fork()
		node, pods := g.newNode("template")
		s.Add(node, pods...)
		for _, kind := range u.Kinds {
			if no := s.Fit(ctx, kind.sample(), node.Name); no != nil {
				kind.Refused[g.Name] = no
			} else {
				kind.Fits = append(kind.Fits, g.Name)
			}
		}
	}
}

// fitting are the kinds of pod that fit on the group's nodes.
func (u *ScaleUp) fitting(g *NodeGroup) (kinds []*PodGroup) {
	for _, kind := range u.Kinds {
		if slices.Contains(kind.Fits, g.Name) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// WhyNot is the message of the event NotTriggerScaleUp for a pod
// (processors/status/eventing_scale_up_processor.go ReasonsMessage), its parts sorted, which
// upstream's are not; "" where a group could help it.
func (u *ScaleUp) WhyNot(kind *PodGroup) string {
	if u.Verdict == LimitedByMax {
		return "max total nodes in cluster reached"
	}
	count := map[string]int{}
	for _, no := range kind.Refused {
		for _, reason := range no.Reasons {
			count[reason]++
		}
	}
	for _, s := range u.Skipped {
		count[s.Reason]++
	}
	var parts []string
	for reason, n := range count {
		parts = append(parts, fmt.Sprintf("%d %s", n, reason))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
