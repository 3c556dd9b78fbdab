package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/whatif"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
	"github.com/stepscale/stepscale/engine/recording"
)

type whatifOptions struct {
	sets, sweeps []string
	from         int // pass
	output       string
}

func newWhatifCommand(d deps) *cobra.Command {
	var o whatifOptions
	cmd := &cobra.Command{
		Use:   "whatif 기록",
		Short: "기록한 부하에 다른 HPA나 VPA 설정을 썼다면 어떻게 되었을지 계산합니다",
		Long: `기록한 HPA를 같은 부하에서 다른 설정으로 처음부터 다시 결정하게 합니다. 결정은 같은 엔진이 합니다.
결정이 기록과 같은 동안에는 기록의 입력을 그대로 쓰고, 달라진 뒤의 파드와 메트릭은 시뮬레이션입니다: 파드가 줄면 하나가 더 많이 맡고, 새 파드는 기록에서 걸린 만큼 뒤에 시작합니다.
VPA의 기록이면 기록한 사용량을 업스트림의 Recommender에게 처음부터 다시 먹이고, 업스트림의 우선순위 계산기가 어느 파드를 바꿀지 다시 정합니다. 백분위수, 여유, 반감기, 최소와 최대, 업데이트 모드를 바꿔 볼 수 있습니다.
모든 결정이 기록과 같으면 종료 코드는 0, 하나라도 다르면 1, 계산할 수 없으면 2입니다.`,
		Example: `  stepscale whatif web.jsonl --set target=70
  stepscale whatif web.jsonl --set target=70 --set behavior.scaleDown.stabilizationWindowSeconds=60
  stepscale whatif web.jsonl --set horizontal-pod-autoscaler-tolerance=0.2 --output json
  stepscale whatif web.jsonl --sweep target=40:90:10
  stepscale whatif vpa.jsonl --set target-cpu-percentile=0.5 --set minAllowed.cpu=200m
  stepscale whatif web.jsonl --from 12 --set maxReplicas=6
  stepscale whatif vpa.jsonl --set updateMode=Off`,
		Args: args(1, 1, "기록"),
		RunE: func(cmd *cobra.Command, given []string) error { return d.whatif(cmd.Context(), given[0], o) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.sets, "set", nil, "바꿔 볼 `이름=값`: target, minReplicas, maxReplicas, behavior 아래의 필드, horizontal-pod-autoscaler-… 플래그. VPA는 Recommender와 Updater의 플래그, minAllowed, maxAllowed, updateMode, resourcePolicy와 updatePolicy 아래의 필드. 여러 번 적을 수 있습니다")
	f.StringArrayVar(&o.sweeps, "sweep", nil, "차례로 바꿔 볼 `이름=처음:끝:간격`. 여러 번 적으면 모든 조합을 봅니다")
	f.IntVar(&o.from, "from", 0, "이 `패스`까지는 기록 그대로 두고, 거기서부터 바꿉니다")
	outputFlag(cmd, &o.output)
	return cmd
}

// whatifCourse is a course as JSON has it.
type whatifCourse struct {
	Set     []string        `json:"set"`
	Parted  int             `json:"partedAtPass,omitempty"` // the first pass that is decided otherwise
	First   *whatif.Parting `json:"firstDifference,omitempty"`
	Summary whatif.Summary  `json:"summary"`
	Points  []whatif.Point  `json:"decisions,omitempty"` // not of a sweep

	course whatif.Course
}

// whatifModel is how well the model that is used after the courses have parted comes to the
// recorded decisions by itself.
type whatifModel struct {
	FromScenario bool          `json:"loadFromScenario"`
	Agreed       int           `json:"agreed"`
	Decisions    int           `json:"decisions"`
	Start        time.Duration `json:"podStart"` // nanoseconds
	Ready        time.Duration `json:"podReady"` // nanoseconds after that
	Assumed      bool          `json:"podStartAssumed"`
}

func (d deps) whatif(ctx context.Context, file string, o whatifOptions) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	study, ofVPA, err := d.study(ctx, file)
	if err != nil {
		return err
	}
	if ofVPA != nil && (study == nil || o.ofVPA()) {
		return d.whatifVPA(ctx, file, ofVPA, o)
	}
	r, err := compareCourses(ctx, study, o)
	if err != nil {
		return unset(file, err)
	}
	if o.output == "json" {
		err = d.writeJSON(r)
	} else {
		err = d.showWhatif(file, r, len(o.sweeps) > 0)
	}
	for _, v := range r.Variants {
		if v.course.Parted >= 0 {
			return errors.Join(err, errReported)
		}
	}
	return err
}

// study reads the decisions of a recording: of an HPA, of a VPA, or of both; nil where there
// are none.
func (d deps) study(ctx context.Context, file string) (*whatif.Study, *whatif.VPAStudy, error) {
	var passes vpaPasses
	verdicts, decisions, err := readDecisions(ctx, file, passes.frame)
	if err == nil && len(decisions)+len(passes.all) == 0 {
		err = noDecision(file)
	}
	if err != nil {
		return nil, nil, err
	}
	var ofVPA *whatif.VPAStudy
	if len(passes.all) > 0 {
		ofVPA = whatif.NewVPA(passes.all)
	}
	if len(decisions) == 0 {
		return nil, ofVPA, nil
	}
	study, err := d.hpaStudy(ctx, file, verdicts, decisions)
	return study, ofVPA, err
}

func (d deps) hpaStudy(ctx context.Context, file string, verdicts []verdict, decisions []referee.Decision) (*whatif.Study, error) {
	var h recording.Header
	if rec, opened, err := openReplay(ctx, file); err == nil {
		h = rec.Header
		if err := opened.Close(); err != nil {
			return nil, err
		}
	}
	all := make([]whatif.Decision, len(decisions))
	for i, v := range verdicts {
		desired, err := strconv.ParseInt(v.Recorded, 10, 32)
		if err != nil {
			return nil, badRecording(file, v.Line, fmt.Errorf("desiredReplicas: %w", err))
		}
		all[i] = whatif.Decision{Pass: v.Pass, Recorded: decisions[i].Recorded, Desired: int32(desired), Refused: decisions[i].Refused}
		if all[i].Refused != "" { // what was wanted, and did not come
			all[i].Desired = v.Current
		}
	}
	study, err := whatif.New(h, all)
	if err != nil {
		return nil, &problem.Error{What: "기록에 있는 시나리오를 읽을 수 없습니다", Where: file, Code: problem.ExitUsage, Cause: err, Hint: recordAgain}
	}
	return study, nil
}

func compareCourses(ctx context.Context, study *whatif.Study, o whatifOptions) (whatifReport, error) {
	r := whatifReport{Recorded: courseOf(nil, study.Recorded()), Model: whatifModel{FromScenario: study.Scenario(), Start: study.Startup.Start, Ready: study.Startup.Ready, Assumed: study.Startup.Assumed}}
	return r, compare(ctx, o, &r, studied[whatifCourse, whatif.Summary]{study: study, verdict: whatif.Verdict,
		course: func(sets []string, e *whatif.Edit) (whatifCourse, error) {
			c, err := study.Fork(e, o.from)
			if err != nil {
				return whatifCourse{}, err
			}
			return courseOf(sets, c), nil
		},
		summary: func(c whatifCourse) whatif.Summary { return c.Summary },
		bare:    func(c *whatifCourse) { c.Points = nil },
	})
}

// noSuchPass tells of a pass in which nothing was decided.
func noSuchPass(pass int) error {
	return problem.Usage(fmt.Sprintf("이 기록의 패스 %d에는 결정이 없습니다.", pass), "결정이 있는 패스를 적어 주십시오. 목록은 stepscale replay로 보실 수 있습니다.")
}

func courseOf(sets []string, c whatif.Course) whatifCourse {
	v := whatifCourse{Set: append([]string{}, sets...), Summary: whatif.Sum(c), Points: c.Points, First: c.First, course: c}
	if c.Parted >= 0 {
		v.Parted = c.Points[c.Parted].Pass
	}
	return v
}

// unset words what is wrong with something that was to be set.
func unset(file string, err error) error {
	var set *whatif.SetError
	if !errors.As(err, &set) {
		return err
	}
	return &problem.Error{What: set.What + ": " + strings.TrimSpace(set.Set), Where: file, Code: problem.ExitUsage, Hint: set.Hint}
}

// usageText is a usage of the first metric.
func usageText(s whatif.Summary, v int64) string {
	if s.Percent {
		return strconv.FormatInt(v, 10) + "%"
	}
	return hpa.Quantity("", v)
}
