package chain

import (
	"context"
	"slices"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/karpenter"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// Comparison holds Karpenter and Cluster Autoscaler on one cluster, each with a Deployment
// of its own. The two Deployments are alike and are scaled at the same time, and their pods
// tell by their node affinity whose nodes they may go to. Both States are as in the loops
// with an HPA.
type Comparison struct {
	world.World
	Karpenter  *karpenter.State
	Autoscaler *clusterautoscaler.State

	sides []*side
	last  time.Time // when the sides were compared last
}

// side is one of the two, and what has come of it so far.
type side struct {
	name   string        // as in the facts
	target string        // its Deployment
	since  time.Time     // when pods were first marked
	waited time.Duration // of those pods for a node
	done   bool          // they have one
	price  float64       // an hour of its nodes, USD, when they were looked at last
	spent  float64       // USD
}

// The names of the sides in the facts.
const (
	sideKarpenter  = "karpenter"
	sideAutoscaler = "cluster-autoscaler"
)

// ComparisonPass is how long a pass is: the HPA's sync period, as in the other loops here.
const ComparisonPass = 15 * time.Second

const comparison = "node-comparison"

// Compare are one pass of both: the Deployments' pods, Cluster Autoscaler's RunOnce,
// Karpenter's two loops, and what they have come to. Cluster Autoscaler comes first,
// because Karpenter lets a second pass for more pods.
func Compare() engine.Defined[Comparison] {
	add, remove := clusterautoscaler.Loop(), clusterautoscaler.Down()
	up, down := karpenter.Loop(), karpenter.Disruption()
	k := func(s *Comparison) *karpenter.State { return s.Karpenter }
	c := func(s *Comparison) *clusterautoscaler.State { return s.Autoscaler }
	table := comparisonSteps()
	d := engine.Define(engine.Definition{
		Name: comparison, Facts: up.Facts.With(add.Facts).With(comparisonFacts), Needs: slices.Concat(up.Needs, add.Needs), Turns: []string{add.Name, remove.Name, up.Name, down.Name},
	}, slices.Concat(
		table[:len(table)-1],
		engine.Lift(engine.From(add.Table, "cluster-autoscaler/1-pending/list"), c),
		engine.Lift(remove.Table, c),
		engine.Lift(engine.From(up.Table, "karpenter/1-pending/batch"), k),
		engine.Lift(engine.From(down.Table, "karpenter-disruption/2-candidates/settle"), k),
		table[len(table)-1:],
	), func(s *Comparison) string { return s.Namespace + "/" + s.Karpenter.Target }, func(s *Comparison) time.Time { return s.Clock.Now() })
	d.Due = func(ctx context.Context, s *Comparison, turn string) (bool, error) {
		switch turn {
		case add.Name:
			return s.Autoscaler.Due(ctx)
		case remove.Name:
			return s.Autoscaler.DueDown(), nil
		case up.Name:
			return s.Karpenter.Due(ctx)
		case down.Name:
			return s.Karpenter.DueDisruption(ctx)
		}
		return true, nil
	}
	return d
}

var comparisonFacts = engine.Facts{
	engine.Count:    {"sideNodes", "sideEvicted"},
	engine.Ratio:    {"sidePrice", "sideSpent"},
	engine.Duration: {"sideWaited"},
	engine.Text:     {"sideTypes"},
}

// comparisonSteps are those of nobody's loop. The last ends a pass.
func comparisonSteps() []engine.Step[Comparison] {
	return world.Framed(func(s *Comparison) *world.World { return &s.World }, []engine.Step[Comparison]{
		{ID: comparison + "/1-pods/scale", Actor: trace.ActorDeployment, Do: scaleBoth, Changes: true,
			Ref:   "deployment/sync.go: scale",
			Tells: []string{"interval", "deploymentReplicas/<side>", "replicaSetReplicas/<side>"}},
		{ID: comparison + "/1-pods/create", Actor: trace.ActorReplicaSet, Do: createBoth, Changes: true,
			Ref:   "replicaset/replica_set.go: manageReplicas",
			Tells: []string{"createdPods/<side>", "deletedPods/<side>"}},
		{ID: comparison + "/1-pods/mark", Actor: trace.ActorScheduler, Do: markBoth,
			Ref:   "scheduler/schedule_one.go: handleSchedulingFailure",
			Tells: []string{"boundPods/<side>", "unschedulablePods/<side>"}},
		{ID: comparison + "/1-pods/run", Actor: trace.ActorKubelet, Do: runBoth,
			Ref:   "kubelet/kubelet.go: SyncPod",
			Tells: []string{"readyPods/<side>"}},
		{ID: comparison + "/2-compare/table", Actor: trace.ActorLearner, Do: compare,
			Ref:   "the prices of engine/instances; what was evicted is counted in the steps",
			Tells: []string{"sideNodes/<side>", "sideTypes/<side>", "sidePrice/<side>", "sideSpent/<side>", "sideWaited/<side>", "sideEvicted/<side>", "readyPods/<side>"}},
	})
}
