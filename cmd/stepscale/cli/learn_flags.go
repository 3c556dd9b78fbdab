package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

type learnOptions struct {
	auto, restart      bool
	noRecord, plain    bool
	from               string
	lessons, scenarios string
	target             target
	// shows begins to show the lessons to a class, once it is known which; nil where nobody
	// looks on.
	shows func(context.Context) (*board.Demo, error)
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
