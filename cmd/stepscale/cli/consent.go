package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/scenarios"
)

// consent announces what will be written to a cluster that we did not make, and asks.
// What was agreed to once is not asked again.
func (a *app) consent(ctx context.Context, l loop, s *scenarios.Scenario) error {
	if a.conn.info.Disposable {
		return nil
	}
	where := "새 네임스페이스 하나를 만들고 그 안에만"
	if a.conn.namespace != "" {
		where = "네임스페이스 " + a.conn.namespace + " 안에만"
	}
	writes := a.conn.writes(l, s)
	if !a.consented.IsSuperset(sets.New(writes...)) {
		err := a.ask(ctx, a.target.yes, []string{
			fmt.Sprintf("지금부터 클러스터 %s(쿠버네티스 %s)에 씁니다. stepscale이 만든 클러스터가 아닙니다.", a.conn.info.Name, a.conn.info.Version),
			fmt.Sprintf("%s 씁니다: %s. 파드는 실제로 CPU를 쓰므로 비용이 들 수 있습니다.", where, strings.Join(writes, ", ")),
			"끝나면 만든 것을 모두 지우고, 다른 것은 건드리지 않습니다.",
		})
		if err != nil {
			return err
		}
		a.consented = a.consented.Union(sets.New(writes...))
	}
	if a.conn.reaper != nil {
		return nil
	}
	var err error
	a.conn.reaper, err = startReaper(a.state, a.target)
	return err
}

// ask tells what is about to be done and goes on with a yes only.
func (a *app) ask(ctx context.Context, yes bool, announcement []string) error {
	screen := view.New(a.errOut)
	for _, line := range announcement {
		screen.Note(line)
	}
	if yes {
		return nil
	}
	for {
		screen.Prompt("계속할까요? (예/아니요)>")
		line, err := a.lines().Read(ctx)
		if errors.Is(err, io.EOF) {
			screen.Blank()
			return problem.Usage("답을 받지 못해 아무것도 쓰지 않았습니다.", "스크립트에서는 --yes를 적어 주십시오.")
		}
		if err != nil {
			return err
		}
		if a.lines().Echo {
			screen.Echo(line)
		}
		switch play.Means(line) {
		case "true":
			return nil
		case "false":
			return problem.Usage("아무것도 쓰지 않았습니다.", "임베디드 클러스터에서는 아무 걱정 없이 실행해 보실 수 있습니다.")
		}
		screen.Note("예 또는 아니요로 답해 주십시오.")
	}
}
