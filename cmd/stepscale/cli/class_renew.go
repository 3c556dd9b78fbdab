package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

type renewOptions struct {
	attach lab.Attachment
	ends   string
	hand   handOptions
	yes    bool
}

func newClassRenewCommand(d deps) *cobra.Command {
	var o renewOptions
	cmd := &cobra.Command{
		Use: "renew NAME [자리...]", Short: "코드와 토큰을 새로 만듭니다",
		Long: `코드를 잃어버렸거나 토큰이 끝났을 때, 자리의 토큰과 코드를 새로 만들어 수업 파일에 넣습니다. 자리를 적지 않으시면 모두 새로 만듭니다.
그 자리의 예전 토큰은 10초 안에 듣지 않게 됩니다. 학생의 네임스페이스와 진도는 그대로입니다.`,
		Example: `  stepscale class renew k8s s07 --context my-context
  stepscale class renew k8s --ends 2h --seats seats.txt --context my-context`,
		RunE: func(cmd *cobra.Command, given []string) error {
			return d.classRenew(cmd.Context(), given[0], given[1:], o)
		},
	}
	d.classArg(cmd, &o.attach, class.Most)
	f := cmd.Flags()
	d.attachFlags(f, &o.attach)
	f.StringVar(&o.ends, "ends", "", "새로 끝나는 `때`: 시간(2h)이나 시각(2026-12-01T18:00). 적지 않으시면 수업의 것 그대로입니다")
	o.hand.flags(f)
	yesFlag(cmd, &o.yes)
	return cmd
}

func (d deps) classRenew(ctx context.Context, name string, ids []string, o renewOptions) error {
	now := time.Now()
	var ends time.Time
	if o.ends != "" {
		var err error
		if ends, err = readEnds(o.ends, now); err != nil {
			return err
		}
	}
	r, err := d.openRoom(ctx, o.attach, name, "renew "+name)
	if err != nil {
		return err
	}
	s, err := r.load(ctx, name)
	if err != nil {
		return err
	}
	if err := r.renewable(ctx, s, ends, now); err != nil {
		return err
	}
	seats, err := chooseSeats(s, ids)
	if err != nil {
		return err
	}
	file, err := d.classFileFor(name, o.hand, s, true)
	if err != nil {
		return err
	}
	if err := d.asker(o.yes).Ask(ctx, []string{fmt.Sprintf("수업 %s의 자리 %d개에 새 코드와 토큰을 만듭니다. 그 자리의 예전 토큰은 더 이상 듣지 않습니다.", name, len(seats))}); err != nil {
		return err
	}
	if !ends.IsZero() {
		s.Ends = ends
		if err := r.Save(ctx, s); err != nil {
			return d.unfinished(ctx, name, err)
		}
	}
	if err := r.Renew(ctx, s, seats); err != nil {
		return d.unfinished(ctx, name, err)
	}
	_, err = d.handOut(ctx, r, s, seats, file, o.hand)
	return err
}

// renewable refuses a class that has no codes of ours, or is over.
func (r room) renewable(ctx context.Context, s class.Spec, ends, now time.Time) error {
	if err := r.refuseUnproven(ctx, s); err != nil {
		return err
	}
	if s.Identity == class.IdentityGroup {
		return problem.Usage("이 수업에는 코드가 없습니다. 학생은 그룹으로 들어옵니다.", "그룹은 클러스터의 인증을 관리하는 쪽에서 바꿉니다.")
	}
	if s.Identity == class.IdentityToken && ends.IsZero() && s.Ends.Before(now.Add(leastClass)) {
		return classOver(s.Ends)
	}
	return nil
}

// chooseSeats are those that were named, or all.
func chooseSeats(s class.Spec, ids []string) (seats []class.Seat, err error) {
	if len(ids) == 0 {
		return s.Seats, nil
	}
	for _, id := range ids {
		seat, ok := s.Find(strings.ToLower(id))
		if !ok {
			return nil, problem.Usage("그런 자리가 없습니다: "+id, "자리는 "+s.Seats[0].ID+"부터 "+s.Seats[len(s.Seats)-1].ID+"까지 있습니다.")
		}
		seats = append(seats, seat)
	}
	return seats, nil
}
