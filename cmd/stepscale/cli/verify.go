package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
	"github.com/stepscale/stepscale/engine/trace"
)

// verdict is one recorded decision beside upstream's.
type verdict struct {
	Pass        int                  `json:"pass"`
	Line        int                  `json:"line"` // of the recording
	At          time.Time            `json:"at"`
	Current     int32                `json:"currentReplicas"`
	Recorded    string               `json:"recorded"` // desired replicas, as the recording has them
	Ours        int32                `json:"ours"`
	Upstream    int32                `json:"upstream"`
	Equal       bool                 `json:"equal"`
	Differences []referee.Difference `json:"differences,omitempty"`

	pair    referee.Pair
	refused bool // the scale write was not taken
	altered bool // the recording says something else than its own inputs give
}

func newVerifyCommand(d deps) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "verify 기록",
		Short: "기록한 결정을 업스트림의 코드로 다시 계산해 비교합니다",
		Long: `run --record나 observe --record로 남긴 기록의 입력(HPA, scale, 파드, 메트릭)을 업스트림 쿠버네티스의 HPA 컨트롤러에게 그대로 주고, 기록의 시각에 맞추어 가상 시간으로 실행합니다. 클러스터는 시작하지 않습니다.
레플리카 쓰기, HPA의 status와 컨디션, 이벤트를 한 결정씩 비교합니다.
VPA의 기록이면 업스트림의 Recommender에게 기록의 VPA, 파드, 사용량, OOM을 처음부터 그대로 먹여 추천을 다시 계산하고, 업스트림의 우선순위 계산기로 어느 파드를 바꿀지 다시 판정합니다.
하나라도 다르면 종료 코드는 1입니다.`,
		Example: `  stepscale run web-surge --record web.jsonl
  stepscale verify web.jsonl
  stepscale run vpa-web --loop vpa --for 10m --record vpa.jsonl
  stepscale verify vpa.jsonl --output json`,
		Args: args(1, 1, "기록"),
		RunE: func(cmd *cobra.Command, given []string) error { return d.verify(cmd.Context(), given[0], output) },
	}
	outputFlag(cmd, &output)
	return cmd
}

func (d deps) verify(ctx context.Context, file, output string) error {
	if err := checkOutput(output); err != nil {
		return err
	}
	var again vpaVerifier
	verdicts, decisions, err := readDecisions(ctx, file, again.frame)
	if err == nil && len(decisions)+len(again.verdicts) == 0 {
		err = noDecision(file)
	}
	if err != nil {
		return err
	}
	if len(decisions) > 0 {
		pairs, err := referee.Replay(ctx, decisions)
		if err != nil {
			return replayError(file, verdicts, err)
		}
		for i := range verdicts {
			verdicts[i].judge(pairs[i])
		}
	}
	if output == "json" {
		err = d.writeJSON(bothVerdicts(verdicts, again.verdicts))
	} else {
		err = d.showBoth(file, verdicts, again.verdicts)
	}
	if !allEqual(verdicts, again.verdicts) {
		err = errors.Join(err, errReported)
	}
	return err
}

// bothVerdicts are those of the HPA, and then of the VPA.
func bothVerdicts(h []verdict, v []vpaVerdict) []any {
	all := []any{}
	for _, one := range h {
		all = append(all, one)
	}
	for _, one := range v {
		all = append(all, one)
	}
	return all
}

func allEqual(h []verdict, v []vpaVerdict) bool {
	return !slices.ContainsFunc(h, func(v verdict) bool { return !v.Equal }) && !slices.ContainsFunc(v, func(v vpaVerdict) bool { return !v.Equal })
}

func (d deps) showBoth(file string, h []verdict, v []vpaVerdict) error {
	var err error
	if len(h) > 0 {
		err = d.showVerdicts(file, h)
	}
	if len(v) > 0 {
		err = errors.Join(err, d.showVPAVerdicts(file, v))
	}
	return err
}

// decided is the fact that says what was decided, or predicted, by the step whose inputs
// are those of the decision.
var decided = map[trace.StepID]string{hpa.UpdateStep: "desiredReplicas", hpa.ActualStep: "ourReplicas"}

// readDecisions takes the HPA's decisions out of a recording, and hands every frame on.
func readDecisions(ctx context.Context, file string, also func(line int, f trace.Frame) error) ([]verdict, []referee.Decision, error) {
	var verdicts []verdict
	var decisions []referee.Decision
	err := readRecording(ctx, file, func(line int, f trace.Frame) error {
		if err := also(line, f); err != nil {
			return err
		}
		desired := decided[f.Step]
		if desired == "" || len(f.Inputs) == 0 || f.Err != "" { // a step that was broken off decides nothing
			return nil
		}
		recorded, err := hpa.ReadRecorded(f.Inputs)
		if err != nil {
			return err
		}
		refusal, refused := f.Fact("rescaleError")
		said, _ := f.Fact(desired)
		decisions = append(decisions, referee.Decision{Recorded: recorded, Refused: refusal, Observed: f.Step == hpa.ActualStep})
		verdicts = append(verdicts, verdict{Pass: f.Pass, Line: line, At: f.At, Current: recorded.Input.SpecReplicas, Recorded: said, refused: refused})
		return nil
	})
	return verdicts, decisions, err
}

// noDecision tells of a recording in which nothing was decided that can be decided again.
func noDecision(file string) error {
	return &problem.Error{What: "이 기록에는 HPA나 VPA의 결정이 없습니다", Where: file, Code: problem.ExitUsage,
		Hint: "HPA나 VPA의 루프를 실행해 기록해 주십시오. HPA가 대상을 찾지 못한 패스에는 결정이 없습니다. 예: stepscale run web-surge --record web.jsonl"}
}

// replayError tells at which line of the recording the replay ended.
func replayError(file string, verdicts []verdict, err error) error {
	var at *referee.DecisionError
	if !errors.As(err, &at) || at.Index >= len(verdicts) {
		return err
	}
	e := &problem.Error{What: "기록을 다시 실행할 수 없습니다", Where: fmt.Sprintf("%s:%d", file, verdicts[at.Index].Line), Code: problem.ExitUsage, Cause: at.Err}
	switch {
	case errors.Is(err, referee.ErrNoBeginning):
		e.What, e.Cause = "이 기록은 루프의 처음부터 시작하지 않습니다", nil
		e.Hint = "컨트롤러는 지난 제안들을 메모리에 담아 둡니다. 그 앞이 없으면 같은 결정을 기대할 수 없습니다. 첫 줄부터 온전한 기록을 주십시오."
	case errors.Is(err, referee.ErrTime):
		e.What, e.Cause = "기록의 시각이 앞의 결정보다 늦지 않습니다", nil
		e.Hint = "줄의 순서가 바뀌었거나 두 기록이 이어 붙은 것 같습니다. 한 번의 실행으로 만든 기록을 주십시오."
	case errors.Is(err, referee.ErrOther):
		e.What, e.Cause = "앞의 결정과 다른 HPA의 결정입니다", nil
		e.Hint = "한 번의 실행으로 만든 기록을 주십시오."
	case errors.Is(err, referee.ErrStopped):
		e.What = "이 결정의 입력에서 컨트롤러가 멈췄습니다"
		e.Hint = "기록을 고치지 않으셨다면 stepscale의 잘못이니 기록과 함께 알려 주십시오."
	}
	return e
}

// judge holds the decision against upstream's, and against what the recording
// says was decided. Where the API server refused the write, nothing was.
func (v *verdict) judge(p referee.Pair) {
	v.pair, v.Differences = p, p.Differences
	v.Ours, v.Upstream = p.Ours.Replicas(v.Current), p.Upstream.Replicas(v.Current)
	v.altered = v.Recorded != strconv.Itoa(int(v.Ours)) && !v.refused
	v.Equal = len(v.Differences) == 0 && !v.altered
}

// shownDifferences is how many decisions that differ are explained; all are listed.
const shownDifferences = 5

func (d deps) showVerdicts(file string, verdicts []verdict) error {
	s := view.New(d.out)
	s.Line(fmt.Sprintf("업스트림의 HPA 컨트롤러(HorizontalController, 쿠버네티스 %s)에게 %s의 입력을 그대로 주었습니다.", readVersion().Kubernetes, file))
	s.Note("클러스터는 없습니다. API 서버의 자리에서 기록이 대답하고, 시간은 가상으로 흐릅니다.")
	s.Blank()
	s.VerdictHeader()
	start, quiet := verdicts[0].At, 0
	differ, writes, conditions, events := 0, 0, 0, 0
	for i, v := range verdicts {
		writes += len(v.pair.Upstream.Writes)
		conditions += v.pair.Upstream.Conditions()
		if !v.pair.EventsDropped {
			events += len(v.pair.Upstream.Events)
		}
		if !v.Equal {
			differ++
		}
		same := v.Equal && v.Upstream == v.Current
		if same && i > 0 && i < len(verdicts)-1 {
			quiet++
			continue
		}
		if quiet > 0 {
			s.Skipped(quiet)
			quiet = 0
		}
		s.Verdict(view.VerdictView{Pass: v.Pass, At: v.At, Start: start, Current: v.Current, Ours: v.Ours, Upstream: v.Upstream, Equal: v.Equal})
		if !v.Equal && differ > shownDifferences {
			continue
		}
		for _, d := range v.Differences {
			s.Difference(d.What, d.Ours, d.Upstream)
		}
		if v.altered {
			s.Note(fmt.Sprintf("%s:%d 기록에는 %s개로 결정했다고 적혀 있지만, 그 입력으로 계산하면 %d개입니다.", file, v.Line, v.Recorded, v.Ours))
		}
	}
	s.Blank()
	if differ > 0 {
		s.Note(fmt.Sprintf("결정 %d개 가운데 %d개가 다릅니다. 기록을 고치지 않으셨다면 stepscale의 잘못이니 기록과 함께 알려 주십시오.", len(verdicts), differ))
		return s.Err()
	}
	s.Done(fmt.Sprintf("결정 %d개가 모두 같습니다: 레플리카 쓰기 %d번, 컨디션 %d개, 이벤트 %d개까지 비교했습니다.", len(verdicts), writes, conditions, events))
	return s.Err()
}
