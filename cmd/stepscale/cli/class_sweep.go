package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/outside"
)

type sweepOptions struct {
	class.Idleness
	attach             lab.Attachment
	output             string
	watch, dryRun, yes bool
}

const (
	sweepEvery = 10 * time.Second // --watch looks
	leastIdle  = time.Minute      // a lesson that executes by itself is heard of every minute
)

func newClassSweepCommand(d deps) *cobra.Command {
	var o sweepOptions
	cmd := &cobra.Command{
		Use: "sweep NAME", Short: "쉬는 자리에 물어보고, 답이 없으면 파드를 치웁니다",
		Long: `파드를 차지한 채 --idle 동안 아무것도 하지 않은 자리를 찾아, 그 사람의 수업 화면에 파드를 치워도 되는지 묻습니다. '남기기'라고 답하거나 한 단계라도 실행하면 그대로 두고, --idle 동안 다시 묻지 않습니다.
--grace가 지나도록 아무것도 하지 않으면 치웁니다. 그 자리의 네임스페이스에서 수업이 만든 디플로이먼트의 replicas를 0으로 할 뿐, 지우는 것은 없습니다(내장 수업이 만드는 워크로드는 디플로이먼트뿐이고, 스테이트풀셋은 자리의 권한으로 만들 수 없습니다). 그 사람이 다음 단계를 실행하면 파드가 전처럼 돌아와 그 자리에서 이어집니다.
수업을 꺼 둔 사람도 묻지만 답할 길이 없으므로 --grace 뒤에 치워집니다. 손을 든 사람, 강사의 진행에 붙잡힌 사람, 보고하지 않는 사람은 얼마나 쉬는지 알 수 없거나 쉬는 것이 아니므로 그대로 둡니다.
시간은 모두 API 서버의 시계로 셉니다. 서버는 없으므로 이 명령이 도는 동안만 됩니다: 한 번 실행하면 묻고, --grace 뒤에 다시 실행하면 치웁니다. --watch는 끝내실 때까지 되풀이합니다. 언제 끊으셔도 다시 실행하시면 이어서 합니다.
누구에게 물었고 어떻게 되었는지는 게시판(class board)에도 보입니다: 물어봄, 남김, 치움.`,
		Example: `  stepscale class sweep k8s --context my-context --dry-run
  stepscale class sweep k8s --idle 20m --grace 5m --watch --context my-context
  stepscale class sweep k8s --yes --output json --eks my-cluster --region ap-northeast-2`,
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return d.classSweep(cmd.Context(), given[0], o)
		},
	}
	d.classArg(cmd, &o.attach, 0)
	f := cmd.Flags()
	d.attachFlags(f, &o.attach)
	f.DurationVar(&o.Idle, "idle", 20*time.Minute, "이 `시간`만큼 아무것도 하지 않으면 묻습니다")
	f.DurationVar(&o.Grace, "grace", 5*time.Minute, "물은 뒤 이 `시간`만큼 답을 기다립니다")
	f.BoolVar(&o.watch, "watch", false, "끝내실 때까지 되풀이합니다. 한 번만 여쭙니다")
	f.BoolVar(&o.dryRun, "dry-run", false, "누구에게 묻고 무엇을 치울지 보여 드리기만 합니다")
	outputFlag(cmd, &o.output)
	yesFlag(cmd, &o.yes)
	return cmd
}

func (o sweepOptions) check() error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	switch {
	case o.Idle < leastIdle:
		return problem.Usage("--idle에는 1분보다 긴 시간을 적어 주십시오.", "예: --idle 20m. 혼자 이어서 실행되는 수업은 1분마다 알려 오므로, 더 짧으면 쉬는 것과 구별할 수 없습니다.")
	case o.Grace <= 0:
		return problem.Usage("--grace에는 0보다 긴 시간을 적어 주십시오.", "답할 시간이 있어야 합니다. 예: --grace 5m")
	case o.watch && o.dryRun:
		return problem.Usage("--watch와 --dry-run은 함께 쓸 수 없습니다.", "하나씩 실행해 주십시오.")
	}
	return nil
}

func (d deps) classSweep(ctx context.Context, name string, o sweepOptions) error {
	r, err := d.openRoom(ctx, o.attach, name, "sweep "+name)
	if err != nil {
		return err
	}
	s, err := r.load(ctx, name)
	if err != nil {
		return err
	}
	if err := r.refuseUnproven(ctx, s); err != nil {
		return err
	}
	all, err := r.Holdings(ctx, s, o.Idleness)
	if err != nil {
		return roomError(err)
	}
	if o.dryRun {
		all.DryRun = true
		return d.showHoldings(all, o)
	}
	if acting := all.Acting(); len(acting) > 0 || o.watch {
		if o.output == "text" {
			d.tableHoldings(all)
		}
		if err := d.asker(o.yes).Ask(ctx, sweeping(name, acting, o)); err != nil {
			return err
		}
	}
	if o.watch {
		return d.keepSweeping(ctx, r, name, o)
	}
	if all, err = r.Holdings(ctx, s, o.Idleness); err != nil { // the answer may have taken its time
		return roomError(err)
	}
	err = r.Sweep(ctx, all)
	return errors.Join(d.showHoldings(all, o), roomError(err))
}

// refuseUnproven stops who has not the key that the class was made with.
func (r room) refuseUnproven(ctx context.Context, s class.Spec) error {
	present, err := r.Present(ctx, s)
	if err != nil {
		return roomError(err)
	}
	if len(present) > 0 || len(s.Seats) == 0 {
		return nil
	}
	return noProof(s.Class, "아무것도 쓰지 않았습니다.")
}

// sweeping is what is told before anything is done.
func sweeping(name string, acting []class.Holding, o sweepOptions) []string {
	ask, take, pods := 0, 0, 0
	for _, h := range acting {
		switch h.State {
		case class.FateAsk:
			ask++
		case class.FateSweep:
			take++
			pods += h.Pods
		}
	}
	var parts []string
	if ask > 0 {
		parts = append(parts, fmt.Sprintf("%d개의 자리에 파드를 치워도 되는지 묻습니다.", ask))
	}
	if take > 0 {
		parts = append(parts, fmt.Sprintf("답이 없던 %d개의 자리에서 파드 %d개를 치웁니다.", take, pods))
	}
	if rest := len(acting) - ask - take; rest > 0 {
		parts = append(parts, fmt.Sprintf("%d개의 자리에는 더 묻지 않습니다.", rest))
	}
	told := []string{"수업 " + name + ": " + cmp.Or(strings.Join(parts, " "), "지금 묻거나 치울 자리는 없습니다.")}
	if o.watch {
		told = append(told, fmt.Sprintf("끝내실 때까지, %s 동안 아무것도 하지 않은 자리에 묻고 %s 뒤에 치웁니다.", view.Duration(o.Idle), view.Duration(o.Grace)))
	}
	return append(told, "치우는 것은 수업이 만든 디플로이먼트의 replicas를 0으로 하는 것입니다. 지우는 것은 없고, 그 사람이 다시 하면 파드가 돌아옵니다.")
}

// keepSweeping does it again and again, and tells what is new. A look that fails is no
// reason to leave: the next one may not.
func (d deps) keepSweeping(ctx context.Context, r room, name string, o sweepOptions) error {
	screen := view.New(d.out)
	if o.output == "text" {
		screen.Note("Ctrl-C로 끝내실 수 있습니다. 묻고 있던 것은 그대로 남아, 다시 실행하시면 이어서 합니다.")
	}
	for failures := 0; ; {
		var all class.Holdings
		s, err := r.Load(ctx, name) // seats may be added
		if err == nil {
			all, err = r.Holdings(ctx, s, o.Idleness)
		}
		if err == nil {
			err = r.Sweep(ctx, all)
		}
		switch {
		case ctx.Err() != nil:
			return &watchedError{ctx.Err()}
		case err == nil:
			failures = 0
			err = d.newHoldings(all, o)
		case failures < play.MostFailures && problem.Retryable(err):
			failures++
			view.New(d.errOut).Note("클러스터에 닿지 못했습니다. 다시 해 봅니다. (" + problem.Sentence(roomError(err)) + ")")
			err = nil
		}
		if err != nil {
			return roomError(err)
		}
		if play.Wait(ctx, sweepEvery) != nil {
			return &watchedError{ctx.Err()}
		}
	}
}

// newHoldings writes what has just been done.
func (d deps) newHoldings(all class.Holdings, o sweepOptions) error {
	if all.Seats = all.Acting(); len(all.Seats) == 0 {
		return nil
	}
	if o.output == "json" {
		e := json.NewEncoder(outside.JSONWriter(d.out))
		e.SetEscapeHTML(false)
		return e.Encode(all)
	}
	screen := view.New(d.out)
	for _, h := range all.Seats {
		screen.Line(all.At.Local().Format("15:04:05") + "  " + h.Seat + "  " + fate(h, false))
	}
	return screen.Err()
}

// showHoldings writes all of a look.
func (d deps) showHoldings(all class.Holdings, o sweepOptions) error {
	if o.output == "json" {
		return d.writeJSON(all)
	}
	screen := view.New(d.out)
	acting := all.Acting()
	switch {
	case len(all.Seats) == 0:
		screen.Note("파드를 차지한 자리가 없습니다.")
		return screen.Err()
	case o.dryRun || len(acting) == 0:
		d.tableHoldings(all)
	}
	if !o.dryRun {
		for _, h := range acting {
			screen.Done(h.Seat + ": " + fate(h, false))
		}
	}
	asked := 0
	for _, h := range all.Seats {
		if h.State == class.FateAsk || h.State == class.FateAsked {
			asked++
		}
	}
	if asked > 0 && !o.dryRun {
		screen.Note(fmt.Sprintf("%s 뒤에 같은 명령을 다시 실행하시면, 그때까지 아무것도 하지 않은 자리의 파드를 치웁니다. 되풀이하시려면 --watch를 적어 주십시오.", view.Duration(o.Grace)))
		screen.Note("수업을 꺼 둔 사람은 물음을 볼 수 없으므로, 그 자리는 답 없이 치워집니다.")
	}
	return screen.Err()
}

func (d deps) tableHoldings(all class.Holdings) {
	var rows [][]string
	for _, h := range all.Seats {
		quiet := ""
		if h.State != class.FateUnknown {
			quiet = korean.Age(time.Duration(h.Quiet) * time.Second)
		}
		rows = append(rows, []string{h.Seat, fmt.Sprint(h.Pods), h.CPU, quiet, fate(h, true)})
	}
	if len(rows) > 0 {
		view.New(d.out).Table([]string{"자리", "파드", "CPU", "쉰 시간", "할 일"}, rows)
	}
}

// fate says what becomes of a seat, or what has.
func fate(h class.Holding, yet bool) string {
	words := map[class.Fate][2]string{
		class.FateUsed:    {"쓰는 중", "쓰는 중"},
		class.FateUnknown: {"보고가 없어 알 수 없음: 그대로 둠", "보고가 없어 그대로 두었습니다"},
		class.FateHand:    {"손을 들고 있음: 그대로 둠", "손을 들고 있어 그대로 두었습니다"},
		class.FateHeld:    {"진행에 붙잡혀 있음: 그대로 둠", "진행에 붙잡혀 있어 그대로 두었습니다"},
		class.FateAsk:     {"물어봄", "물었습니다. " + h.Until.Local().Format("15:04") + "까지 기다립니다"},
		class.FateAsked:   {"답을 기다림 (" + h.Until.Local().Format("15:04") + "까지)", "답을 기다립니다"},
		class.FateKept:    {"답했거나 한 일이 있음: 그대로 둠", "답했거나 한 일이 있어 그대로 두었습니다"},
		class.FateSweep:   {"답이 없음: 치움", fmt.Sprintf("답이 없어 파드 %d개를 치웠습니다", h.Pods)},
		class.FateEnded:   {"수업을 마쳐 파드가 없음", "수업을 마쳐 묻던 것을 거두었습니다"},
	}
	if yet {
		return words[h.State][0]
	}
	return words[h.State][1]
}
