package lab

import (
	"context"
	"fmt"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/chain"
	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/karpenter"
	"github.com/stepscale/stepscale/engine/trace"
)

// forSteadyHPA has an HPA whose syncs are a period apart, whatever other loops do between
// them.
func (s *Stage) forSteadyHPA(ctx context.Context) (*hpa.State, error) {
	h, err := s.forHPA(ctx)
	if err != nil {
		return nil, err
	}
	h.Steady = true
	return h, nil
}

// forKarpenterChain has the HPA and Karpenter take turns.
func (s *Stage) forKarpenterChain(ctx context.Context) (*chain.Chain[karpenter.State], error) {
	h, err := s.forSteadyHPA(ctx)
	if err != nil {
		return nil, err
	}
	k, err := s.forKarpenter(ctx)
	if err != nil {
		return nil, err
	}
	k.Shared = true
	return &chain.Chain[karpenter.State]{HPA: h, Nodes: k}, nil
}

// forClusterAutoscalerChain has the HPA and Cluster Autoscaler take turns.
func (s *Stage) forClusterAutoscalerChain(ctx context.Context) (*chain.Chain[clusterautoscaler.State], error) {
	h, err := s.forSteadyHPA(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.forRunOnce(ctx)
	if err != nil {
		return nil, err
	}
	return &chain.Chain[clusterautoscaler.State]{HPA: h, Nodes: c}, nil
}

// forComparison has Karpenter scale for the scenario's target, and Cluster Autoscaler for
// the one Deployment beside it.
func (s *Stage) forComparison(ctx context.Context) (*chain.Comparison, error) {
	second, err := s.secondDeployment()
	if err != nil {
		return nil, err
	}
	w, err := s.newWorld(trace.ActorLearner)
	if err != nil {
		return nil, err
	}
	w.Steady = true
	k, err := s.forKarpenter(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.forRunOnce(ctx)
	if err != nil {
		return nil, err
	}
	k.Shared, c.Target = true, second
	return &chain.Comparison{World: w, Karpenter: k, Autoscaler: c}, nil
}

// secondDeployment is the name of the Deployment that is not the target.
func (s *Stage) secondDeployment() (string, error) {
	var others []string
	for _, o := range s.Scenario.Parts() {
		if o.GetKind() == "Deployment" && o.GetName() != s.Scenario.Target {
			others = append(others, o.GetName())
		}
	}
	if len(others) != 1 {
		return "", problem.Usage(fmt.Sprintf("루프 %s에는 똑같은 디플로이먼트가 둘 필요합니다: 시나리오 %s에는 %d개입니다", s.Loop.Name, s.Scenario.Name, len(others)+1),
			"target인 디플로이먼트는 카펜터가, 다른 하나는 클러스터 오토스케일러가 맡습니다. objects.yaml에 디플로이먼트를 둘만 적어 주십시오.")
	}
	return others[0], nil
}
