// Package chain has the loops in which pods and nodes are scaled together: an HPA, and
// what gives its pods nodes. They take turns in a pass. Who makes nodes comes first and
// sees what the HPA has left Pending in the pass before; its turn is left out where it has
// nothing to do. The HPA's sync ends every pass, and its period is the pass's.
package chain

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/karpenter"
)

// Chain holds an HPA and who makes nodes for its pods.
type Chain[N any] struct {
	HPA   *hpa.State
	Nodes *N
}

// WithKarpenter are Karpenter's two loops and a sync of the HPA. Karpenter's State is Shared.
func WithKarpenter() engine.Defined[Chain[karpenter.State]] {
	return chained("hpa-karpenter", karpenters())
}

// WithClusterAutoscaler are the two halves of Cluster Autoscaler's RunOnce and a sync of
// the HPA. Cluster Autoscaler's State is Whole.
func WithClusterAutoscaler() engine.Defined[Chain[clusterautoscaler.State]] {
	return chained("hpa-cluster-autoscaler", autoscalers())
}

// turns are the loops of one who makes nodes, and when each has something to do.
type turns[N any] struct {
	engine.Definition // of the first of them
	table             []engine.Step[N]
	due               map[string]func(*N, context.Context) (bool, error)
}

func (t turns[N]) names() []string { return slices.Sorted(maps.Keys(t.due)) }

// karpenters are Karpenter's turns, and autoscalers Cluster Autoscaler's. Who has made the
// pods has let the scheduler mark them, too: that need not be done again.
func karpenters() turns[karpenter.State] {
	up, down := karpenter.Loop(), karpenter.Disruption()
	return turns[karpenter.State]{up.Definition,
		slices.Concat(engine.From(up.Table, "karpenter/1-pending/batch"), engine.From(down.Table, "karpenter-disruption/2-candidates/settle")),
		map[string]func(*karpenter.State, context.Context) (bool, error){up.Name: (*karpenter.State).Due, down.Name: (*karpenter.State).DueDisruption}}
}

func autoscalers() turns[clusterautoscaler.State] {
	up, down := clusterautoscaler.Loop(), clusterautoscaler.Down()
	return turns[clusterautoscaler.State]{up.Definition,
		slices.Concat(engine.From(up.Table, "cluster-autoscaler/1-pending/list"), down.Table),
		map[string]func(*clusterautoscaler.State, context.Context) (bool, error){up.Name: (*clusterautoscaler.State).Due, down.Name: (*clusterautoscaler.State).DueDown}}
}

// chained has a sync of the HPA follow the turns.
func chained[N any](name string, nodes turns[N]) engine.Defined[Chain[N]] {
	pods := hpa.Loop()
	d := engine.Define(engine.Definition{
		Name: name, Facts: pods.Facts.With(nodes.Facts), Needs: slices.Concat(pods.Needs, nodes.Needs), Turns: nodes.names(),
	}, slices.Concat(
		engine.Lift(nodes.table, func(s *Chain[N]) *N { return s.Nodes }),
		engine.Lift(pods.Table, func(s *Chain[N]) *hpa.State { return s.HPA }),
	), func(s *Chain[N]) string { return pods.Subject(s.HPA) }, func(s *Chain[N]) time.Time { return pods.Now(s.HPA) })
	d.Due = func(ctx context.Context, s *Chain[N], turn string) (bool, error) {
		if due := nodes.due[turn]; due != nil {
			return due(s.Nodes, ctx)
		}
		return true, nil
	}
	return d
}
