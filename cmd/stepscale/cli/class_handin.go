package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/recording"
)

func newClassHandInCommand(d deps) *cobra.Command {
	var t target
	var withdraw, yes bool
	cmd := &cobra.Command{
		Use: "hand-in [기록]", Short: "학생: 내 기록을 강사에게 냅니다. 내지 않으셔도 됩니다", Args: args(0, 1, "기록"),
		Long: `수업의 기록 하나를 압축해 내 네임스페이스에 둡니다. 강사(클러스터 관리자)는 읽을 수 있고, 다른 학생은 읽을 수 없습니다. 저절로 내는 일은 없으며, 이 명령으로 물음에 예라고 답하실 때만 냅니다. 기록을 적지 않으시면 가장 최근의 것을 냅니다.
기록에는 단계마다 읽고 쓴 값과 API 호출이 들어 있고, 토큰이나 비밀번호는 들어 있지 않습니다. 무엇이 들어 있는지는 stepscale replay로 보실 수 있습니다.
한 자리에 하나이고, 다시 내시면 바뀝니다. --withdraw로 언제든 거두실 수 있지만, 강사가 그 전에 받아 간 것은 거둘 수 없습니다. 압축한 크기는 256 KiB까지입니다.`,
		Example: `  stepscale class hand-in
  stepscale class hand-in web.jsonl
  stepscale class hand-in --withdraw`,
		RunE: func(cmd *cobra.Command, given []string) error {
			if withdraw && len(given) > 0 {
				return problem.Usage("--withdraw에는 기록을 적지 않습니다.", "예: stepscale class hand-in --withdraw")
			}
			if err := d.sit(cmd, &t); err != nil {
				return err
			}
			if withdraw {
				return d.withdraw(cmd.Context(), t)
			}
			return d.handIn(cmd.Context(), append(given, "")[0], t, yes)
		},
	}
	f := cmd.Flags()
	d.attachFlags(f, &t.attach)
	f.StringVarP(&t.namespace, "namespace", "n", "", "강사가 만들어 준 `네임스페이스` (앉으신 자리의 것이 기본)")
	f.BoolVar(&withdraw, "withdraw", false, "냈던 기록을 거둡니다")
	yesFlag(cmd, &yes)
	return cmd
}

func (d deps) handIn(ctx context.Context, file string, t target, yes bool) error {
	if file == "" {
		var err error
		if file, err = d.lastKept(); err != nil {
			return err
		}
	}
	got, packed, err := readHandIn(file)
	if err != nil {
		return err
	}
	who, err := inClassroom(ctx, t)
	if err != nil {
		return err
	}
	secret, err := seatSecret(ctx, t)
	if err != nil {
		return err
	}
	if got.Secrets(secret) {
		return &problem.Error{What: "기록에 이 자리의 토큰이 들어 있어 내지 않았습니다", Where: file, Hint: "다른 도구로 고친 기록인지 확인해 주십시오. stepscale은 토큰을 기록하지 않습니다."}
	}
	what := got.Header.Lesson
	if what == "" {
		what = "단계 " + fmt.Sprint(got.Frames) + "개"
	}
	err = d.asker(yes).Ask(ctx, []string{
		fmt.Sprintf("%s(%s)의 기록을 수업 %s의 강사에게 냅니다. %s, 압축해서 %s입니다.", what, filepath.Base(file), who.Class, size(len(got.Plain)), size(len(packed))),
		"네임스페이스 " + who.Namespace + "에 두며, 강사가 읽을 수 있고 다른 학생은 읽을 수 없습니다. 전에 내신 것이 있으면 바뀝니다.",
	})
	if err != nil {
		return err
	}
	if err := class.HandIn(ctx, who, packed); err != nil {
		return problem.OfCluster(err)
	}
	screen := view.New(d.out)
	screen.Done("기록을 냈습니다: " + what)
	screen.Note("거두시려면 stepscale class hand-in --withdraw. 강사가 이미 받아 간 것은 거둘 수 없습니다.")
	return nil
}

func size(n int) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", (n+1023)>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// readHandIn reads a recording of the learner's, and packs it.
func readHandIn(file string) (got class.HandedIn, packed []byte, err error) {
	in, err := openRecording(file)
	if err != nil {
		return got, nil, err
	}
	defer in.Close()
	plain, err := io.ReadAll(outside.AtMost(in, class.MostPlain, &outside.SizeError{Size: class.MostPlain + 1, Limit: class.MostPlain}))
	if err == nil {
		got, err = class.ReadHandIn(plain)
	}
	large := &problem.Error{What: "기록이 너무 커서 낼 수 없습니다", Where: file, Code: problem.ExitUsage, Hint: "압축하기 전에는 " + size(class.MostPlain) + ", 압축해서는 " + size(class.MostPacked) + "까지입니다. 수업 하나의 기록을 내 주십시오."}
	if errors.As(err, new(*outside.SizeError)) {
		return got, nil, large
	}
	if err != nil {
		return got, nil, badLine(file, err)
	}
	if packed, err = recording.Pack(bytes.NewReader(got.Plain)); err == nil && len(packed) > class.MostPacked {
		err = large
	}
	return got, packed, err
}

// seatSecret is what must not stand in a recording.
func seatSecret(ctx context.Context, t target) (string, error) {
	cfg, err := t.open().Up(ctx)
	if err != nil {
		return "", problem.OfCluster(err)
	}
	return cfg.BearerToken, nil
}

func (d deps) withdraw(ctx context.Context, t target) error {
	who, err := inClassroom(ctx, t)
	if err != nil {
		return err
	}
	was, err := class.Withdraw(ctx, who)
	if err != nil {
		return problem.OfCluster(err)
	}
	screen := view.New(d.out)
	if !was {
		screen.Note("내신 기록이 없습니다.")
		return nil
	}
	screen.Done("냈던 기록을 거뒀습니다. 강사가 이미 받아 간 것은 거둘 수 없습니다.")
	return nil
}
