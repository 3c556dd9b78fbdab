package cli

import (
	"context"
	"errors"
	"os"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/outside"
)

// noProof tells of a class that another computer has made; nothing was done to it.
func noProof(name, nothing string) error {
	return &problem.Error{What: "수업 " + name + "의 네임스페이스를 이 컴퓨터가 만들었다는 증명이 없습니다", Code: problem.ExitUsage, Hint: nothing + " " + keyHint(name)}
}

// keyHint says how a class is brought to another computer.
func keyHint(name string) string {
	return "다른 컴퓨터에서 만드셨다면 거기에서 stepscale class key " + name + " --out " + name + ".key로 열쇠를 꺼내 이 컴퓨터로 옮기시고, stepscale class adopt " + korean.Object(name+".key") + " 같은 --eks나 --context로 실행해 주십시오."
}

func newClassKeyCommand(d deps) *cobra.Command {
	var attach lab.Attachment
	var out string
	cmd := &cobra.Command{
		Use: "key NAME", Short: "다른 컴퓨터에서도 이 수업을 지울 수 있게, 수업의 열쇠를 파일로 꺼냅니다",
		Long: `delete, renew, sweep은 이 수업을 만들었다는 증명이 있는 네임스페이스만 건드립니다. 증명은 이 컴퓨터의 상태 디렉터리에 있는 열쇠로 적습니다. 이 명령은 수업 하나의 열쇠를 파일(0600)로 꺼내고, 다른 컴퓨터에서 class adopt로 가져갑니다.
열쇠만으로는 클러스터에 들어갈 수 없습니다. kubeconfig도, 학생의 코드와 토큰도, 다른 수업의 열쇠도 들어 있지 않습니다. 그러나 클러스터의 관리자 권한과 함께라면 이 수업을 지울 수 있으니, 다 옮기신 뒤에는 파일을 지워 주십시오.
pace, vote, hint, board, show, cost, export에는 열쇠가 필요 없습니다. 클러스터의 권한만으로 됩니다. 코드를 새로 만드시려면(renew) 수업 파일 NAME.class도 함께 옮겨 주십시오.`,
		Example: "  stepscale class key k8s --out k8s.key --context my-context",
		RunE: func(cmd *cobra.Command, given []string) error {
			return d.classKey(cmd.Context(), given[0], out, attach)
		},
	}
	d.classArg(cmd, &attach, 0)
	d.attachFlags(cmd.Flags(), &attach)
	cmd.Flags().StringVar(&out, "out", "", "열쇠를 적을 새 `파일`")
	return cmd
}

func (d deps) classKey(ctx context.Context, name, out string, attach lab.Attachment) error {
	if out == "" {
		return problem.Usage("열쇠를 적을 파일을 --out으로 적어 주십시오.", "화면에는 적지 않습니다. 예: --out "+name+".key")
	}
	if _, err := os.Lstat(out); err == nil {
		return problem.Usage("같은 이름의 파일이 이미 있습니다: "+out, "덮어쓰지 않았습니다. 다른 이름을 --out으로 적어 주십시오.")
	}
	signer, err := d.provenSigner(ctx, name, "key "+name+" --out "+name+".key", attach)
	if err != nil {
		return err
	}
	raw, err := signer.Carry(name)
	if err != nil {
		return err
	}
	if err := state.WriteAtomically(out, raw); err != nil {
		return &problem.Error{What: "열쇠를 쓸 수 없습니다: " + outside.Reason(err), Where: out, Hint: "쓸 수 있는 폴더의 파일을 --out으로 적어 주십시오."}
	}
	screen := view.New(d.out)
	screen.Done("수업 " + name + "의 열쇠: " + out + " (이 컴퓨터의 주인만 읽을 수 있습니다)")
	screen.Note("다른 컴퓨터로 안전하게 옮기신 다음, 거기에서 실행해 주십시오: stepscale class adopt " + shellescape.Quote(out) + " (같은 --eks나 --context를 함께)")
	return nil
}

// provenSigner is the key that the class was made with, where this computer has it.
func (d deps) provenSigner(ctx context.Context, name, command string, attach lab.Attachment) (none state.Signer, err error) {
	_, cfg, err := attachClass(ctx, attach, command)
	if err != nil {
		return none, err
	}
	signers, err := d.classSigners(name)
	if err != nil {
		return none, err
	}
	for _, s := range signers {
		r, err := class.NewRoom(cfg, s)
		if err != nil {
			return none, err
		}
		if known, err := r.Knows(ctx, name); err != nil {
			return none, roomError(err)
		} else if known != "" {
			return s, nil
		}
	}
	return none, &problem.Error{What: "이 클러스터에 이 컴퓨터가 만든 수업 " + korean.Subject(name) + " 없습니다", Code: problem.ExitUsage, Hint: "stepscale class list에 같은 --eks나 --context를 적어 확인해 주십시오. 열쇠는 수업을 만든 컴퓨터에서 꺼내실 수 있습니다."}
}

func newClassAdoptCommand(d deps) *cobra.Command {
	var attach lab.Attachment
	cmd := &cobra.Command{
		Use: "adopt 열쇠", Short: "다른 컴퓨터에서 만든 수업의 열쇠를 가져옵니다", Args: args(1, 1, "열쇠 파일"),
		Long:    "class key로 꺼낸 열쇠를 이 컴퓨터의 상태 디렉터리에 둡니다(0600). 그다음부터 이 컴퓨터에서도 그 수업에 class delete, renew, sweep을 쓰실 수 있습니다. 그 클러스터에 이 열쇠로 만든 수업이 있는지 먼저 확인합니다. 클러스터에는 아무것도 쓰지 않습니다. 이름이 같은 수업이 다른 클러스터에도 있으면 열쇠를 따로 두고 맞는 것을 골라 씁니다. 수업을 지우면 그 열쇠만 지웁니다.",
		Example: "  stepscale class adopt k8s.key --context my-context",
		RunE: func(cmd *cobra.Command, given []string) error {
			return d.classAdopt(cmd.Context(), given[0], attach)
		},
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(given) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{"key"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	d.attachFlags(cmd.Flags(), &attach)
	return cmd
}

func (d deps) classAdopt(ctx context.Context, file string, attach lab.Attachment) error {
	name, signer, err := state.ReadClassKey(file)
	if errors.Is(err, state.ErrNoClassKey) || err == nil && !class.ValidName(name) {
		return &problem.Error{What: "수업의 열쇠가 아닙니다", Where: file, Code: problem.ExitUsage, Hint: "수업을 만든 컴퓨터에서 stepscale class key로 꺼낸 파일을 적어 주십시오."}
	}
	if err != nil {
		return unreadableFile("열쇠", file, err)
	}
	_, cfg, err := attachClass(ctx, attach, "adopt "+shellescape.Quote(file))
	if err != nil {
		return err
	}
	r, err := class.NewRoom(cfg, signer)
	if err != nil {
		return err
	}
	known, err := r.Knows(ctx, name)
	if err != nil {
		return roomError(err)
	}
	if known == "" {
		return &problem.Error{What: "이 클러스터에는 이 열쇠로 만든 수업 " + korean.Subject(name) + " 없습니다", Where: file, Code: problem.ExitUsage, Hint: "아무것도 저장하지 않았습니다. 클러스터가 맞는지, 수업이 아직 있는지 확인해 주십시오."}
	}
	if err := d.state.Adopt(name, known, signer); err != nil {
		return &problem.Error{What: "열쇠를 상태 디렉터리에 적을 수 없습니다", Cause: err, Hint: "쓸 수 있는 디렉터리를 STEPSCALE_STATE_DIR 환경 변수에 적어 주십시오."}
	}
	screen := view.New(d.out)
	screen.Done("수업 " + name + "의 열쇠를 가져왔습니다. 이제 이 컴퓨터에서도 지우고, 코드를 새로 만들고, 쉬는 자리를 치우실 수 있습니다.")
	screen.Note("옮겨 온 파일 " + korean.Topic(file) + " 이제 지우셔도 됩니다.")
	return nil
}
