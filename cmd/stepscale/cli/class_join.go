package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/outside"
)

func newClassJoinCommand(d deps) *cobra.Command {
	var profile string
	var noReport bool
	cmd := &cobra.Command{
		Use: "join 파일 코드", Short: "받은 수업 파일과 코드로 자리에 앉습니다",
		Long: `강사에게 받은 수업 파일과 코드로 자리에 앉습니다. 서버가 답하는지, 누구로 알아보는지 확인한 뒤, kubeconfig를 상태 디렉터리에 둡니다(0600).
그다음부터 stepscale learn, run, observe, inspect는 플래그 없이 그 자리에서 합니다. 임베디드 클러스터에서 하시려면 --cluster embedded를 적어 주십시오.
수업은 그 자리의 네임스페이스 안에만 쓰고, 쓰기 전에 다시 묻지 않습니다. 자리를 떠나시려면 stepscale class leave를 실행해 주십시오.
강사의 화면에는 지금 하시는 수업과 단계가 보입니다. --no-report로 앉으시면 보고하지 않고 합니다(learn --no-report와 같습니다). 강사의 진행과 힌트는 그대로 받고, 수업 화면에서 손을 들거나 투표할 수는 없습니다(투표는 class vote --answer로). 다시 보고하시려면 --no-report 없이 다시 앉으십시오.`,
		Example: `  stepscale class join k8s.class K7QF-2M9D-XH3P
  stepscale class join k8s.class K7QF-2M9D-XH3P --no-report
  stepscale learn hpa`,
		Args: args(2, 2, "수업 파일과 코드"),
		RunE: func(cmd *cobra.Command, given []string) error {
			return d.classJoin(cmd.Context(), given[0], given[1], profile, noReport)
		},
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(given) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{classFile[1:]}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	cmd.Flags().BoolVar(&noReport, "no-report", false, "강사에게 진도를 보고하지 않습니다")
	cmd.Flags().StringVar(&profile, "profile", "", "AWS 신원으로 앉는 수업에서 쓸 AWS `프로필`")
	return cmd
}

// classFileError says what is wrong with a class file.
func classFileError(file string, err error) error {
	e := &problem.Error{Where: file, Code: problem.ExitUsage}
	switch {
	case errors.Is(err, class.ErrNoClassFile):
		e.What, e.Hint = "수업 파일이 아닙니다", "강사에게 받은 NAME.class 파일을 적어 주십시오."
	case errors.Is(err, class.ErrDamaged):
		e.What, e.Hint = "수업 파일이 망가졌습니다", "파일을 다시 받아 주십시오. 메신저가 바꾸었을 수도 있습니다."
	case errors.Is(err, class.ErrForged):
		e.What, e.Hint = "수업 파일에 자리가 아닌 것이 들어 있습니다", "stepscale class create가 만든 파일이 아닙니다. 파일과 코드를 누구에게 받으셨는지 확인해 주십시오. 아무 데도 연결하지 않았고, 아무것도 저장하지 않았습니다."
	case errors.Is(err, class.ErrNewer):
		e.What, e.Hint = "더 새로운 stepscale이 만든 수업 파일입니다", "stepscale을 새 버전으로 바꿔 주십시오."
	default:
		e.What, e.Hint = "수업 파일을 읽을 수 없습니다: "+outside.Reason(err), "파일의 경로가 맞는지 확인해 주십시오."
	}
	return e
}

func (d deps) classJoin(ctx context.Context, path, typed, profile string, noReport bool) error {
	code, err := class.ReadCode(typed)
	if err != nil {
		return problem.Usage("자리의 코드가 아닙니다: "+typed, "코드는 K7QF-2M9D-XH3P처럼 열두 글자입니다. 대소문자와 -는 상관없습니다.")
	}
	file, err := readClassFile(path)
	if err != nil {
		return classFileError(path, err)
	}
	t, err := file.Open(code)
	if errors.Is(err, class.ErrWrongCode) {
		return &problem.Error{What: "이 코드로 열리는 자리가 없습니다", Where: path, Code: problem.ExitUsage, Hint: "코드를 다시 확인해 주십시오. 강사가 코드를 새로 만들었다면 파일도 새로 받으셔야 합니다."}
	}
	if err != nil {
		return classFileError(path, err)
	}
	done := d.waits.Busy("서버에 묻습니다")
	who, err := d.tryTicket(ctx, t, profile)
	done()
	if err != nil {
		return ticketError(t, err, time.Now())
	}
	j, err := t.Sit(d.state, noReport)
	if err != nil {
		return &problem.Error{What: "자리를 상태 디렉터리에 적을 수 없습니다", Cause: err, Hint: "쓸 수 있는 디렉터리를 STEPSCALE_STATE_DIR 환경 변수에 적어 주십시오."}
	}
	screen := view.New(d.out)
	screen.Done("수업 " + j.Class + "의 자리 " + j.Seat + "에 앉으셨습니다. 네임스페이스 " + j.Namespace)
	screen.Note("클러스터는 " + korean.Object(who) + " 이 자리의 사람으로 알아봅니다.")
	if !j.Expires.IsZero() {
		screen.Note(clockTime(j.Expires) + "까지 쓰실 수 있습니다.")
	}
	screen.Note("이제 stepscale learn hpa를 실행하시면 이 자리에서 합니다. 수업은 이 네임스페이스 안에만 씁니다.")
	if j.NoReport {
		screen.Note("강사에게 진도를 보고하지 않습니다. 다시 보고하시려면 --no-report 없이 다시 앉아 주십시오.")
	}
	if j.Image == "" {
		screen.Note("이 수업에는 워크로드의 이미지가 정해져 있지 않습니다. 강사가 알려 준 이미지를 --image로 적어 주십시오.")
	}
	return nil
}

// tryTicket asks the cluster before anything is kept.
func (d deps) tryTicket(ctx context.Context, t class.Ticket, profile string) (string, error) {
	var up interface {
		Up(context.Context) (*rest.Config, error)
	} = attached.From(t, nil)
	if t.EKS != "" {
		up = eks.New(eks.Options{Name: t.EKS, Region: t.Region, Profile: profile})
	}
	cfg, err := up.Up(ctx)
	if err != nil {
		return "", err
	}
	return t.WhoAmI(ctx, cfg)
}

// ticketError says why the cluster does not take a ticket.
func ticketError(t class.Ticket, err error, now time.Time) error {
	var e *attached.Error
	const renew = "강사에게 새 코드를 부탁해 주십시오(stepscale class renew)."
	switch {
	case !t.Expires.IsZero() && now.After(t.Expires):
		return &problem.Error{What: "이 자리의 토큰은 " + clockTime(t.Expires) + "에 끝났습니다", Cause: err, Hint: renew}
	case errors.Is(err, class.ErrSomebodyElse):
		return &problem.Error{What: "클러스터가 이 토큰을 다른 사람의 것으로 압니다", Cause: err, Hint: "파일을 어디에서 받으셨는지 강사에게 알려 주십시오. 아무것도 저장하지 않았습니다."}
	case t.EKS == "" && errors.As(err, &e) && e.Reason == attached.NoEntry:
		return &problem.Error{What: "클러스터가 이 자리의 토큰을 받지 않습니다", Cause: e.Err, Hint: problem.ClockIs(e.Skew) + "강사가 코드를 새로 만들었거나 수업을 지웠을 수 있습니다. " + renew}
	}
	return problem.OfCluster(err)
}
