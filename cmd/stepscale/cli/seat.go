package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
)

// sit makes the learner's seat the target of a command that names no cluster, and says so.
func (d deps) sit(cmd *cobra.Command, t *target) error {
	if slices.ContainsFunc([]string{"cluster", "name", "context", "eks"}, cmd.Flags().Changed) {
		return nil
	}
	j, taken, err := class.Seated(d.state)
	if err != nil {
		return &problem.Error{What: "앉아 계신 자리를 읽을 수 없습니다", Cause: err, Hint: "stepscale class leave로 지우고 수업 파일과 코드로 다시 앉아 주십시오. 자리 없이 하시려면 --cluster embedded를 적어 주십시오."}
	}
	if !taken {
		return nil
	}
	if !j.Expires.IsZero() && time.Now().After(j.Expires) {
		return &problem.Error{What: "수업 " + j.Class + "의 자리 " + korean.Topic(j.Seat) + " " + clockTime(j.Expires) + "에 끝났습니다", Code: problem.ExitUsage,
			Hint: "자리를 떠나시려면 stepscale class leave를, 임베디드 클러스터에서 하시려면 --cluster embedded를 적어 주십시오. 수업이 이어진다면 강사에게 새 코드를 부탁해 주십시오."}
	}
	t.attach = attachSeat(j, t.attach)
	if t.namespace == "" {
		t.namespace = j.Namespace
	}
	if t.image == "" {
		t.image = j.Image
	}
	t.seated, t.yes = true, true // who joined has agreed to what a lesson writes there
	text := "수업 " + j.Class + "의 자리 " + j.Seat + "에서 합니다. 네임스페이스 " + t.namespace + "."
	if cmd.Flags().Lookup("cluster") != nil { // can be done elsewhere
		text += " 임베디드 클러스터에서 하시려면 --cluster embedded,"
	}
	view.New(d.errOut).Note(text + " 자리를 떠나시려면 stepscale class leave.")
	return nil
}

// seatError says why the cluster does not take whom it took when they joined.
func seatError(err error) error {
	if e, ok := errors.AsType[*attached.Error](err); ok && e.Reason == attached.NoEntry {
		return &problem.Error{What: "클러스터가 이 자리의 신원을 더 이상 받지 않습니다", Cause: e.Err,
			Hint: problem.ClockIs(e.Skew) + "강사가 수업을 지웠거나 코드를 새로 만들었을 수 있습니다. 새 코드로 다시 앉으시거나, stepscale class leave로 떠나시거나, --cluster embedded를 적어 주십시오."}
	}
	return problem.OfCluster(err)
}

// attachSeat is the cluster of a seat; a region or a profile that was given counts.
func attachSeat(j class.Joined, given lab.Attachment) lab.Attachment {
	given.Context, given.Kubeconfig, given.Name = j.Context, j.Kubeconfig, j.EKS
	given.Region = cmp.Or(given.Region, j.Region)
	return given
}

// seatFindings are about the learner's seat, where there is one.
func (d deps) seatFindings(ctx context.Context) []finding {
	j, taken, err := class.Seated(d.state)
	switch {
	case err != nil:
		return []finding{{"자리", statusFail, err.Error(), "stepscale class leave로 지우고 수업 파일과 코드로 다시 앉아 주십시오."}}
	case !taken:
		return nil
	}
	detail := "수업 " + j.Class + "의 자리 " + j.Seat + ", 네임스페이스 " + j.Namespace
	if !j.Expires.IsZero() {
		detail += ", " + clockTime(j.Expires) + "까지"
	}
	found, err := d.examineCluster(ctx, attachSeat(j, lab.Attachment{}), j.Namespace)
	if err != nil {
		return []finding{{"자리", statusFail, detail + ": " + problem.Sentence(seatError(err)), "강사에게 새 코드를 부탁하시거나, stepscale class leave로 자리를 떠나 주십시오."}}
	}
	return append([]finding{{"자리", statusOK, detail, ""}}, found...)
}
