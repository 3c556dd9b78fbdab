package cli

import (
	"context"
	"errors"
	"io"

	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// asker tells what is about to be done, and asks unless --yes has said it.
type asker struct {
	typed  *lines.Reader
	errOut io.Writer
	yes    bool
}

func (d deps) asker(yes bool) asker { return asker{d.typed, d.errOut, yes} }

// Ask goes on with a yes only.
func (a asker) Ask(ctx context.Context, announcement []string) error {
	screen := view.New(a.errOut)
	for _, line := range announcement {
		screen.Note(line)
	}
	if a.yes {
		return nil
	}
	for {
		line, err := a.typed.Ask(ctx, screen, "계속할까요? (예/아니요)>")
		if errors.Is(err, io.EOF) {
			screen.Blank()
			return problem.Usage("답을 받지 못해 아무것도 쓰지 않았습니다.", "스크립트에서는 --yes를 적어 주십시오.")
		}
		if err != nil {
			return err
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
