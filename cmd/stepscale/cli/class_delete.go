package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

type deleteOptions struct {
	attach lab.Attachment
	wait   time.Duration
	output string
	yes    bool
}

func newClassDeleteCommand(d deps) *cobra.Command {
	var o deleteOptions
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "수업을 지우고, 남은 것이 없는지 증명합니다",
		Long: `수업의 네임스페이스(학생의 것과 stepscale-class-NAME)와 액세스 항목을 지웁니다. 만들다 만 수업도 됩니다. 토큰은 10초 안에 듣지 않게 됩니다.
그다음 레이블과 이름으로, API 서버가 목록을 주는 모든 종류(클러스터 범위도)를 다시 살펴 무엇을 보았는지 출력합니다. 남은 것이 있으면 무엇이 붙들고 있는지(finalizers) 말하고 종료 코드 1로 끝납니다.
레이블은 누구나 적을 수 있으므로, 이 컴퓨터의 열쇠로 적은 증명이 있는 것만 지웁니다. 다른 컴퓨터에서 만든 수업은 그 열쇠를 가져오시면 됩니다(class key, class adopt). 클러스터마다 한 번 만드는 것은 class remove가 지웁니다.`,
		Example: "  stepscale class delete k8s --context my-context\n  stepscale class delete k8s --eks my-cluster --region ap-northeast-2 --yes --wait 5m",
		RunE:    func(cmd *cobra.Command, given []string) error { return d.classDelete(cmd.Context(), given[0], o) },
	}
	d.classArg(cmd, &o.attach, 0)
	f := cmd.Flags()
	d.attachFlags(f, &o.attach)
	f.DurationVar(&o.wait, "wait", 3*time.Minute, "네임스페이스가 다 지워지기를 기다릴 `시간`")
	outputFlag(cmd, &o.output)
	yesFlag(cmd, &o.yes)
	return cmd
}

func (d deps) classDelete(ctx context.Context, name string, o deleteOptions) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	r, err := d.openRoom(ctx, o.attach, name, "delete "+name)
	if err != nil {
		return err
	}
	found, err := r.Find(ctx, name)
	if err != nil {
		return roomError(err)
	}
	screen := view.New(d.errOut)
	for _, foreign := range found.Foreign {
		screen.Note("남겨 둠: 네임스페이스 " + foreign + ". 이 수업의 것처럼 보이지만 이 컴퓨터가 만들었다는 증명이 없습니다.")
	}
	entries, aws := r.entries()
	if len(found.Foreign) > 0 && found.Empty() && !aws {
		return noProof(name, "지운 것은 없습니다.")
	}
	if found.Empty() && !aws {
		screen.Note("지울 것이 없습니다.")
	} else if err := d.asker(o.yes).Ask(ctx, deletion(name, found, aws)); err != nil {
		return err
	}
	if aws {
		gone, err := r.RevokeAll(ctx, name, entries)
		for _, principal := range gone {
			screen.Done("지움: 액세스 항목 " + principal)
		}
		if err != nil {
			return roomError(err)
		}
	}
	if !found.Empty() {
		progress := newSeatProgress(d.errOut, "네임스페이스를 지웁니다")
		err := r.Delete(ctx, name, found, o.wait, func(left int) { progress.screen.Busy(fmt.Sprintf("남은 네임스페이스 %d개", left)) })
		progress.end()
		if err != nil && ctx.Err() != nil {
			screen.Note("끊겼습니다. 같은 명령을 다시 실행하시면 나머지를 지웁니다.")
			return &watchedError{errors.Join(ctx.Err(), err)}
		}
		if err != nil {
			return roomError(err)
		}
	}
	if err := d.proveDeleted(ctx, r, name, len(found.Foreign), o); err != nil || !found.Home {
		return err // a key is forgotten with its class, and not where there was none
	}
	return d.state.Disown(name, found.HomeUID(name))
}

func deletion(name string, f class.Found, aws bool) []string {
	told := []string{fmt.Sprintf("수업 %s의 네임스페이스 %d개를 지웁니다. 학생이 만든 것도 모두 사라집니다.", name, len(f.Seats))}
	if f.Home {
		told = append(told, "수업의 네임스페이스 "+board.Home(name)+"도 지웁니다. 결과를 남기시려면 먼저 stepscale class export를 실행해 주십시오.")
	}
	if aws {
		told = append(told, "이 수업이 만든 EKS의 액세스 항목도 지웁니다.")
	}
	return told
}

// proveDeleted looks at everything again, and says what it looked at; so many namespaces of
// somebody else's bear the class's name, and stay.
func (d deps) proveDeleted(ctx context.Context, r room, name string, foreign int, o deleteOptions) error {
	p, err := r.Prove(ctx, name)
	if err != nil {
		return roomError(err)
	}
	if entries, aws := r.entries(); aws {
		if err := r.ProveEntries(ctx, name, entries, &p); err != nil {
			return roomError(err)
		}
	}
	if o.output == "json" {
		err = d.writeJSON(map[string]any{"schema": "stepscale.class-delete/v1", "class": name, "proven": p.Holds(), "looked": p.Looked, "left": p.Left, "unseen": p.Unseen})
	} else {
		d.showProof(p, foreign)
	}
	if err == nil && !p.Holds() {
		err = &problem.Error{What: fmt.Sprintf("수업 %s에서 남은 것이 %d개, 볼 수 없는 것이 %d개 있습니다", name, len(p.Left), len(p.Unseen)),
			Hint: "finalizers를 적은 컨트롤러가 지워 주기를 기다립니다. 잠시 뒤에 같은 명령을 다시 실행해 주십시오."}
	}
	return err
}

func (d deps) showProof(p class.Proof, foreign int) {
	screen := view.New(d.out)
	screen.Section("살펴본 것")
	for _, l := range p.Looked {
		screen.Line("  " + l)
	}
	for _, u := range p.Unseen {
		screen.Fault("볼 수 없습니다: "+u, false)
	}
	for _, l := range p.Left {
		text := "남아 있습니다: " + l.What
		if len(l.Finalizers) > 0 {
			text += "  finalizers: " + strings.Join(l.Finalizers, ", ")
		}
		if l.Why != "" {
			text += "  " + l.Why
		}
		screen.Fault(text, true)
	}
	switch {
	case !p.Holds():
	case foreign > 0:
		screen.Done(fmt.Sprintf("이 컴퓨터가 만든 것은 남아 있지 않습니다. 증명이 없는 네임스페이스 %d개는 남겨 두었습니다.", foreign))
	default:
		screen.Done("남은 것이 없습니다.")
	}
}
