package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
)

// report prints err, the only place that does, and returns the exit code.
func (d deps) report(ctx context.Context, err error) int {
	if err == nil {
		return problem.ExitOK
	}
	if cause := problem.Aborted(ctx); cause != nil {
		err = cause
	}
	s := view.New(d.errOut)
	code := problem.ExitFailure
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		s.Blank()
		var watched *watchedError
		if !errors.As(err, &watched) {
			s.Note("중단했습니다. 시작한 것은 정리했습니다.")
		}
		var kept *keptError
		if errors.As(err, &kept) {
			s.Note("kind 클러스터는 남아 있습니다. 지우시려면: " + kept.down)
		}
		code = problem.ExitInterrupted
	}
	for _, e := range problem.Root(problem.Flatten(err)) {
		var u *problem.Error
		if told(e) {
			continue
		}
		if !errors.As(e, &u) {
			s.Problem(problem.CauseText(e), "", "stepscale doctor로 이 컴퓨터에서 무엇이 되는지 확인해 보십시오.")
			continue
		}
		if u.Code != 0 && code != problem.ExitInterrupted {
			code = u.Code
		}
		what := problem.Korean(u.What)
		if u.Cause != nil {
			what += ": " + problem.CauseText(u.Cause)
		}
		s.Problem(what, u.Where, u.Hint)
	}
	return code
}

// told errors were told already, or have nobody left to tell them to.
func told(err error) bool {
	var kept *keptError
	return errors.Is(err, context.Canceled) || errors.Is(err, errReported) || errors.Is(err, syscall.EPIPE) || errors.As(err, &kept)
}

// errReported is returned by commands that already said what is wrong.
var errReported = errors.New("problems were reported")

// flagError says in Korean what pflag found wrong with the flags.
func flagError(cmd *cobra.Command, err error) error {
	if given := cmd.Flags().Args(); cmd.HasSubCommands() && len(given) > 0 { // flags of a command that is not there
		return unknownCommand(cmd, given)
	}
	hint := fmt.Sprintf("플래그 목록은 %s --help로 볼 수 있습니다.", cmd.CommandPath())
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			return problem.Usage("알 수 없는 플래그입니다: -"+name, hint)
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := problem.Nearest(name, names); near != "" {
			hint = fmt.Sprintf("혹시 --%s 플래그를 찾으셨습니까? %s", near, hint)
		}
		return problem.Usage("알 수 없는 플래그입니다: --"+name, hint)
	case errors.As(err, &missing):
		return problem.Usage(fmt.Sprintf("--%s 플래그에는 값이 필요합니다.", missing.GetFlag().Name), hint)
	case errors.As(err, &invalid):
		if invalid.GetFlag().Value.Type() == "duration" {
			hint = "시간에는 단위를 붙여 주십시오. 예: 30s, 5m, 2h. " + hint
		}
		return problem.Usage(fmt.Sprintf("--%s 플래그의 값이 올바르지 않습니다: %q", invalid.GetFlag().Name, invalid.GetValue()), hint)
	case errors.As(err, &syntax):
		return problem.Usage("플래그를 읽을 수 없습니다: "+syntax.GetSpecifiedFlag(), hint)
	}
	return &problem.Error{What: "플래그를 읽을 수 없습니다", Hint: hint, Code: problem.ExitUsage, Cause: err}
}

// args checks the number of arguments; what names them for the learner.
func args(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		hint := fmt.Sprintf("사용법: %s", useLine(cmd))
		if len(given) < least {
			return problem.Usage(korean.Object(what)+" 적어 주십시오.", hint)
		}
		if len(given) > most {
			return problem.Usage("인자가 너무 많습니다: "+strings.Join(given[most:], " "), hint)
		}
		return nil
	}
}

// translateArgs makes the argument errors of cobra's own validators Korean.
func translateArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, given []string) error {
			err := check(cmd, given)
			var u *problem.Error
			switch {
			case err == nil || errors.As(err, &u):
				return err
			case cmd.HasAvailableSubCommands() && len(given) > 0:
				return unknownCommand(cmd, given)
			}
			return problem.Usage("인자가 맞지 않습니다: "+strings.Join(given, " "), "사용법: "+useLine(cmd))
		}
	}
	for _, c := range cmd.Commands() {
		translateArgs(c)
	}
}

// unknownCommand is the RunE of a command that only has subcommands.
func unknownCommand(cmd *cobra.Command, given []string) error {
	if len(given) == 0 {
		return cmd.Help()
	}
	hint := fmt.Sprintf("명령 목록은 %s --help로 볼 수 있습니다.", cmd.CommandPath())
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if near := problem.Nearest(given[0], names); near != "" {
		hint = fmt.Sprintf("혹시 %s 명령을 찾으셨습니까? %s", near, hint)
	}
	return problem.Usage("알 수 없는 명령입니다: "+given[0], hint)
}
