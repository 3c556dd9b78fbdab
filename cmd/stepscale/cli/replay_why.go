package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/otherwise"
	"github.com/stepscale/stepscale/engine/whys"
)

// replayReasons is what --why --output json writes, with the fields of the answer beside
// these (of nodes: as nodes); where a pass has more than one, an array of them.
type replayReasons struct {
	SchemaVersion int      `json:"schemaVersion"`
	Place         string   `json:"place"` // as --at takes it
	Pass          int      `json:"pass"`
	Sentences     []string `json:"sentences"` // Korean
}

// replayWhy answers for the place that was asked for.
func (d deps) replayWhy(ctx context.Context, file string, r *play.Replay, o replayOptions) error {
	all, err := r.Why(ctx, o.node)
	where := fmt.Sprintf("%s, 패스 %d", file, all[0].Pass)
	switch {
	case errors.Is(err, whys.ErrNone):
		return &problem.Error{What: "이 패스에는 --why가 답할 결정이 없습니다", Where: where, Code: problem.ExitUsage,
			Hint: "HPA, VPA, 카펜터, 클러스터 오토스케일러가 결정한 패스를 --at으로 적어 주십시오. 결정의 입력이 없는 예전 기록에는 답하지 못합니다."}
	case errors.Is(err, otherwise.ErrNoSubject):
		return &problem.Error{What: "이 패스의 결정에 " + o.node + "에 관한 것은 없습니다", Where: where, Code: problem.ExitUsage, Hint: "--node를 빼고 실행하시면 답할 수 있는 것을 보여 드립니다."}
	case errors.Is(err, otherwise.ErrDiffers):
		return &problem.Error{What: play.Disagrees, Where: where, Hint: "이 기록을 만든 버전의 stepscale로 물어 주십시오."}
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return badRecording(file, all[len(all)-1].Line, err)
	}
	if o.output == "json" {
		return d.writeReasons(r, all)
	}
	s := view.New(d.out)
	for _, reasons := range all {
		s.Why(reasons.Pass, reasons.Answer, reasons.Start)
	}
	return s.Err()
}

func (d deps) writeReasons(r *play.Replay, all []play.Reasons) error {
	var out []map[string]any
	for _, reasons := range all {
		answer := reasons.Answer
		if nodes, ok := answer.([]otherwise.Answer); ok {
			answer = map[string]any{"nodes": nodes}
		}
		one := map[string]any{}
		for _, part := range []any{answer, replayReasons{SchemaVersion: 1, Place: r.Place().String(), Pass: reasons.Pass, Sentences: view.WhyTexts(reasons.Answer, reasons.Start)}} {
			b, err := json.Marshal(part)
			if err == nil {
				err = json.Unmarshal(b, &one) // adds its fields
			}
			if err != nil {
				return err
			}
		}
		out = append(out, one)
	}
	if len(out) == 1 {
		return d.writeJSON(out[0])
	}
	return d.writeJSON(out)
}
