package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/outside"
)

type boardOptions struct {
	board.BoardOptions
	output            string
	watch, web, plain bool
	port              int
}

func newClassBoardCommand(d deps) *cobra.Command {
	var o boardOptions
	cmd := d.deskCommand(&cobra.Command{
		Use: "board NAME", Short: "누가 어느 단계에 있는지 한 화면에 보여 드립니다", Args: args(1, 1, "수업의 이름"),
		Long: `수업에 있는 모두의 지금을 보여 드립니다: 수업과 단계, 그 단계에 머문 시간, 든 손, 예측, 파드의 수, 쉬는 자리의 파드를 치울지 물어보았는지(sweep)와 그 뒤(남김, 치움). 손을 든 사람과 막힌 사람이 위에 옵니다. 읽기만 하고 아무것도 쓰지 않습니다. 배우는 사람이 몇 명이든 API 서버에는 지켜보는 요청 네 개뿐입니다.
가장 많은 사람이 서 있는 질문의 답을 막대로 보여 드립니다. 아직 실행하지 않은 사람이 있는 동안은 가려 두고, s를 누르시거나 --show를 적으시면 보여 드립니다.
터미널에서는 화면 전체를 씁니다. --plain이나 파이프에서는 한 번 적고 끝나며, --watch를 적으시면 바뀔 때마다 적습니다. --web은 이 컴퓨터에서만 열리는 쪽 하나를 프로젝터에 띄우도록 합니다.`,
		Example: `  stepscale class board k8s --context my-context
  stepscale class board k8s --stuck 3m --eks my-cluster --region ap-northeast-2
  stepscale class board k8s --output json --context my-context
  stepscale class board k8s --web --context my-context`,
	}, func([]string) error { return o.check() }, func(ctx context.Context, room board.Desk, _ []string) error {
		return d.classBoard(ctx, room, o)
	})
	f := cmd.Flags()
	f.DurationVar(&o.Stuck, "stuck", 5*time.Minute, "한 단계에 이 `시간`만큼 있으면 막힌 것으로 봅니다")
	f.BoolVar(&o.Show, "show", false, "아직 실행하지 않은 질문의 답도 보여 드립니다")
	f.BoolVar(&o.watch, "watch", false, "끝내실 때까지, 바뀔 때마다 적습니다 (text는 바뀐 사람마다 한 줄, json은 오브젝트 하나씩)")
	f.BoolVar(&o.web, "web", false, "이 컴퓨터(127.0.0.1)에서만 열리는 쪽으로 보여 드립니다")
	f.IntVar(&o.port, "port", 0, "--web의 `포트` (0이면 빈 것)")
	plainFlag(f, &o.plain)
	outputFlag(cmd, &o.output)
	return cmd
}

// firstBoard is how long the first answer of the cluster may take.
const firstBoard = 15 * time.Second

// check refuses flags that say two things.
func (o boardOptions) check() error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	switch {
	case o.Stuck <= 0:
		return problem.Usage("--stuck에는 0보다 긴 시간을 적어 주십시오.", "예: --stuck 5m")
	case o.web && (o.output != "text" || o.watch || o.plain):
		return problem.Usage("--web은 --output, --watch, --plain과 함께 쓸 수 없습니다.", "다른 터미널에서 하나씩 실행해 주십시오.")
	case o.port != 0 && !o.web, o.port < 0, o.port > 65535:
		return problem.Usage("--port에는 --web과 함께 0부터 65535까지의 수를 적어 주십시오.", "예: --web --port 8099")
	}
	return nil
}

func (d deps) classBoard(ctx context.Context, room board.Desk, o boardOptions) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w := board.NewWatch(ctx, room.Kube, room.Class)
	if err := w.Await(ctx, firstBoard); err != nil {
		return deskError(err, room.Class)
	}
	d = d.plainly(o.plain)
	ask := func(show bool) board.Board { return w.Board(board.BoardOptions{Stuck: o.Stuck, Show: show || o.Show}) }
	switch {
	case o.web:
		return d.boardWeb(ctx, w, o.port, ask)
	case o.output == "json":
		return d.boardJSON(ctx, w, o.watch, ask)
	case o.watch || !d.fullScreen(o.plain):
		return d.boardLines(ctx, w, o.watch, ask)
	}
	return d.boardScreen(ctx, w, o.Show, ask)
}

// each calls do now, and again whenever the board is another, until the context ends.
func each(ctx context.Context, w *board.Watch, do func() error) error {
	for {
		changed := w.Next()
		if err := do(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

func (d deps) boardJSON(ctx context.Context, w *board.Watch, watch bool, ask func(bool) board.Board) error {
	e := json.NewEncoder(outside.JSONWriter(d.out))
	e.SetEscapeHTML(false)
	write := func() error { return e.Encode(ask(false)) }
	if !watch {
		return write()
	}
	return each(ctx, w, write)
}

func (d deps) boardLines(ctx context.Context, w *board.Watch, watch bool, ask func(bool) board.Board) error {
	screen := view.New(d.out)
	before := ask(false)
	before.Write(screen)
	if !watch {
		return screen.Err()
	}
	screen.Blank()
	return each(ctx, w, func() error {
		b := ask(false)
		for _, l := range b.News(before) {
			screen.Line(l)
		}
		before = b
		return screen.Err()
	})
}

// boardScreen is the board on the whole terminal.
func (d deps) boardScreen(ctx context.Context, w *board.Watch, show bool, ask func(bool) board.Board) error {
	model := board.Screen{Ask: ask, Show: show, Color: os.Getenv("NO_COLOR") == ""}
	p := tea.NewProgram(model, tea.WithContext(ctx), tea.WithInput(d.in), tea.WithOutput(d.out), tea.WithoutSignalHandler(), tea.WithFPS(30))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for ctx.Err() == nil {
			changed := w.Next()
			p.Send(board.Due{})
			select {
			case <-ctx.Done():
			case <-changed:
			case <-time.After(time.Second): // times on the board grow
			}
		}
	}()
	_, err := p.Run()
	if errors.Is(err, tea.ErrProgramKilled) {
		err = nil
	}
	return err
}

func (d deps) boardWeb(ctx context.Context, w *board.Watch, port int, ask func(bool) board.Board) error {
	web, err := board.NewWeb(port, ask, w.Next)
	if err != nil {
		return &problem.Error{What: "게시판을 열 수 없습니다", Cause: err, Hint: "다른 --port를 적거나, 적지 말아 주십시오."}
	}
	screen := view.New(d.out)
	screen.Line("게시판을 열었습니다. 이 컴퓨터의 브라우저로 여시고, 멈추시려면 Ctrl-C를 눌러 주십시오.")
	screen.Raw("  " + web.URL())
	return web.Serve(ctx)
}
