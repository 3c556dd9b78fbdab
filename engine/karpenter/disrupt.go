package karpenter

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/karpenter/pkg/controllers/disruption"
	"sigs.k8s.io/karpenter/pkg/controllers/node/termination"
	"sigs.k8s.io/karpenter/pkg/controllers/node/termination/terminator"
	ncdisruption "sigs.k8s.io/karpenter/pkg/controllers/nodeclaim/disruption"
	"sigs.k8s.io/karpenter/pkg/controllers/nodeclaim/podevents"
	kscheduling "sigs.k8s.io/karpenter/pkg/controllers/provisioning/scheduling"
	"sigs.k8s.io/karpenter/pkg/state/cost"
)

// validationDelay is how long upstream waits before it looks again whether a command is
// still right (disruption/controller.go: commandValidationDelay).
const validationDelay = 15 * time.Second

// disrupter are upstream's controllers that take nodes away.
type disrupter struct {
	podEvents  *podevents.Controller
	conditions *ncdisruption.Controller
	queue      *disruption.Queue
	evictions  *terminator.Queue
	ends       *termination.Controller
	costs      *cost.ClusterCost
}

func (p *parts) newDisrupter(clk clock.Clock, costs *cost.ClusterCost) disrupter {
	d := disrupter{podEvents: podevents.NewController(clk, p.kube, p.cloud), conditions: ncdisruption.NewController(clk, p.kube, p.cloud),
		queue: disruption.NewQueue(p.kube, p.said, p.cluster, clk, p.provision), evictions: terminator.NewQueue(p.kube, p.said), costs: costs}
	d.ends = termination.NewController(clk, p.kube, p.cloud, terminator.NewTerminator(clk, p.kube, d.evictions, p.said), p.said)
	return d
}

// method is one way of disruption, with its validation apart: that is a step of its own.
type method struct {
	disruption.Method
	validate disruption.Validator
}

// later is a Validator that leaves the check to its step.
type later struct{}

func (later) Validate(_ context.Context, c disruption.Command, _ time.Duration) (disruption.Command, error) {
	return c, nil
}

// methods are those of upstream's disruption.NewMethods, in its order, without drift: the
// simulated machines stay as they were rented.
func (p *parts) methods(clk clock.Clock) []method {
	c := disruption.MakeConsolidation(clk, p.cluster, p.kube, p.provision, p.cloud, p.said, p.disrupt.queue)
	return []method{
		{disruption.NewEmptiness(c, disruption.WithValidator(later{})), disruption.NewEmptinessValidator(c)},
		{disruption.NewMultiNodeConsolidation(c, disruption.WithValidator(later{})), disruption.NewMultiConsolidationValidator(c)},
		{disruption.NewSingleNodeConsolidation(c, disruption.WithValidator(later{})), disruption.NewSingleConsolidationValidator(c)},
	}
}

// verdict is what disruption.Controller.disrupt comes to, with what led to it.
type verdict struct {
	method     method
	candidates []*disruption.Candidate
	budget     map[string]int
	simulated  *kscheduling.Results // without the first candidate; nil where it is empty
	command    *disruption.Command  // nil where nothing is to be done
}

// judge asks upstream's methods in their order, and ends with the first that has a command.
func (p *parts) judge(ctx context.Context, clk clock.Clock) (v verdict, err error) {
	p.cluster.MarkUnconsolidated() // or upstream looks at nothing that has not changed since
	for _, m := range p.methods(clk) {
		candidates, totals, err := disruption.GetCandidatesWithTotals(ctx, p.cluster, p.kube, p.said, clk, p.cloud, m.ShouldDisrupt, m.Class(), p.disrupt.queue, p.disrupt.costs)
		if err != nil {
			return v, err
		}
		if len(candidates) == 0 {
			continue
		}
		slices.SortFunc(candidates, func(a, b *disruption.Candidate) int { return strings.Compare(a.Name(), b.Name()) }) // equals in one order
		if setter, ok := m.Method.(disruption.NodePoolTotalsSetter); ok {
			setter.SetNodePoolTotals(totals)
		}
		budget, err := disruption.BuildDisruptionBudgetMapping(ctx, p.cluster, clk, p.kube, p.cloud, p.said, m.Reason())
		if err != nil {
			return v, err
		}
		v = verdict{method: m, candidates: candidates, budget: maps.Clone(budget)}
		if !candidates[0].IsEmpty() {
			simulated, err := disruption.SimulateScheduling(ctx, p.kube, p.cluster, p.provision, clk, p.said, []kscheduling.Options{kscheduling.IsConsolidationSimulation}, candidates[0])
			if err != nil {
				return v, err
			}
			v.simulated = &simulated
		}
		commands, err := m.ComputeCommands(ctx, budget, candidates...)
		if err != nil {
			return v, err
		}
		for i := range commands {
			if commands[i].Decision() != disruption.NoOpDecision {
				v.command = &commands[i]
				v.command.Method, v.command.CreationTimestamp = m.Method, clk.Now()
				return v, nil
			}
		}
	}
	return v, nil
}
