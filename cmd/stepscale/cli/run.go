package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/wording"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
)

// defaultRun is the loop time of a run that names no end.
const defaultRun = 30 * time.Minute

type runOptions struct {
	loop, until, output, record, scenarios string
	noRecord, plain                        bool
	stepwise                               bool // no end was named: whoever sits at a terminal goes on step by step
	length                                 time.Duration
	pass                                   int // of --until pass=N
	target                                 target
}

func newRunCommand(d deps) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run 시나리오",
		Short: "설명 없이 제어 루프만 실행합니다",
		Long: `설명 없이 제어 루프만 실행하고 패스마다 한 줄을 출력합니다.
터미널에서 끝낼 조건(--for, --until) 없이 실행하시면 화면 전체에서 한 단계씩 넘기며 봅니다. --plain이면 한 줄씩 출력합니다.
--output json은 실행한 단계를 한 줄에 하나씩 JSON으로 출력합니다. 진행 상황은 표준 오류로 나갑니다.`,
		Example: `  stepscale run web-surge --for 30m
  stepscale run web-surge --until scale
  stepscale run web-surge --until pass=20 --output json --record web.jsonl
  stepscale run vpa-web --loop vpa --for 10m
  stepscale run web-surge --cluster kind --for 5m`,
		Args: args(1, 1, "시나리오"),
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := d.sit(cmd, &o.target); err != nil {
				return err
			}
			return d.run(cmd.Context(), given[0], o)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return scenarioNames(d.scenarios), cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.loop, "loop", "hpa", "실행할 `루프`")
	f.StringVar(&o.until, "until", "", "끝낼 `조건`: scale(파드의 수나 크기가 바뀔 때) 또는 pass=N(N번째 패스까지)")
	f.DurationVar(&o.length, "for", 0, "이만큼의 `시간` 동안 실행합니다(임베디드 클러스터에서는 가상 시간). 예: 30m (아무 조건도 없으면 30m)")
	f.StringVar(&o.record, "record", "", "실행한 단계를 이 `파일`에 JSON 줄로 기록합니다. 이름이 .gz로 끝나면 압축합니다(시나리오의 오브젝트도 그대로 담깁니다)")
	f.StringVar(&o.scenarios, "scenarios", "", "내장 시나리오 대신 이 `폴더`의 시나리오를 씁니다")
	noRecordFlag(f, &o.noRecord)
	plainFlag(f, &o.plain)
	outputFlag(cmd, &o.output)
	knows(cmd, "loop", slices.Sorted(maps.Keys(d.loops))...)
	knows(cmd, "until", "scale", "pass=")
	o.target.flags(d, cmd)
	return cmd
}

func (o *runOptions) check() error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	if err := o.target.check(); err != nil {
		return err
	}
	if o.length < 0 {
		return problem.Usage("--for에는 0보다 긴 시간을 적어 주십시오.", "예: --for 30m")
	}
	if n, ok := strings.CutPrefix(o.until, "pass="); ok {
		pass, err := strconv.Atoi(n)
		if err != nil || pass < 1 {
			return problem.Usage("패스의 수를 읽을 수 없습니다: "+n, "1 이상의 정수를 적어 주십시오. 예: --until pass=20")
		}
		o.pass = pass
	} else if o.until != "" && o.until != "scale" {
		return problem.Usage("모르는 조건입니다: "+o.until, "--until에는 scale 또는 pass=N을 적어 주십시오.")
	}
	o.stepwise = o.length == 0 && o.until == "" && o.output != "json"
	if o.length == 0 && o.pass == 0 {
		o.length = defaultRun
	}
	return nil
}

func (d deps) run(ctx context.Context, scenario string, o runOptions) (err error) {
	d = d.plainly(o.plain)
	if err := o.check(); err != nil {
		return err
	}
	last, err := d.lastStep(o.loop)
	if err != nil {
		return err
	}
	all, err := dirFS(o.scenarios, d.scenarios)
	if err != nil {
		return err
	}
	if err := knownScenario(all, scenario); err != nil {
		return err
	}
	r := &runner{out: d.out, errOut: d.errOut, screen: view.New(d.out), o: o, scenarios: all, loop: d.loops[o.loop], last: last}
	h := recording.Header{Cluster: o.target.kind(), Virtual: !o.target.real(), Loop: o.loop, Steps: r.loop.StepIDs(), Scenario: recordedScenario(all, scenario)}
	if r.rec, err = d.recorder(o.record, o.noRecord, "run-"+scenario, h); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.rec.close()) }()
	on := &onScreen{Waits: d.waits}
	d.waits = on
	session := d.opener(d, o.target, all)
	defer func() { err = session.close(err) }()
	stage, err := bringUp(ctx, session, o.loop, scenario, &startup{screen: view.New(d.errOut), attached: o.target.attached()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.Close(ctx)) }()
	r.simulated = stage.Info().Simulated
	if flags := stage.Info().Flags; flags != "" {
		view.New(d.errOut).Note(flags)
	}
	if o.stepwise && d.fullScreen(o.plain) {
		return d.runStepwise(ctx, scenario, r, stage, on)
	}
	frames, err := r.play(ctx, stage.Session())
	if err != nil && len(frames) > 0 && r.err == nil {
		r.interrupted = ctx.Err() != nil
		r.frame(frames, frames[len(frames)-1]) // the failed step is on record too
	}
	return r.end(ctx, err)
}

// play runs the loop to its end. On a real cluster a step that failed for a reason
// that may heal is run again.
func (r *runner) play(ctx context.Context, s *engine.Session) ([]trace.Frame, error) {
	for failures := 0; ; failures++ {
		frames, err := s.Continue(func(f trace.Frame) bool {
			failures = 0
			r.frame(s.Frames(), f)
			return r.err != nil || ctx.Err() != nil || r.done(f)
		})
		if err == nil || r.simulated || !play.Heals(err, failures) {
			return frames, err
		}
		view.New(r.errOut).Note(fmt.Sprintf("단계를 실행하지 못해 %s 뒤에 다시 실행합니다. (%v)", view.Duration(play.RetryAfter), err))
		if e := play.Wait(ctx, play.RetryAfter); e != nil {
			return frames, err
		}
	}
}

// runner shows and records the frames of a run.
type runner struct {
	out, errOut io.Writer

	screen    *view.Screen
	o         runOptions
	scenarios fs.FS
	loop      engine.Definition
	last      trace.StepID
	rec       *recorder
	start     time.Time
	scaled    bool
	passes    int

	simulated   bool
	interrupted bool
	err         error
}

func (r *runner) frame(frames []trace.Frame, f trace.Frame) {
	if r.start.IsZero() {
		r.start = f.At
	}
	r.err = r.rec.frame(f)
	switch {
	case r.o.output == "json":
		if err := f.Write(outside.JSONWriter(r.out)); err != nil {
			r.err = err
		}
	case f.Err != "" && !r.interrupted:
		r.screen.Step(view.StepView{Frame: f, Start: r.start, Simulated: r.simulated})
	case f.Step == r.last:
		tick := view.NewTick(play.OfPass(frames, f.Pass))
		if r.passes == 0 {
			r.screen.TickHeader(tick)
		}
		r.screen.Tick(tick, r.start)
		r.err = errors.Join(r.err, r.screen.Err())
	}
	if f.Step == r.last {
		r.passes++
	}
	r.scaled = r.scaled || r.loop.Changed(f)
}

// done tells at the end of a pass whether the run has reached its end.
func (r *runner) done(f trace.Frame) bool {
	if f.Step != r.last {
		return false
	}
	return r.o.until == "scale" && r.scaled || r.o.pass > 0 && r.passes >= r.o.pass ||
		r.o.length > 0 && f.At.Sub(r.start) >= r.o.length
}

func (r *runner) end(ctx context.Context, err error) error {
	switch {
	case r.err != nil:
		return errors.Join(r.err, ctx.Err())
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		e := problem.OfStep(ctx, r.o.loop, err)
		var u *problem.Error
		if errors.As(e, &u) {
			u.Hint = strings.TrimSpace(strings.TrimSuffix(u.Hint, problem.ResumeHint) + " " + doctorHint(r.o.target.attached()))
		}
		return e
	case r.o.until == "scale" && !r.scaled:
		return &problem.Error{What: fmt.Sprintf("%s %s 동안 파드의 수도 크기도 바뀌지 않았습니다.", wording.TimeWord(r.simulated), view.Duration(r.o.length)),
			Hint: "--for로 더 길게 실행하시거나 시나리오의 부하를 확인해 주십시오."}
	}
	return nil
}
