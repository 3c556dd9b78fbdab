package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/engine/korean"
)

type learnOptions struct {
	auto, restart      bool
	noRecord, plain    bool
	noReport           bool // nothing is told to the instructor
	from               string
	lessons, scenarios string
	target             target
	// shows begins to show the lessons to a class, once it is known which; nil where nobody
	// looks on.
	shows func(context.Context) (*board.Demo, error)
	// again is how the command line begins and ends that does it again; learn where it is empty.
	again struct{ before, after []string }
}

// flags are those of every command that plays lessons.
func (o *learnOptions) flags(d deps, cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.auto, "auto", false, "질문 없이 끝까지 실행합니다. 진도는 읽지도 쓰지도 않습니다")
	f.BoolVar(&o.restart, "restart", false, "저장된 진도를 무시하고 처음부터 시작합니다")
	f.StringVar(&o.from, "from", "", "이 `단계`부터 보여 드립니다. 앞의 단계는 빠르게 실행합니다")
	_ = cmd.RegisterFlagCompletionFunc("from", d.completeSteps)
	f.StringVar(&o.lessons, "lessons", "", "내장 수업 대신 이 `폴더`의 수업을 씁니다")
	f.StringVar(&o.scenarios, "scenarios", "", "내장 시나리오 대신 이 `폴더`의 시나리오를 씁니다")
	noRecordFlag(f, &o.noRecord)
	plainFlag(f, &o.plain)
	o.target.flags(d, cmd)
}

// goesOn is the command that plays a lesson, or goes on where the last one was left.
func (o learnOptions) goesOn(lesson string) string {
	words := slices.Concat(o.again.before, []string{lesson}, o.again.after, o.target.words())
	if len(o.again.before) == 0 {
		words = slices.Concat([]string{"stepscale", "learn"}, words)
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// stopped says how to go on after somebody has stopped, on the same cluster; kept tells that
// there was something to save.
func (o learnOptions) stopped(kept bool) string {
	text := "이번에 새로 실행한 단계는 없습니다. "
	if kept {
		text = "여기까지 저장했습니다. "
	}
	if o.target.attached() {
		text += "클러스터에 만든 것은 모두 지웠습니다. "
	}
	return text + korean.By(o.goesOn("")) + " 이어서 하실 수 있습니다."
}
