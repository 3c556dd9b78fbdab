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
	first, second, table := autoscalers(), karpenters(), comparisonSteps()
	last := len(table) - 1
	d := engine.Define(engine.Definition{
		Name: comparison, Facts: second.Facts.With(first.Facts).With(comparisonFacts), Needs: slices.Concat(second.Needs, first.Needs), Turns: slices.Concat(first.names(), second.names()),
	}, slices.Concat(
		table[:last],
		engine.Lift(first.table, func(s *Comparison) *clusterautoscaler.State { return s.Autoscaler }),
		engine.Lift(second.table, func(s *Comparison) *karpenter.State { return s.Karpenter }),
		table[last:],
	), func(s *Comparison) string { return s.Namespace + "/" + s.Karpenter.Target }, func(s *Comparison) time.Time { return s.Clock.Now() })
	d.Due = func(ctx context.Context, s *Comparison, turn string) (bool, error) {
		if due := first.due[turn]; due != nil {
			return due(s.Autoscaler, ctx)
		}
		if due := second.due[turn]; due != nil {
			return due(s.Karpenter, ctx)
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
