package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

type learnOptions struct {
	auto, restart      bool
	from               string
	lessons, scenarios string
	target             target
}

func (a *app) learnCommand() *cobra.Command {
	var o learnOptions
	cmd := &cobra.Command{
		Use:   "learn [수업]",
		Short: "수업을 한 단계씩 실행하며 배웁니다",
		Long: `수업을 한 단계씩 실행하며 배웁니다. 수업 이름 없이 실행하시면 지난번에 멈춘 곳부터 이어집니다.
폴더 이름(hpa)을 적으시면 그 폴더의 수업을 차례로, 수업 이름(hpa/02-control-loop)을 적으시면 그 수업만 합니다.`,
		Example: `  stepscale learn hpa
  stepscale learn hpa --from hpa/3-scale/update
  stepscale learn hpa --auto > hpa.txt
  stepscale learn hpa --cluster kind
  stepscale learn vpa --eks my-cluster --region ap-northeast-2 --image 이미지
  stepscale learn hpa/05-observe --context my-context --image 이미지 -n s01`,
		Args: args(0, 1, "수업"),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.learn(cmd.Context(), strings.Join(given, ""), o)
		},
		ValidArgsFunction: a.completeLessons,
	}
	f := cmd.Flags()
	f.BoolVar(&o.auto, "auto", false, "질문 없이 끝까지 실행합니다. 진도는 읽지도 쓰지도 않습니다")
	f.BoolVar(&o.restart, "restart", false, "저장된 진도를 무시하고 처음부터 시작합니다")
	f.StringVar(&o.from, "from", "", "이 `단계`부터 보여 드립니다. 앞의 단계는 빠르게 실행합니다")
	f.StringVar(&o.lessons, "lessons", "", "내장 수업 대신 이 `폴더`의 수업을 씁니다")
	f.StringVar(&o.scenarios, "scenarios", "", "내장 시나리오 대신 이 `폴더`의 시나리오를 씁니다")
	o.target.flags(cmd)
	return cmd
}

// loadLessons reads the lessons from dir, or the embedded ones.
func (a *app) loadLessons(dir string) ([]lessons.Lesson, error) {
	fsys, err := dirFS(dir, a.lessons)
	if err != nil {
		return nil, err
	}
	all, err := lessons.Load(fsys)
	if err != nil {
		check := "stepscale check"
		if dir != "" {
			check += " --lessons " + shellescape.Quote(dir)
		}
		return nil, &problem.Error{What: "수업을 읽을 수 없습니다", Code: problem.ExitUsage, Cause: err,
			Hint: "모든 문제를 한 번에 보시려면: " + check}
	}
	if len(all) == 0 {
		return nil, problem.Usage("수업이 하나도 없습니다.", "폴더 안에 <폴더>/<번호-이름>/lesson.md가 있어야 합니다.")
	}
	return all, nil
}

func (a *app) learn(ctx context.Context, name string, o learnOptions) error {
	if err := o.target.check(); err != nil {
		return err
	}
	a.target = o.target
	all, err := a.loadLessons(o.lessons)
	if err != nil {
		return err
	}
	if a.scenarios, err = dirFS(o.scenarios, a.scenarios); err != nil {
		return err
	}
	st := &state.Progress{Record: state.Record{Lessons: map[string]state.Lesson{}}}
	if !o.auto {
		if st, err = a.state.Progress(ctx); err != nil {
			a.report(ctx, err) // the lesson goes on without
		}
	}
	chosen, err := choose(all, name, st.Record, o)
	if err != nil {
		return err
	}
	if chosen, err = a.playableHere(chosen, view.New(a.errOut)); err != nil {
		return err
	}
	t := &tutor{app: a, store: st, auto: o.auto, face: &lines.Face{Screen: view.New(a.out)}}
	if !o.auto {
		t.face.In = a.lines()
	}
	for i, c := range chosen {
		if i > 0 {
			if err = t.between(ctx, c.Lesson); err != nil {
				break
			}
		}
		if err = t.lesson(ctx, c); err != nil {
			break
		}
	}
	if errors.Is(err, play.ErrQuit) {
		t.face.Screen.Note(o.target.saved())
		return nil
	}
	if ctx.Err() != nil && !o.auto {
		t.face.Screen.Blank()
		t.face.Screen.Note(o.target.saved())
	}
	return err
}

// tutor plays lessons one after the other.
type tutor struct {
	app   *app
	store *state.Progress
	auto  bool
	face  *lines.Face
}

// between asks before the next lesson begins.
func (t *tutor) between(ctx context.Context, next lessons.Lesson) error {
	if t.auto {
		return ctx.Err()
	}
	return t.face.Play(ctx, play.Between(next))
}

// Lesson opens the stage, plays, and takes the stage down whatever happened.
func (t *tutor) lesson(ctx context.Context, c chosenLesson) (err error) {
	o := play.Options{Lesson: c.Lesson, Skip: c.skip, Loop: t.app.loops[c.Loop], Auto: t.auto, Save: func(l state.Lesson) { t.keep(ctx, c.ID, l) }}
	if play.Executions(play.Scenes(c.Blocks)) > 0 {
		stage, closeStage, openErr := t.app.bringUp(ctx, c.Loop, c.Scenario, t.app.out)
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, closeStage()) }()
		o.Source, o.Word = stage, wordedBy(stage)
		t.face.Screen.Note("다른 터미널에서 같은 상태를 보시려면 이 줄들을 붙여 넣어 주십시오.")
		for _, l := range stage.Info().Kubectl {
			t.face.Screen.Raw("    " + l + "\n")
		}
		for _, n := range stage.Info().Notes {
			t.face.Screen.Note(n)
		}
	}
	if !t.auto {
		t.face.Screen.Note("Enter를 누르시면 다음으로 넘어갑니다. 명령 목록은 ?, 끝내시려면 q를 적어 주십시오.")
	}
	p := play.New(o)
	if err := t.face.Play(ctx, p); err != nil {
		return err
	}
	if drift := p.Drift(); t.auto && len(drift) > 0 && o.Source.Info().Simulated { // a real cluster may forbid what a lesson asks about
		return &problem.Error{What: fmt.Sprintf("수업과 클러스터가 %d곳에서 어긋났습니다", len(drift)), Where: c.File,
			Hint: drift[0]}
	}
	return nil
}

// wordedBy says why a step failed, with how wrong the clock is where that may be the
// cause.
func wordedBy(stage Stage) func(context.Context, string, error) error {
	return func(ctx context.Context, where string, err error) error {
		e := problem.OfStep(ctx, where, err)
		var u *problem.Error
		if errors.As(e, &u) && problem.ClockSuspect(err) {
			ctx, cancel := context.WithTimeout(ctx, probeTime)
			defer cancel()
			if skew, err := stage.Skew(ctx); err == nil { // what is not known is not told
				u.Hint = problem.ClockIs(skew) + u.Hint
			}
		}
		return e
	}
}

// keep saves the learner's progress; the first failure is told once.
func (t *tutor) keep(ctx context.Context, id string, l state.Lesson) {
	if t.auto {
		return
	}
	if err := t.store.Save(ctx, id, l); err != nil {
		t.app.report(ctx, err)
	}
}

// bringUp opens the stage of a loop, with its progress written to out.
func (a *app) bringUp(ctx context.Context, loop, scenario string, out io.Writer) (Stage, func() error, error) {
	if a.open == nil {
		return nil, nil, &problem.Error{What: "이 실행 파일에는 클러스터가 들어 있지 않습니다"}
	}
	screen := view.New(out)
	stage, closeStage, err := a.open(ctx, loop, scenario, &startup{screen: screen})
	screen.Erase()
	if err == nil {
		return stage, closeStage, nil
	}
	var u *problem.Error
	if ctx.Err() != nil || errors.As(err, &u) {
		return nil, nil, errors.Join(ctx.Err(), err)
	}
	if problem.Retryable(err) {
		return nil, nil, problem.OfStep(ctx, scenario, err)
	}
	return nil, nil, &problem.Error{What: "클러스터를 준비하지 못했습니다", Where: scenario, Cause: err,
		Hint: "stepscale doctor로 이 컴퓨터에서 무엇이 되는지 확인해 보십시오."}
}

func (a *app) completeLessons(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	all, _ := lessons.Load(a.lessons)
	for _, l := range all {
		folder, _, _ := strings.Cut(l.ID, "/")
		if !slices.Contains(names, folder) {
			names = append(names, folder)
		}
		names = append(names, l.ID+"\t"+l.Title)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// loopNames lists the loops that there are.
func (a *app) loopNames() []string {
	return slices.Sorted(maps.Keys(a.loops))
}

// lastStep is the step that ends a pass of the loop.
func (a *app) lastStep(loop string) (trace.StepID, error) {
	ids := a.loops[loop].StepIDs()
	if len(ids) == 0 {
		return "", problem.Usage("그런 루프가 없습니다: "+loop, "쓸 수 있는 루프: "+strings.Join(a.loopNames(), ", "))
	}
	return ids[len(ids)-1], nil
}
