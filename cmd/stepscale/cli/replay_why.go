package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/hpa/why"
	"github.com/stepscale/stepscale/engine/karpenter"
	"github.com/stepscale/stepscale/engine/otherwise"
)

// explains are who answers for decisions about nodes, by the engine in a frame's inputs.
var explains = map[string]play.Explain{
	clusterautoscaler.Actor:  clusterautoscaler.Why,
	karpenter.ActorKarpenter: karpenter.Why,
}

// replayReasons is what --why --output json writes.
type replayReasons struct {
	SchemaVersion int                 `json:"schemaVersion"`
	Place         string              `json:"place"` // as --at takes it
	Pass          int                 `json:"pass"`
	*why.Answer                       // where an HPA decided
	Sentences     []string            `json:"sentences,omitempty"` // Korean, of the HPA
	Nodes         []replayNodesReason `json:"nodes,omitempty"`
}

// replayNodesReason is an answer about nodes.
type replayNodesReason struct {
	otherwise.Answer
	Sentences []string `json:"sentences"` // Korean
}

// replayWhy answers for the place that was asked for.
func (d deps) replayWhy(ctx context.Context, file string, r *play.Replay, o replayOptions) error {
	reasons, err := r.Why(ctx, o.node)
	where := fmt.Sprintf("%s, 패스 %d", file, reasons.Pass)
	switch {
	case errors.Is(err, why.ErrNone):
		return &problem.Error{What: "이 패스에는 --why가 답할 결정이 없습니다", Where: where, Code: problem.ExitUsage,
			Hint: "HPA, 카펜터, 클러스터 오토스케일러가 결정한 패스를 --at으로 적어 주십시오. VPA의 결정과, 결정의 입력이 없는 예전 기록에는 답하지 못합니다."}
	case errors.Is(err, otherwise.ErrNoSubject):
		return &problem.Error{What: "이 패스의 결정에 " + o.node + "에 관한 것은 없습니다", Where: where, Code: problem.ExitUsage, Hint: "--node를 빼고 실행하시면 답할 수 있는 것을 보여 드립니다."}
	case errors.Is(err, otherwise.ErrDiffers):
		return &problem.Error{What: play.Disagrees, Where: where, Hint: "이 기록을 만든 버전의 stepscale로 물어 주십시오."}
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return badRecording(file, reasons.Line, err)
	}
	if o.output == "json" {
		return d.writeJSON(reasonsOf(r, reasons))
	}
	s := view.New(d.out)
	if reasons.HPA {
		s.Why(reasons.Pass, reasons.Answer, reasons.Start)
	}
	if !reasons.HPA || len(reasons.Nodes) > 0 {
		s.Otherwise(reasons.Pass, reasons.Nodes)
	}
	return s.Err()
}

func reasonsOf(r *play.Replay, reasons play.Reasons) replayReasons {
	all := replayReasons{SchemaVersion: 1, Place: r.Place().String(), Pass: reasons.Pass}
	if reasons.HPA {
		all.Answer, all.Sentences = &reasons.Answer, view.WhyTexts(reasons.Answer, reasons.Start)
	}
	for _, a := range reasons.Nodes {
		all.Nodes = append(all.Nodes, replayNodesReason{a, view.OtherwiseTexts(a)})
	}
	return all
}
