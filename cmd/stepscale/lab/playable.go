package lab

import (
	"fmt"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/scenarios"
)

// PlayableLive refuses what needs a cluster that is simulated: its time can be moved, and
// its metrics made up.
func (l Loop) PlayableLive(s *scenarios.Scenario) error {
	const hint = "--cluster 없이 실행하시면 임베디드 클러스터에서 볼 수 있습니다."
	switch {
	case !l.Live:
		return problem.Usage(fmt.Sprintf("루프 %s 가상 시간이 필요해 실제 클러스터에서는 실행하지 않습니다.", korean.Topic(l.Name)), hint)
	case l.Observes && len(s.Flags) > 0:
		return problem.Usage(fmt.Sprintf("시나리오 %s HPA 컨트롤러의 플래그를 바꾸는데, 이 클러스터의 컨트롤러는 우리 것이 아닙니다.", korean.Topic(s.Name)), hint)
	case NeedsMemory(s):
		return problem.Usage(fmt.Sprintf("시나리오 %s 메모리의 움직임이 필요한데, 실제 클러스터의 워크로드는 CPU만 씁니다.", korean.Topic(s.Name)), hint)
	case len(s.Series()) > 0:
		return problem.Usage(fmt.Sprintf("시나리오 %s CPU와 메모리가 아닌 메트릭(metrics)을 씁니다. 임베디드 클러스터에서는 stepscale의 어댑터가 그 값을 답하지만, 실제 클러스터에는 어댑터(prometheus-adapter, KEDA)와 진짜 메트릭이 따로 있어야 합니다.", korean.Topic(s.Name)), hint)
	case len(s.Nodes()) > 0:
		return problem.Usage(fmt.Sprintf("시나리오 %s 노드(nodes, groups)를 정해 두어 실제 클러스터에서는 실행하지 않습니다.", korean.Topic(s.Name)), hint)
	case len(s.Events()) > 0:
		return problem.Usage(fmt.Sprintf("시나리오 %s 사건(events)이 정해진 가상 시각에 일어나야 해서 실제 클러스터에서는 실행하지 않습니다.", korean.Topic(s.Name)), hint)
	}
	return nil
}

// NeedsMemory tells that a scenario moves memory: what uses CPU on a real cluster does not.
func NeedsMemory(s *scenarios.Scenario) bool { return len(s.WorkingSet.Timeline.Segments) > 0 }
