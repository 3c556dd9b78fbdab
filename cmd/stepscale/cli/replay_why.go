package cli

import (
	"errors"
	"fmt"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/hpa/why"
)

// replayReasons is what --why --output json writes.
type replayReasons struct {
	SchemaVersion int    `json:"schemaVersion"`
	Place         string `json:"place"` // as --at takes it
	Pass          int    `json:"pass"`
	why.Answer
	Sentences []string `json:"sentences"` // Korean
}

// replayWhy answers for the place that was asked for.
func (d deps) replayWhy(file string, r *play.Replay, output string) error {
	reasons, err := r.Why()
	where := fmt.Sprintf("%s, 패스 %d", file, reasons.Pass)
	switch {
	case errors.Is(err, why.ErrNone):
		return &problem.Error{What: "이 패스에는 HPA의 결정이 없습니다", Where: where, Code: problem.ExitUsage,
			Hint: "HPA의 결정이 있는 패스를 --at으로 적어 주십시오. VPA의 결정에는 아직 답하지 못합니다."}
	case err != nil:
		return badRecording(file, reasons.Line, err)
	}
	if output == "json" {
		return d.writeJSON(replayReasons{SchemaVersion: 1, Place: r.Place().String(), Pass: reasons.Pass, Answer: reasons.Answer, Sentences: view.WhyTexts(reasons.Answer, reasons.Start)})
	}
	s := view.New(d.out)
	s.Why(reasons.Pass, reasons.Answer, reasons.Start)
	return s.Err()
}
