// Package cli holds the commands of stepscale, one file each, and is the only
// target that joins the rooms of the house.
package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/lessons"
	"github.com/stepscale/stepscale/scenarios"
)

// Stage is a cluster with a scenario on it and a loop in hand.
type Stage interface {
	play.Source
	// Skew is how far this machine's clock is ahead of the API server's.
	Skew(ctx context.Context) (time.Duration, error)
}

// Opener brings up what a loop needs. The function it returns takes it down
// again and must be called exactly once.
type Opener func(ctx context.Context, loop, scenario string, out Phases) (Stage, func() error, error)

// app is what the commands share. wire fills in what needs a cluster.
type app struct {
	in          io.Reader
	out, errOut io.Writer
	lessons     fs.FS
	scenarios   fs.FS // the opener loads its scenario from here
	open        Opener
	loops       map[string]engine.Definition               // by name
	state       state.Dir                                  // the learner's directory
	conn        *connection                                // the running cluster, shared by the lessons of one call
	target      target                                     // where the opener opens its stages
	typed       *lines.Reader                              // the one reader of in; see lines
	consented   sets.Set[string]                           // what the learner lets us write to a cluster that is not ours
	pause       func(context.Context, time.Duration) error // lets real time pass
	kept        string                                     // takes down what stays when we end, a kind cluster
	divert      func(stateDir string)                      // what libraries write to our standard error
	abort       func(error)                                // ends the command, and says why; may be nil
	finish      func() error                               // called once at the end, whatever happened; may be nil
}

func newApp() *app {
	a := &app{divert: func(string) {}, in: os.Stdin, out: os.Stdout, errOut: os.Stderr, lessons: lessons.FS, scenarios: scenarios.FS, state: findState()}
	a.pause = a.countdown
	return a
}

// Main runs the command line and returns the exit code.
func Main() int {
	a := wire(newApp())
	a.errOut, a.divert = ownStderr(), divertStderr
	setGlobals(a.errOut)
	return a.main(os.Args[1:])
}

// main cancels the context on the first signal; the second one kills.
func (a *app) main(argv []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)
	ctx, a.abort = context.WithCancelCause(ctx)
	return a.execute(ctx, argv)
}

func (a *app) execute(ctx context.Context, argv []string) int {
	root := a.root()
	if len(argv) > 0 && strings.HasPrefix(argv[0], cobra.ShellCompRequestCmd) {
		argv = slices.Clone(argv)
		for i, word := range argv { // cobra tells of errors with them where no writer of ours is
			argv[i] = outside.Text(word)
		}
	}
	root.SetArgs(argv)
	err := root.ExecuteContext(ctx)
	if a.finish != nil {
		err = errors.Join(err, a.finish())
	}
	return a.report(ctx, err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "stepscale",
		Short: "쿠버네티스 오토스케일링을 한 단계씩 실행하며 배우는 터미널 워크북",
		Long: `stepscale은 쿠버네티스 오토스케일링의 제어 루프를 한 단계씩 실행하며 배우는 터미널 워크북입니다.
컨트롤 플레인은 진짜 쿠버네티스입니다. 기본인 임베디드 클러스터에서는 부하와 노드와 시간만 시뮬레이션이고, kind와 EKS에서는 모두 실제입니다.
'다음'을 누를 때마다 액터 하나만 움직이고, 다른 터미널의 kubectl로 그 중간 상태를 볼 수 있습니다.`,
		Example: `  stepscale learn hpa          HPA를 처음부터 배웁니다
  stepscale learn vpa          VPA를 처음부터 배웁니다
  stepscale lessons            수업 목록과 진도를 봅니다
  stepscale run web-surge      설명 없이 제어 루프만 실행합니다
  stepscale doctor             이 컴퓨터에서 무엇이 되는지 확인합니다
  stepscale learn hpa --cluster kind                        kind 클러스터에서 합니다
  stepscale learn hpa --eks my-cluster --image 이미지       EKS 클러스터에서 합니다`,
		Args: cobra.ArbitraryArgs, RunE: unknownCommand,
		SilenceErrors: true, SilenceUsage: true,
		Version: version(),
	}
	root.SetIn(a.in)
	root.SetOut(outside.Writer(a.out)) // what cobra itself writes: completions, and its errors
	root.SetErr(outside.Writer(a.errOut))
	root.CompletionOptions.DisableDefaultCmd = true
	root.PersistentFlags().BoolP("help", "h", false, "도움말을 보여 드립니다")
	root.Flags().BoolP("version", "v", false, "버전을 보여 드립니다")
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(a.help)
	root.SetUsageFunc(func(cmd *cobra.Command) error { a.help(cmd, nil); return nil })
	root.SetHelpCommand(a.helpCommand(root))
	root.AddCommand(a.learnCommand(), a.lessonsCommand(), a.runCommand(), a.verifyCommand(), a.observeCommand(), a.checkCommand(),
		a.clusterCommand(), a.doctorCommand(), a.imageCommand(), a.workloadCommand(), a.classCommand(), a.eksTokenCommand(), a.versionCommand(), a.licensesCommand(), a.completionCommand())
	translateArgs(root)
	return root
}

// mostText is how large a lesson and each file of a scenario may be. The longest that
// come with stepscale have a hundredth of it.
const mostText = 2 << 20

// dirFS is the folder dir, or def when dir is empty.
func dirFS(dir string, def fs.FS) (fs.FS, error) {
	if dir == "" {
		return def, nil
	}
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return nil, &problem.Error{What: "폴더를 열 수 없습니다", Where: dir, Code: problem.ExitUsage, Cause: err,
			Hint: "폴더의 경로가 맞는지 확인해 주십시오."}
	}
	return outside.Dir(dir, mostText), nil
}
