package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

func newLearnCommand(d deps) *cobra.Command {
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
			if err := d.sit(cmd, &o.target); err != nil {
				return err
			}
			o.noReport = o.noReport || o.target.silent && !cmd.Flags().Changed("no-report")
			return d.learn(cmd.Context(), strings.Join(given, ""), o)
		},
		ValidArgsFunction: d.completeLessons,
	}
	o.flags(d, cmd)
	cmd.Flags().BoolVar(&o.noReport, "no-report", false, "수업의 강사에게 진도를 보고하지 않습니다. 전에 한 보고도 지웁니다")
	return cmd
}

// loadLessons reads the lessons from dir, or the embedded ones.
func (d deps) loadLessons(dir string) ([]lessons.Lesson, error) {
	fsys, err := dirFS(dir, d.lessons)
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

func (d deps) learn(ctx context.Context, name string, o learnOptions) (err error) {
	d = d.plainly(o.plain)
	o.target.holds = true
	if err := o.target.check(); err != nil {
		return err
	}
	if o.target.attached() {
		o.target.foreign = o.target.attach.Open() // the class of the namespace asks it, and then the lessons
	}
	all, err := d.loadLessons(o.lessons)
	if err != nil {
		return err
	}
	files, err := dirFS(o.lessons, d.lessons)
	if err != nil {
		return err
	}
	scenarios, err := dirFS(o.scenarios, d.scenarios)
	if err != nil {
		return err
	}
	progress := &state.Progress{Record: state.Record{Lessons: map[string]state.Lesson{}}}
	if !o.auto {
		if progress, err = d.state.Progress(ctx); err != nil {
			d.report(ctx, err) // the lesson goes on without
		}
	}
	c := &course{all: all, record: progress.Record, elsewhere: func(l lessons.Lesson) string { return d.elsewhere(l, o.target, scenarios) }}
	chosen, err := c.choose(name, o)
	if err != nil {
		return err
	}
	for _, text := range c.told {
		view.New(d.errOut).Note(text)
	}
	demo, err := o.show(ctx, chosen)
	if err != nil {
		return err
	}
	d.heard = demo.beside(d.heard)
	on := &onScreen{Waits: d.waits}
	d.waits = on
	t := &tutor{on: on, deps: d, session: d.opener(d, o.target, scenarios), progress: progress, auto: o.auto, attached: o.target.attached(), o: o, files: files, scenarios: scenarios, next: func(l lessons.Lesson) string { return c.after(l, o.goesOn) }, screen: view.New(d.out), demo: demo}
	defer func() { err = t.session.close(err) }()
	if !o.auto {
		t.typed, t.wide = d.typed, d.fullScreen(o.plain)
	}
	defer t.attend(ctx)()
	defer demo.end(ctx, d) // before the cluster is taken down
	return t.toTheEnd(ctx, chosen)
}

// tutor plays lessons one after the other.
type tutor struct {
	deps      deps
	session   opener
	progress  *state.Progress
	auto      bool
	screen    *view.Screen
	typed     *lines.Reader // nil where nobody types
	wide      bool          // the whole terminal is taken
	on        *onScreen
	o         learnOptions
	files     fs.FS // of the lessons
	scenarios fs.FS
	next      func(lessons.Lesson) string // what there is to learn after a lesson
	attached  bool                        // to somebody else's cluster
	kept      bool                        // something was saved
	shown     []string                    // the lines for the second terminal
	class     *board.Lesson               // nil outside of one
	demo      showing                     // to a class
}

// toTheEnd plays the lessons, and says where whoever stops can go on.
func (t *tutor) toTheEnd(ctx context.Context, chosen []chosenLesson) error {
	err := t.all(ctx, chosen)
	if errors.Is(err, play.ErrQuit) {
		t.screen.Note(t.o.stopped(t.kept))
		return nil
	}
	if ctx.Err() != nil && !t.auto {
		t.screen.Blank()
		t.screen.Note(t.o.stopped(t.kept))
	}
	return err
}

// all plays the lessons one after the other.
func (t *tutor) all(ctx context.Context, chosen []chosenLesson) error {
	for i, c := range chosen {
		if i > 0 {
			if err := t.between(ctx, c.Lesson); err != nil {
				return err
			}
		}
		next, last := t.next(c.Lesson), i+1 == len(chosen)
		if !last {
			next = chosen[i+1].Title
		}
		if err := t.lesson(ctx, c, next, last); err != nil {
			return err
		}
	}
	return nil
}

// typing tells that somebody sits at a terminal.
func (t *tutor) typing() bool { return t.typed != nil && t.typed.Terminal }

// between asks before the next lesson begins.
func (t *tutor) between(ctx context.Context, next lessons.Lesson) error {
	if t.auto || t.typing() { // who sits at a terminal was asked at the end of the last lesson
		return ctx.Err()
	}
	return t.lines().Play(ctx, play.Between(next))
}

// lesson opens the stage, plays, and takes the stage down whatever happened.
func (t *tutor) lesson(ctx context.Context, c chosenLesson, next string, last bool) (err error) {
	o := play.Options{Lesson: c.Lesson, Skip: c.skip, Loop: t.deps.loops[c.Loop], Auto: t.auto, Next: next, Class: t.inClass(), Save: func(l state.Lesson) { t.keep(ctx, c.ID, l) }}
	executes := play.Executions(play.Scenes(c.Blocks)) > 0
	if t.typing() {
		o.After = after(executes && c.Recording == "", last)
	}
	shown := t.face(c.Lesson)
	o.SecondTry = t.wide
	switch {
	case c.Recording != "":
		recorded, closed, openErr := t.deps.besideLesson(ctx, t.files, c.Lesson)
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, closed()) }()
		o.Recorded = recorded
		recorded.Before = passesSeen
		shown.begins(t.informed(engine.Info{Simulated: recorded.Recording.Header.Virtual, Notes: append(aboutRecording(recorded.Recording), noCluster)}))
	case executes:
		stage, openErr := bringUp(ctx, t.session, c.Loop, c.Scenario, &startup{screen: view.New(t.deps.out), attached: t.attached})
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, stage.Close(ctx)) }()
		h := recording.Header{Cluster: t.o.target.kind(), Virtual: stage.Info().Simulated, Lesson: c.ID, Loop: c.Loop, Steps: o.Loop.StepIDs(), Scenario: recordedScenario(t.scenarios, c.Scenario)}
		rec, recErr := t.deps.recorder("", t.o.noRecord, "learn-"+c.ID, h)
		if recErr != nil {
			return recErr
		}
		defer func() { err = errors.Join(err, rec.close()) }()
		stage.Session().Heard = func(f trace.Frame) {
			_ = rec.frame(f) // into no file that was named
			t.demo.frame(f)
			shown.frame(f)
		}
		o.Source, o.Word, o.Revive = stage, wordedBy(stage), revival(stage)
		o.CheckEdit = editing(stage, true)
		o.Branch, o.NoBranch = t.branches(c.Lesson, shown.frame)
		t.second(stage.Info().Kubectl)
		shown.begins(t.informed(stage.Info()))
	}
	t.demo.begin(play.Begun{Title: c.Title, Loop: c.Loop, Simulated: o.Source == nil || o.Source.Info().Simulated})
	p := play.New(o)
	if err := shown.Play(ctx, p); err != nil {
		return err
	}
	if t.wide { // the screen that said so is gone
		t.screen.Done("수업을 마쳤습니다: " + c.Title)
	}
	t.offerHandIn(o.Source != nil)
	if drift := p.Drift(); t.auto && len(drift) > 0 && (o.Source == nil || o.Source.Info().Simulated) { // a real cluster may forbid what a lesson asks about
		return &problem.Error{What: fmt.Sprintf("수업과 %s %d곳에서 어긋났습니다", korean.Subject(map[bool]string{true: "클러스터", false: "기록"}[o.Source != nil]), len(drift)), Where: c.File,
			Hint: drift[0]}
	}
	return nil
}

// after is what becomes of a lesson when it has been read to its end.
func after(cluster, last bool) string {
	switch {
	case cluster && last:
		return "클러스터를 정리하고 끝냅니다."
	case cluster:
		return "이 수업의 오브젝트를 지우고 다음 수업으로 넘어갑니다."
	case last:
		return "끝냅니다."
	}
	return "다음 수업으로 넘어갑니다."
}

// second shows what the second terminal needs, and says when that is something else now.
func (t *tutor) second(needs []string) {
	text := "다른 터미널에서 같은 상태를 보시려면 이 줄들을 붙여 넣어 주십시오."
	if t.shown != nil && !slices.Equal(t.shown, needs) {
		text = "네임스페이스가 바뀌었습니다. 다른 터미널에 이 줄들을 다시 붙여 넣어 주십시오."
	}
	t.shown = needs
	t.screen.Note(text)
	for _, l := range needs {
		t.screen.Raw("    " + l + "\n")
	}
}

// wordedBy says why a step failed, with how wrong the clock is where that may be the
// cause.
func wordedBy(s stage) func(context.Context, string, error) error {
	return func(ctx context.Context, where string, err error) error {
		e := problem.OfStep(ctx, where, err)
		var u *problem.Error
		if errors.As(e, &u) && problem.ClockSuspect(err) {
			ctx, cancel := context.WithTimeout(ctx, probeTime)
			defer cancel()
			if skew, err := s.Skew(ctx); err == nil { // what is not known is not told
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
	t.kept = true
	if err := t.progress.Save(ctx, id, l); err != nil {
		t.deps.report(ctx, err)
	}
}
