package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/whys"
)

// replayReasons is what --why --output json writes, with the fields of the answer beside
// these; where a pass has more than one, an array of them.
type replayReasons struct {
	SchemaVersion int      `json:"schemaVersion"`
	Place         string   `json:"place"` // as --at takes it
	Pass          int      `json:"pass"`
	Sentences     []string `json:"sentences"` // Korean
}

// replayWhy answers for the place that was asked for.
func (d deps) replayWhy(file string, r *play.Replay, output string) error {
	all, err := r.Why()
	where := fmt.Sprintf("%s, 패스 %d", file, all[0].Pass)
	switch {
	case errors.Is(err, whys.ErrNone):
		return &problem.Error{What: "이 패스에는 HPA나 VPA의 결정이 없습니다", Where: where, Code: problem.ExitUsage,
			Hint: "결정이 있는 패스를 --at으로 적어 주십시오."}
	case err != nil:
		return badRecording(file, all[len(all)-1].Line, err)
	}
	if output == "json" {
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
		one := map[string]any{}
		for _, part := range []any{reasons.Answer, replayReasons{SchemaVersion: 1, Place: r.Place().String(), Pass: reasons.Pass, Sentences: view.WhyTexts(reasons.Answer, reasons.Start)}} {
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
