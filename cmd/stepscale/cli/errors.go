package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stepscale/stepscale/cmd/stepscale/tui"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// userError is an error as the learner reads it. The cause, if there is one,
// stays reachable for errors.Is.
type userError struct {
	what  string // what went wrong, one sentence
	where string // file and line, step, path; may be empty
	hint  string // what to do about it; may be empty
	code  int    // exit code; 0 means exitFailure
	cause error
}

func (e *userError) Error() string { return e.what }
func (e *userError) Unwrap() error { return e.cause }

// sentence is what is wrong, and where, on one line.
func sentence(err error) string {
	var u *userError
	if !errors.As(err, &u) {
		return err.Error()
	}
	text := u.what
	if u.cause != nil {
		text += ": " + u.cause.Error()
	}
	if u.where != "" {
		text += " (" + u.where + ")"
	}
	return text
}

func usageError(what, hint string) error {
	return &userError{what: what, hint: hint, code: exitUsage}
}

// report prints err, the only place that does, and returns the exit code.
func (a *app) report(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	if cause := aborted(ctx); cause != nil {
		err = cause
	}
	s := tui.New(a.errOut)
	code := exitFailure
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		s.Blank()
		s.Note("중단했습니다. 시작한 것은 정리했습니다.")
		if a.kept != "" {
			s.Note("kind 클러스터는 남아 있습니다. 지우시려면: " + a.kept)
		}
		code = exitInterrupted
	}
	for _, e := range flatten(err) {
		var u *userError
		if quiet(e) {
			continue
		}
		if !errors.As(e, &u) {
			s.Problem(causeText(e), "", "stepscale doctor로 이 컴퓨터에서 무엇이 되는지 확인해 보십시오.")
			continue
		}
		if u.code != 0 && code != exitInterrupted {
			code = u.code
		}
		what := u.what
		if u.cause != nil {
			what += ": " + causeText(u.cause)
		}
		s.Problem(what, u.where, u.hint)
	}
	return code
}

// quiet errors were told already, or have nobody left to tell them to.
func quiet(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, errReported) || errors.Is(err, syscall.EPIPE)
}

// errReported is returned by commands that already said what is wrong.
var errReported = errors.New("problems were reported")

// flatten takes errors that were joined apart.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

// flagError says in Korean what pflag found wrong with the flags.
func flagError(cmd *cobra.Command, err error) error {
	hint := fmt.Sprintf("플래그 목록은 %s --help로 볼 수 있습니다.", cmd.CommandPath())
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			return usageError("알 수 없는 플래그입니다: -"+name, hint)
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := nearest(name, names); near != "" {
			hint = fmt.Sprintf("혹시 --%s 플래그를 찾으셨습니까? %s", near, hint)
		}
		return usageError("알 수 없는 플래그입니다: --"+name, hint)
	case errors.As(err, &missing):
		return usageError(fmt.Sprintf("--%s 플래그에는 값이 필요합니다.", missing.GetFlag().Name), hint)
	case errors.As(err, &invalid):
		return usageError(fmt.Sprintf("--%s 플래그의 값이 올바르지 않습니다: %q", invalid.GetFlag().Name, invalid.GetValue()), hint)
	case errors.As(err, &syntax):
		return usageError("플래그를 읽을 수 없습니다: "+syntax.GetSpecifiedFlag(), hint)
	}
	return &userError{what: "플래그를 읽을 수 없습니다", hint: hint, code: exitUsage, cause: err}
}

// args checks the number of arguments; what names them for the learner.
func args(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		hint := fmt.Sprintf("사용법: %s", useLine(cmd))
		if len(given) < least {
			return usageError(object(what)+" 적어 주십시오.", hint)
		}
		if len(given) > most {
			return usageError("인자가 너무 많습니다: "+strings.Join(given[most:], " "), hint)
		}
		return nil
	}
}

// translateArgs makes the argument errors of cobra's own validators Korean.
func translateArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, given []string) error {
			err := check(cmd, given)
			var u *userError
			switch {
			case err == nil || errors.As(err, &u):
				return err
			case cmd.HasAvailableSubCommands() && len(given) > 0:
				return unknownCommand(cmd, given)
			}
			return usageError("인자가 맞지 않습니다: "+strings.Join(given, " "), "사용법: "+useLine(cmd))
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
	if near := nearest(given[0], names); near != "" {
		hint = fmt.Sprintf("혹시 %s 명령을 찾으셨습니까? %s", near, hint)
	}
	return usageError("알 수 없는 명령입니다: "+given[0], hint)
}

// object adds the particle that marks the object: 을 after a final consonant.
func object(word string) string {
	r := []rune(word)
	if len(r) == 0 || r[len(r)-1] < '가' || r[len(r)-1] > '힣' {
		return word + "을(를)"
	}
	if (r[len(r)-1]-'가')%28 == 0 {
		return word + "를"
	}
	return word + "을"
}

// nearest is the candidate most like name, or "" when none is like it.
func nearest(name string, candidates []string) string {
	best, least := "", max(len(name)/3, 2)+1
	if len(name) <= 2 {
		least = 2
	}
	for _, c := range candidates {
		if d := distance(name, c); d < least {
			best, least = c, d
		}
	}
	if best != "" {
		return best
	}
	for _, c := range candidates {
		if len(name) > 1 && strings.Contains(c, name) {
			return c
		}
	}
	return ""
}

// distance is the number of edits between two words (Levenshtein).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(y)]
}
