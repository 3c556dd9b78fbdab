package lab

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/chain"
	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
	"github.com/stepscale/stepscale/engine/hpavpa"
	"github.com/stepscale/stepscale/engine/karpenter"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/scenarios"
)

// Loop is a loop that a stage can take in hand.
type Loop struct {
	engine.Definition
	begin func(ctx context.Context, s *Stage) (iter.Seq2[trace.Frame, error], error)
}

// loops are all that there are, with how each is begun.
var loops = byName(
	begun(hpa.Loop(), (*Stage).forHPA),
	begun(hpa.Architecture(), (*Stage).forHPA),
	begun(hpa.Intro(), (*Stage).forHPA),
	begun(hpa.Observe(), (*Stage).forHPA),
	begun(referee.Loop(), (*Stage).forBeside),
	begun(vpa.Loop(), (*Stage).forDeployedVPA),
	begun(vpa.Architecture(), (*Stage).forVPA),
	begun(vpa.Observe(), (*Stage).forVPA),
	begun(vpa.History(), (*Stage).forDeployedVPA),
	begun(hpavpa.Loop(), (*Stage).forBoth),
	begun(karpenter.Loop(), (*Stage).forKarpenter),
	begun(karpenter.Disruption(), (*Stage).forDisruption),
	begun(clusterautoscaler.Loop(), (*Stage).forClusterAutoscaler),
	begun(clusterautoscaler.Down(), (*Stage).forClusterAutoscaler),
	begun(clusterautoscaler.RunOnce(), (*Stage).forRunOnce),
	begun(chain.WithKarpenter(), (*Stage).forKarpenterChain),
	begun(chain.WithClusterAutoscaler(), (*Stage).forClusterAutoscalerChain),
	begun(chain.Compare(), (*Stage).forComparison),
)

func byName(all ...Loop) map[string]Loop {
	named := map[string]Loop{}
	for _, l := range all {
		named[l.Name] = l
	}
	return named
}

func begun[S any](d engine.Defined[S], state func(*Stage, context.Context) (*S, error)) Loop {
	return Loop{d.Definition, func(ctx context.Context, s *Stage) (iter.Seq2[trace.Frame, error], error) {
		st, err := state(s, ctx)
		if err != nil {
			return nil, err
		}
		return d.Loop(st).Run(ctx, 1), nil
	}}
}

// playableWith names the loops for which the scenario has all.
func playableWith(s *scenarios.Scenario) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(loops)) {
		if l := loops[name]; l.lacks(s) == "" {
			names = append(names, name)
		}
	}
	return names
}

// Definitions are all loops by name, as they describe themselves.
func Definitions() map[string]engine.Definition {
	all := map[string]engine.Definition{}
	for name, l := range loops {
		all[name] = l.Definition
	}
	return all
}

// Find is the loop of that name.
func Find(name string) (Loop, error) {
	l, ok := loops[name]
	if !ok {
		return l, problem.Usage(fmt.Sprintf("루프 %s 모릅니다", korean.Object(strconv.Quote(name))), "쓸 수 있는 루프: "+strings.Join(slices.Sorted(maps.Keys(loops)), ", "))
	}
	return l, nil
}

// Scenario is that of a folder of scenarios, which has to have all that the loop needs.
func (l Loop) Scenario(all fs.FS, name string) (*scenarios.Scenario, error) {
	s, err := scenarios.Load(all, name)
	if err != nil {
		return nil, problem.OfScenario(err)
	}
	if lacks := l.lacks(s); lacks != "" {
		return nil, problem.Usage(fmt.Sprintf("루프 %s에는 %s 필요합니다: 시나리오 %s에는 없습니다", l.Name, korean.Subject(lacks), name),
			fmt.Sprintf("scenario.yaml에 %s: 를 적은 시나리오를 고르시거나, 이 시나리오에 맞는 루프를 --loop로 적어 주십시오: %s", strings.ToLower(lacks), strings.Join(playableWith(s), ", ")))
	}
	return s, nil
}

// mode is how the loop does beside the HPA controller of a cluster.
func (l Loop) mode(of hpa.Mode) hpa.Mode {
	if l.Observes {
		return hpa.ModeAlone // the HPA is applied as it is; our steps only read it
	}
	return of
}

// lacks is the kind of object that a loop needs and the scenario has not; empty when it
// has all.
func (l Loop) lacks(s *scenarios.Scenario) string {
	has := map[string]string{engine.NeedsHPA: s.HPA, engine.NeedsVPA: s.VPA, engine.NeedsKarpenter: s.Karpenter}
	if len(s.Groups) > 0 {
		has[engine.NeedsGroups] = s.Groups[0].Name
	}
	for _, kind := range l.Needs {
		if has[kind] == "" {
			return kind
		}
	}
	return ""
}
