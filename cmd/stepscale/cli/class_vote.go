package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// ballot is what the command line asks of a vote.
type ballot struct {
	question, choices  string
	show, again, close bool
	answer             string
	target             target // of a learner
}

func newClassVoteCommand(d deps) *cobra.Command {
	var b ballot
	cmd := &cobra.Command{
		Use: "vote NAME", Short: "모두에게 묻고, 가려진 답을 모아 한 번에 보여 줍니다", Args: args(0, 1, "수업의 이름"),
		Long: `강사: --question과 --choices로 투표를 엽니다. 답은 가려져 있다가 --show에서 한 번에 보이고, 그때 그 차례의 투표는 끝납니다. 서로 이야기한 다음 --again으로 같은 질문을 한 번 더 묻고, --close로 닫습니다. 모든 차례의 답이 남습니다. 아무 플래그도 적지 않으시면 몇 명이 답했는지만 보여 드립니다.
배우는 사람: 수업을 하고 계시면 투표가 열리는 대로 화면이 묻습니다. 수업 밖에서는 --answer로 답합니다. 자리에 앉지 않으셨으면(class join) 수업에 쓰시는 --context나 --eks와 -n을 함께 적으십시오.`,
		Example: `  stepscale class vote k8s --question '다음 패스의 레플리카 수는?' --choices 2,3,4,5 --context my-context
  stepscale class vote k8s --show --context my-context
  stepscale class vote k8s --again --context my-context
  stepscale class vote k8s --close --context my-context
  stepscale class vote --answer 3`,
		RunE: func(cmd *cobra.Command, given []string) error {
			if b.answer != "" {
				if err := d.sit(cmd, &b.target); err != nil {
					return err
				}
				return d.classAnswer(cmd.Context(), b)
			}
			if err := args(1, 1, "수업의 이름")(cmd, given); err != nil {
				return err
			}
			if err := b.check(given[0]); err != nil {
				return err
			}
			room, err := openDesk(cmd.Context(), b.target.attach, given[0], "vote")
			if err != nil {
				return err
			}
			return deskError(d.classVote(cmd.Context(), room, b), room.Class)
		},
	}
	f := cmd.Flags()
	d.attachFlags(f, &b.target.attach)
	cmd.ValidArgsFunction = d.classNames(&b.target.attach)
	f.StringVar(&b.question, "question", "", "물을 `질문`")
	f.StringVar(&b.choices, "choices", "", "쉼표로 나눈 `보기` (2개부터 8개)")
	f.BoolVar(&b.show, "show", false, "답을 모두에게 보여 주고 이 차례를 끝냅니다")
	f.BoolVar(&b.again, "again", false, "같은 질문을 한 번 더 묻습니다")
	f.BoolVar(&b.close, "close", false, "보여 주지 않고 닫습니다")
	f.StringVar(&b.answer, "answer", "", "배우는 사람: 열려 있는 투표에 이 `답`을 합니다")
	f.StringVarP(&b.target.namespace, "namespace", "n", "", "--answer: 강사가 만들어 준 `네임스페이스`")
	return cmd
}

// check refuses flags that say two things.
func (b ballot) check(name string) error {
	n := 0
	for _, is := range []bool{b.question != "" || b.choices != "", b.show, b.again, b.close} {
		if is {
			n++
		}
	}
	switch {
	case n > 1:
		return problem.Usage("--question, --show, --again, --close는 한 번에 하나만 쓸 수 있습니다.", "예: stepscale class vote "+name+" --show --context my-context")
	case (b.question == "") != (b.choices == ""):
		return problem.Usage("--question과 --choices를 함께 적어 주십시오.", "예: --question '다음 레플리카 수는?' --choices 2,3,4,5")
	}
	return nil
}

func (d deps) classVote(ctx context.Context, room board.Desk, b ballot) error {
	v, err := room.Vote(ctx)
	if err != nil {
		return err
	}
	screen := view.New(d.out)
	if b.question != "" {
		return d.openVote(ctx, room, v, b)
	}
	if v.ID == "" {
		return &problem.Error{What: "아직 연 투표가 없습니다", Code: problem.ExitUsage, Hint: "--question과 --choices로 열어 주십시오."}
	}
	reports, err := room.Reports(ctx)
	if err != nil {
		return err
	}
	tally := v.Count(v.Round, reports)
	switch {
	case b.show:
		if err := room.SetVote(ctx, v.Show(tally)); err != nil {
			return err
		}
		screen.Counts(fmt.Sprintf("투표 %d차: %s (%d명)", v.Round, v.Question, tally.Given()), tally.Shown())
		screen.Note("배우는 사람의 화면에도 보입니다. 이야기한 다음 한 번 더 물으시려면 --again, 끝내시려면 --close를 적어 주십시오.")
	case b.again:
		v = v.Again()
		if err := room.SetVote(ctx, v); err != nil {
			return err
		}
		screen.Done(fmt.Sprintf("투표 %d차를 열었습니다: %s", v.Round, v.Question))
	case b.close:
		v.Open = false
		if err := room.SetVote(ctx, v); err != nil {
			return err
		}
		screen.Done(fmt.Sprintf("투표를 닫았습니다: %s (%d차, %d명이 답했습니다)", v.Question, v.Round, tally.Given()))
	default:
		screen.Line(v.Says(tally.Given()))
	}
	return nil
}

func (d deps) openVote(ctx context.Context, room board.Desk, before board.Vote, b ballot) error {
	v := board.Vote{ID: board.NextVote(before, time.Now()), Round: 1, Question: b.question, Open: true}
	for c := range strings.SplitSeq(b.choices, ",") {
		v.Choices = append(v.Choices, strings.TrimSpace(c))
	}
	if why, ok := v.Check(); !ok {
		return problem.Usage(why, "예: --choices 2,3,4,5")
	}
	if err := room.SetVote(ctx, v); err != nil {
		return err
	}
	screen := view.New(d.out)
	screen.Done("투표를 열었습니다: " + v.Question + " (" + strings.Join(v.Choices, " / ") + ")")
	screen.Note("답은 가려져 있습니다. 모두에게 보여 주시려면 --show를 적어 주십시오.")
	return nil
}

// classAnswer votes as a learner.
func (d deps) classAnswer(ctx context.Context, b ballot) error {
	who, err := inClassroom(ctx, b.target)
	if err != nil {
		return err
	}
	v, err := who.Answer(ctx, b.answer)
	switch {
	case errors.Is(err, board.ErrNoVote):
		return problem.Usage("지금 열려 있는 투표가 없습니다.", "강사가 투표를 열면 다시 답해 주십시오.")
	case errors.Is(err, board.ErrNoChoice):
		return problem.Usage("보기에 없는 답입니다: "+b.answer, strings.Join(v.Choices, ", ")+" 가운데 하나로 답해 주십시오.")
	case err != nil:
		return problem.OfCluster(err)
	}
	view.New(d.out).Done(fmt.Sprintf("투표했습니다 (%d차): %s", v.Round, v.Question))
	return nil
}
