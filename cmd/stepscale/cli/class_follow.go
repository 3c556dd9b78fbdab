package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/trace"
)

func newClassFollowCommand(d deps) *cobra.Command {
	var t target
	var plain bool
	cmd := &cobra.Command{
		Use: "follow", Short: "학생: 강사의 화면을 따라갑니다", Args: cobra.NoArgs,
		Long: `강사가 class demo로 비추는 수업을 같은 화면에서 봅니다. 단계는 강사만 실행하고, 여기서는 지나간 단계를 거슬러 보기만 합니다. 아무것도 쓰지 않습니다.
늦게 들어오셔도 지금 단계부터 바로 보이고, 연결이 끊기면 그렇게 말한 뒤 닿는 대로 이어집니다. 강사가 끝내면 그렇게 말합니다. 터미널이 아니면(파이프) 강사가 끝낼 때 함께 끝납니다.
자리에 앉지 않으셨으면(class join) 수업에 쓰시는 --context나 --eks와 -n을 함께 적으십시오.`,
		Example: `  stepscale class follow
  stepscale class follow --plain
  stepscale class follow --context my-context -n s01`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := d.sit(cmd, &t); err != nil {
				return err
			}
			return d.classFollow(cmd.Context(), t, plain)
		},
	}
	f := cmd.Flags()
	d.attachFlags(f, &t.attach)
	f.StringVarP(&t.namespace, "namespace", "n", "", "강사가 만들어 준 `네임스페이스`")
	plainFlag(f, &plain)
	return cmd
}

// inClassroom is the learner whom the command line or the seat names.
func inClassroom(ctx context.Context, t target) (board.Learner, error) {
	if !t.attached() || t.namespace == "" {
		return board.Learner{}, problem.Usage("어느 수업의 자리인지 알 수 없습니다.", "강사에게 받은 파일과 코드로 stepscale class join을 먼저 하시거나, 수업에 쓰시는 --context나 --eks와 -n을 함께 적어 주십시오.")
	}
	if err := t.check(); err != nil {
		return board.Learner{}, err
	}
	who, is, err := learner(ctx, t)
	switch {
	case err != nil && t.seated:
		return who, seatError(err)
	case err != nil:
		return who, problem.OfCluster(err)
	case !is:
		return who, problem.Usage("네임스페이스 "+t.namespace+"의 수업을 알 수 없습니다.", "강사에게 받은 네임스페이스의 이름이 맞는지 확인해 주십시오.")
	}
	return who, nil
}

func (d deps) classFollow(ctx context.Context, t target, plain bool) error {
	d = d.plainly(plain)
	who, err := inClassroom(ctx, t)
	if err != nil {
		return err
	}
	followed := who.Follow()
	defer followed.Close()
	screen, wide := view.New(d.out), d.fullScreen(plain)
	screen.Note("수업 " + who.Class + ": 강사의 화면을 따라갑니다. 강사가 시작하면 보여 드립니다. 여기서는 아무것도 쓰지 않고, 글에 나오는 kubectl 명령은 강사의 클러스터에서만 됩니다." + map[bool]string{true: " 끝내시려면 Ctrl-C."}[wide])
	for begun, more := (play.Begun{}), true; more && err == nil; {
		begun, more, err = d.followLesson(ctx, followed, begun, wide)
	}
	if errors.Is(err, play.ErrQuit) {
		screen.Note("따라가기를 끝냈습니다. stepscale class follow로 다시 따라가실 수 있습니다.")
		return nil
	}
	return err
}

// followLesson shows one lesson of the demo, and tells which one comes after it. Before the
// first one there is no screen to fill, and nobody reads what is typed in its place.
func (d deps) followLesson(ctx context.Context, followed play.Demo, begun play.Begun, wide bool) (play.Begun, bool, error) {
	typing := d.typed != nil && d.typed.Terminal && (!wide || begun.Title != "")
	loop, heard := d.loops[begun.Loop], func(trace.Frame) {}
	var shown interface {
		Play(ctx context.Context, p play.Script) error
	}
	if wide && typing {
		w := d.screen(loop)
		w.Simulated, w.Cluster, w.Title, w.Follows = begun.Simulated, "강사의 클러스터", begun.Title, true
		shown, heard = w, w.Frame
	} else {
		f := &lines.Face{Screen: view.New(d.out), Heard: d.heard}
		if typing {
			f.In = d.typed
		}
		shown = f
	}
	p := play.Follow(followed, begun, loop, !typing, heard)
	defer p.Close()
	if err := shown.Play(ctx, p); err != nil {
		return begun, false, err
	}
	next, more := p.Then()
	return next, more, nil
}
