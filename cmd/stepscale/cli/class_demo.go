package cli

import (
	"context"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/lessons"
)

func newClassDemoCommand(d deps) *cobra.Command {
	var o learnOptions
	var here bool
	cmd := &cobra.Command{
		Use: "demo NAME [수업]", Short: "강사: 수업을 하면서 그 화면을 모두에게 비춥니다", Args: args(1, 2, "수업(class)의 이름과, 비출 수업"),
		Long: `강사가 learn처럼 수업을 하고, 실행한 단계와 글과 질문이 수업(class)의 네임스페이스에 있는 ConfigMap 하나로 전해집니다. 배우는 사람은 class follow로 같은 화면을 봅니다. 몇 명이 보아도 강사 쪽의 쓰기는 단계마다 한 번입니다.
--context나 --eks는 사람들이 있는 클러스터입니다. 강사의 수업 자체는 임베디드 클러스터에서 하고, --cluster kind면 kind에서, --here면 그 클러스터에서 합니다(--image, 있으면 -n). 다른 플래그는 learn과 같습니다.
강사의 예측, 접속 정보, kubectl 명령, 오류의 내용은 보내지 않습니다. 전하지 못하는 동안에도 수업은 그대로 됩니다. 따라오는 사람이 뒤로 넘겨 보아도 강사의 화면은 바뀌지 않습니다.`,
		Example: `  stepscale class demo k8s hpa/02 --context my-context
  stepscale class demo k8s vpa --cluster kind --context my-context
  stepscale class demo k8s hpa/02 --here --image 이미지 --context my-context`,
		RunE: func(cmd *cobra.Command, given []string) error {
			attach := o.target.attach
			if err := o.apart(here); err != nil {
				return err
			}
			o.again.before = []string{"stepscale", "class", "demo", shellescape.Quote(given[0])}
			o.again.after = []string{"--here"} // whose cluster is the lesson's, too
			if !here {
				o.again.after = target{attach: attach}.words()
			}
			o.shows = func(ctx context.Context) (*board.Demo, error) {
				desk, err := openDesk(ctx, attach, given[0], "demo")
				if err != nil {
					return nil, err
				}
				demo, err := desk.OpenDemo(ctx)
				return demo, deskError(err, given[0])
			}
			return d.learn(cmd.Context(), strings.Join(given[1:], ""), o)
		},
	}
	o.flags(d, cmd)
	cmd.Flags().BoolVar(&here, "here", false, "강사의 수업도 --context나 --eks의 클러스터에서 합니다")
	cmd.ValidArgsFunction = func(cmd *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(given) == 0 {
			return d.classNames(&o.target.attach)(cmd, given, typed)
		}
		return d.completeLessons(cmd, given[1:], typed)
	}
	return cmd
}

// apart makes the class's cluster another one than the lesson's, but for --here.
func (o *learnOptions) apart(here bool) error {
	attach := o.target.attach
	switch {
	case here:
		return nil
	case o.target.namespace != "" || o.target.image != "":
		return problem.Usage("-n과 --image는 --here와 함께 씁니다.", "임베디드와 kind 클러스터에서는 stepscale이 네임스페이스와 부하를 만듭니다.")
	}
	o.target.attach = lab.Attachment{Kubeconfig: attach.Kubeconfig}
	return nil
}

// showing is a demo that lessons are shown in; the zero value is none.
type showing struct{ *board.Demo }

// show begins it, where the lessons can be shown.
func (o learnOptions) show(ctx context.Context, chosen []chosenLesson) (showing, error) {
	if o.shows == nil {
		return showing{}, nil
	}
	if i := slices.IndexFunc(chosen, func(c chosenLesson) bool { return c.Recording != "" }); i >= 0 {
		return showing{}, problem.Usage("기록으로 하는 수업은 비출 수 없습니다: "+chosen[i].ID, "클러스터에서 단계를 실행하는 수업을 골라 주십시오. 예: stepscale class demo 이름 hpa/02")
	}
	demo, err := o.shows(ctx)
	return showing{demo}, err
}

// beside is what is told of all that a lesson shows, with the class.
func (s showing) beside(heard func(play.Event)) func(play.Event) {
	if s.Demo == nil {
		return heard
	}
	return func(e play.Event) {
		if s.Tell(e); heard != nil {
			heard(e)
		}
	}
}

func (s showing) begin(b play.Begun) {
	if s.Demo != nil {
		s.Begin(b)
	}
}

func (s showing) frame(f trace.Frame) {
	if s.Demo != nil {
		s.Frame(f)
	}
}

// end tells those who follow that it is over.
func (s showing) end(ctx context.Context, d deps) {
	if s.Demo == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastReport)
	defer cancel()
	if s.Close(ctx) != nil {
		view.New(d.errOut).Note("마지막 단계를 따라오는 분들에게 보내지 못했습니다. 그분들의 화면에는 끝났다는 말이 나오지 않습니다.")
	}
}

// branches is how a play goes back to a step; what is shown to a class goes on only.
func (t *tutor) branches(l lessons.Lesson, heard func(trace.Frame)) (func(context.Context) (*play.Branch, error), string) {
	if t.demo.Demo != nil {
		return nil, "따라오는 분들이 있는 동안에는 되감지 않습니다. 혼자 하시는 stepscale learn에서 해 보십시오."
	}
	return t.deps.branches(t.o.target, t.scenarios, l.Loop, l.Scenario, heard)
}
