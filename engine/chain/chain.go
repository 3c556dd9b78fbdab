// Package chain has the loops in which pods and nodes are scaled together: an HPA, and
// what gives its pods nodes. They take turns in a pass. Who makes nodes comes first and
// sees what the HPA has left Pending in the pass before; its turn is left out where it has
// nothing to do. The HPA's sync ends every pass, and its period is the pass's.
package chain

import (
	"context"
	"slices"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/karpenter"
)

// Karpenter holds an HPA and Karpenter, whose State is Shared.
type Karpenter struct {
	HPA   *hpa.State
	Nodes *karpenter.State
}

// WithKarpenter are Karpenter's two loops and a sync of the HPA. What the HPA's last steps
// do, make pods and let the scheduler mark them, Karpenter's loop need not do again.
func WithKarpenter() engine.Defined[Karpenter] {
	up, down, pods := karpenter.Loop(), karpenter.Disruption(), hpa.Loop()
	nodes := func(s *Karpenter) *karpenter.State { return s.Nodes }
	d := engine.Define(engine.Definition{
		Name: "hpa-karpenter", Facts: pods.Facts.With(up.Facts), Needs: slices.Concat(pods.Needs, up.Needs), Turns: []string{up.Name, down.Name},
	}, slices.Concat(
		engine.Lift(engine.From(up.Table, "karpenter/1-pending/batch"), nodes),
		engine.Lift(engine.From(down.Table, "karpenter-disruption/2-candidates/settle"), nodes),
		engine.Lift(pods.Table, func(s *Karpenter) *hpa.State { return s.HPA }),
	), func(s *Karpenter) string { return pods.Subject(s.HPA) }, func(s *Karpenter) time.Time { return pods.Now(s.HPA) })
	d.Due = func(ctx context.Context, s *Karpenter, turn string) (bool, error) {
		switch turn {
		case up.Name:
			return s.Nodes.Due(ctx)
		case down.Name:
			return s.Nodes.DueDisruption(ctx)
		}
		return true, nil
	}
	return d
}

// ClusterAutoscaler holds an HPA and Cluster Autoscaler, whose State is Whole.
type ClusterAutoscaler struct {
	HPA   *hpa.State
	Nodes *clusterautoscaler.State
}

// WithClusterAutoscaler are the two halves of Cluster Autoscaler's RunOnce and a sync of
// the HPA.
func WithClusterAutoscaler() engine.Defined[ClusterAutoscaler] {
	up, down, pods := clusterautoscaler.Loop(), clusterautoscaler.Down(), hpa.Loop()
	nodes := func(s *ClusterAutoscaler) *clusterautoscaler.State { return s.Nodes }
	d := engine.Define(engine.Definition{
		Name: "hpa-cluster-autoscaler", Facts: pods.Facts.With(up.Facts), Needs: slices.Concat(pods.Needs, up.Needs), Turns: []string{up.Name, down.Name},
	}, slices.Concat(
		engine.Lift(engine.From(up.Table, "cluster-autoscaler/1-pending/list"), nodes),
		engine.Lift(down.Table, nodes),
		engine.Lift(pods.Table, func(s *ClusterAutoscaler) *hpa.State { return s.HPA }),
	), func(s *ClusterAutoscaler) string { return pods.Subject(s.HPA) }, func(s *ClusterAutoscaler) time.Time { return pods.Now(s.HPA) })
	d.Due = func(ctx context.Context, s *ClusterAutoscaler, turn string) (bool, error) {
		switch turn {
		case up.Name:
			return s.Nodes.Due(ctx)
		case down.Name:
			return s.Nodes.DueDown(), nil
		}
		return true, nil
	}
	return d
}
