// Package cli holds the commands of stepscale, one file each, and is the only
// target that joins the rooms of the house.
package cli

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/outside"
)

// Main runs the command line and returns the exit code.
func Main() int {
	d := newDeps(os.Stdin, os.Stdout, ownStderr())
	d.divert = divertStderr
	setGlobals(d.errOut)
	return d.main(os.Args[1:])
}

// main cancels the context on the first signal; the second one kills.
func (d deps) main(argv []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	quiet := context.AfterFunc(ctx, func() {
		stop()
		view.New(d.errOut).Note("중단합니다. 시작한 것을 정리하는 동안 잠시만 기다려 주십시오.")
	})
	defer quiet()
	ctx, d.abort = context.WithCancelCause(ctx)
	return d.execute(ctx, argv)
}

func (d deps) execute(ctx context.Context, argv []string) int {
	root := newRootCommand(d)
	if len(argv) > 0 && strings.HasPrefix(argv[0], cobra.ShellCompRequestCmd) {
		forShells(root)
		argv = slices.Clone(argv)
		for i, word := range argv { // cobra tells of errors with them where no writer of ours is
			argv[i] = outside.Text(word)
		}
	}
	root.SetArgs(argv)
	return d.report(ctx, root.ExecuteContext(ctx))
}

func newRootCommand(d deps) *cobra.Command {
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
	root.SetIn(d.in)
	root.SetOut(outside.Writer(d.out)) // what cobra itself writes: completions, and its errors
	root.SetErr(outside.Writer(d.errOut))
	root.CompletionOptions.DisableDefaultCmd = true
	root.PersistentFlags().BoolP("help", "h", false, "도움말을 보여 드립니다")
	root.Flags().BoolP("version", "v", false, "버전을 보여 드립니다")
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(d.help)
	root.SetUsageFunc(func(cmd *cobra.Command) error { d.help(cmd, nil); return nil })
	group(root, "배우기", newLearnCommand(d), newLessonsCommand(d), newRunCommand(d))
	group(root, "지난 루프", newReplayCommand(d), newWhatifCommand(d), newReportCommand(d), newVerifyCommand(d))
	group(root, "실제 클러스터", newObserveCommand(d), newRecordCommand(d), newInspectCommand(d), newImageCommand(d), newClassCommand(d))
	group(root, "준비와 그 밖의 것", newDoctorCommand(d), newClusterCommand(d), newCheckCommand(d), newVersionCommand(d), newLicensesCommand(d), newCompletionCommand(d))
	root.SetHelpCommand(d.helpCommand(root))
	root.SetHelpCommandGroupID("준비와 그 밖의 것")
	root.AddCommand(newWorkloadCommand(d), newEksTokenCommand(d)) // hidden: what pods and kubectl run
	translateArgs(root)
	return root
}
