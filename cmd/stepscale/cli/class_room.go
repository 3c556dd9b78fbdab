package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/vpa"
)

// room is the cluster of a class, in the instructor's hands.
type room struct {
	*class.Room
	cluster lab.Foreign
}

// openRoom attaches to the cluster of a class, with the key that it was made with where this
// computer has it; command is how the command line goes on that wants to.
func (d deps) openRoom(ctx context.Context, attach lab.Attachment, name, command string) (room, error) {
	c, cfg, err := attachClass(ctx, attach, command)
	if err != nil {
		return room{}, err
	}
	signers, err := d.classSigners(name)
	if err != nil {
		return room{}, err
	}
	first, err := class.NewRoom(cfg, signers[0])
	if err != nil || len(signers) == 1 {
		return room{first, c}, err
	}
	for _, s := range signers {
		r, err := class.NewRoom(cfg, s)
		if err != nil {
			return room{}, err
		}
		if known, err := r.Knows(ctx, name); err != nil {
			return room{}, roomError(err)
		} else if known != "" {
			return room{r, c}, nil
		}
	}
	return room{first, c}, nil
}

// classSigners are the keys that a class may have been made with: this computer's, and
// those that were brought here.
func (d deps) classSigners(name string) ([]state.Signer, error) {
	own, err := d.state.Signer()
	if err != nil {
		return nil, err
	}
	adopted, err := d.state.Adopted(name)
	if err != nil {
		return nil, &problem.Error{What: "가져온 수업의 열쇠를 읽을 수 없습니다: " + name, Cause: err, Hint: "stepscale class adopt로 열쇠를 다시 가져와 주십시오."}
	}
	return append([]state.Signer{own.For(name)}, adopted...), nil
}

// entries are the access entries of the cluster, where it is one of EKS.
func (r room) entries() (class.Entries, bool) {
	c, ok := r.cluster.(*eks.Cluster)
	return c, ok
}

// load reads a class that has to be there.
func (r room) load(ctx context.Context, name string) (class.Spec, error) {
	s, err := r.Load(ctx, name)
	if errors.Is(err, board.ErrNoClass) {
		return s, &problem.Error{What: "그런 수업이 없습니다: " + name, Code: problem.ExitUsage, Hint: "stepscale class list에 같은 --eks나 --context를 적으시면 있는 수업이 나옵니다."}
	}
	return s, roomError(err)
}

// roomError says in Korean why something cannot be done with a class.
func roomError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, vpa.ErrNotInstalled):
		return &problem.Error{What: "이 클러스터는 아직 수업에 맞게 준비되지 않았습니다", Cause: err, Code: problem.ExitUsage, Hint: "stepscale class install을 먼저 실행해 주십시오. 이미 하셨다면 한 번 더 실행하셔도 됩니다."}
	case errors.Is(err, vpa.ErrGoing):
		return &problem.Error{What: "같은 이름의 네임스페이스가 지워지고 있습니다", Cause: err, Hint: "다 지워진 뒤에 다시 실행해 주십시오."}
	case errors.Is(err, eks.ErrForeignEntry):
		return &problem.Error{What: "이 IAM 신원에는 다른 사람이 만든 액세스 항목이 있습니다", Cause: err, Code: problem.ExitUsage, Hint: "건드리지 않았습니다. 명단에 다른 역할을 적으시거나, 그 항목을 만든 분에게 확인해 주십시오."}
	case apierrors.IsForbidden(err):
		return &problem.Error{What: "수업을 만들거나 볼 권한이 없습니다", Cause: err, Hint: "강사(클러스터 관리자)의 신원으로 실행해 주십시오. 역할을 묶으려면 그 역할의 권한이 모두 있어야 합니다."}
	}
	if e, ok := errors.AsType[*attached.Error](err); ok && e.Reason == eks.Denied {
		return &problem.Error{What: "IAM이 허락하지 않습니다", Cause: e.Err, Hint: "강사의 신원에 eks:CreateAccessEntry, eks:DescribeAccessEntry, eks:ListAccessEntries, eks:UpdateAccessEntry, eks:DeleteAccessEntry, eks:TagResource 권한이 필요합니다."}
	}
	return problem.OfCluster(classError(err))
}

func checkClassName(name string) error {
	if class.ValidName(name) {
		return nil
	}
	return problem.Usage("수업의 이름이 될 수 없습니다: "+name, "영문 소문자로 시작해 소문자, 숫자, -만 쓸 수 있고 40자까지입니다. 예: k8s-class")
}

// readEnds is when a class ends: so long from now, or at a time of this machine's zone.
func readEnds(text string, now time.Time) (time.Time, error) {
	wrong := problem.Usage("끝나는 때를 읽을 수 없습니다: "+text, "시간(예: 2h)이나 시각(예: 2026-12-01T18:00)을 적어 주십시오.")
	if length, err := time.ParseDuration(text); err == nil {
		if length < leastClass || length > mostClass {
			return time.Time{}, problem.Usage("수업은 10분에서 30일까지입니다: "+text, "시간(예: 2h)이나 시각(예: 2026-12-01T18:00)을 적어 주십시오. 토큰은 10분보다 짧게 만들 수 없습니다.")
		}
		return now.Add(length).Round(time.Second), nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04", time.RFC3339} {
		at, err := time.ParseInLocation(layout, text, now.Location())
		if err != nil {
			continue
		}
		if length := at.Sub(now); length < leastClass || length > mostClass {
			return time.Time{}, problem.Usage(korean.Topic(text)+" 지금부터 10분 안이거나 지났거나 30일 뒤입니다.", "끝나는 시각을 다시 적어 주십시오. 토큰은 10분보다 짧게 만들 수 없습니다.")
		}
		return at, nil
	}
	return time.Time{}, wrong
}

const (
	leastClass = 10 * time.Minute
	mostClass  = 30 * 24 * time.Hour
	classFile  = ".class" // the end of a class file's name
)

// clockTime is a moment as it is told in class.
func clockTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// classArg is the name that most of these commands have, and more behind it.
func (d deps) classArg(cmd *cobra.Command, attach *lab.Attachment, more int) {
	count := args(1, 1+more, "수업의 이름")
	cmd.Args = func(cmd *cobra.Command, given []string) error {
		if err := count(cmd, given); err != nil {
			return err
		}
		return checkClassName(given[0])
	}
	cmd.ValidArgsFunction = d.classNames(attach)
}

// classNames completes the name of a class, which comes first.
func (d deps) classNames(attach *lab.Attachment) cobra.CompletionFunc {
	return func(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(given) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return d.completeClasses(cmd.Context(), *attach), cobra.ShellCompDirectiveNoFileComp
	}
}

const completionTime = 3 * time.Second // somebody has pressed Tab

// completeClasses are the classes of the cluster that was named, and those whose files are here.
func (d deps) completeClasses(ctx context.Context, attach lab.Attachment) (names []string) {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	if r, err := d.openRoom(ctx, attach, "", ""); err == nil {
		all, _ := r.List(ctx, d.classSigners)
		for _, c := range all {
			names = append(names, c.Class)
		}
		return names
	}
	here, _ := os.ReadDir(".")
	for _, e := range here {
		if name, ok := strings.CutSuffix(filepath.Base(e.Name()), classFile); ok && class.ValidName(name) {
			names = append(names, name)
		}
	}
	return names
}

// classOver refuses to make tokens for a class that has ended.
func classOver(ends time.Time) error {
	return problem.Usage("수업이 "+clockTime(ends)+"에 끝났거나 곧 끝납니다.", "새로 끝나는 때를 --ends로 적어 주십시오. 예: --ends 2h")
}

// unfinished tells that what is missing is made by another call. Who interrupts leaves a
// class half made, and is told so.
func (d deps) unfinished(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		view.New(d.errOut).Note("끊겼습니다. 여기까지 만든 것은 클러스터에 있습니다. 같은 명령을 다시 실행하시면 나머지를 만들고, stepscale class delete " + korean.Subject(name) + " 모두 지웁니다.")
		return &watchedError{errors.Join(ctx.Err(), err)}
	}
	if e := roomError(err); e != err {
		return e
	}
	return &problem.Error{What: "수업 " + korean.Object(name) + " 끝까지 만들지 못했습니다", Cause: err, Hint: "같은 명령을 다시 실행하시면 나머지를 만듭니다."}
}
