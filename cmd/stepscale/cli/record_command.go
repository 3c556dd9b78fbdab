package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa"
	"github.com/stepscale/stepscale/engine/world"
)

type recordOptions struct {
	cluster         lab.Attachment
	namespace, file string
	length          time.Duration
	period          time.Duration // of a pass; 0: what the cluster's controllers have
}

func newRecordCommand(d deps) *cobra.Command {
	var o recordOptions
	cmd := &cobra.Command{
		Use:   "record hpa/이름|vpa/이름",
		Short: "실제 클러스터의 HPA나 VPA의 루프를 일어나는 대로 기록합니다",
		Long: `실제 클러스터의 HPA나 VPA를 지켜보며 한 패스씩 파일에 기록합니다. 읽기만 하고(get, list, watch) 아무것도 쓰지 않습니다.
HPA는 15초마다, VPA는 1분마다 한 패스입니다. 결정의 입력이 모두 들어 있어 나중에 replay, verify, whatif, report에 쓸 수 있습니다.
Ctrl-C를 누르시면 그때까지의 온전한 파일이 남습니다.`,
		Example: `  stepscale record hpa/web -n shop
  stepscale record vpa/web -n shop --context my-context -f vpa.jsonl
  stepscale record hpa/web -n shop --for 1h`,
		Args: args(1, 1, "hpa/이름|vpa/이름"),
		RunE: func(cmd *cobra.Command, given []string) error { return d.record(cmd.Context(), given[0], o) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.namespace, "namespace", "n", "", "오브젝트가 있는 `네임스페이스` (컨텍스트의 것이 기본)")
	d.attachFlags(f, &o.cluster)
	f.Lookup("context").Usage = "kubeconfig의 `컨텍스트` (지금의 컨텍스트가 기본)"
	f.StringVarP(&o.file, "file", "f", "", "기록할 `파일` (기본은 종류-이름.jsonl)")
	f.DurationVar(&o.length, "for", 0, "이 `시간`만큼 기록합니다 (적지 않으시면 Ctrl-C까지)")
	return cmd
}

// taped is a loop that is recorded: it looks on.
type taped struct {
	kind, name string
	loop       engine.Definition
	last       trace.StepID // ends a pass
	exists     func(context.Context) error
	run        func(ctx context.Context, first int) iter.Seq2[trace.Frame, error]
	period     time.Duration
	close      func() error
}

func (d deps) record(ctx context.Context, what string, o recordOptions) (err error) {
	kind, name, ok := strings.Cut(what, "/")
	kind = strings.ToLower(kind)
	if !ok || name == "" || kind != "hpa" && kind != "vpa" {
		return problem.Usage("무엇을 기록할지 읽을 수 없습니다: "+what, "종류와 이름을 적어 주십시오. 예: stepscale record hpa/web -n shop")
	}
	if o.cluster.Name != "" && o.cluster.Context != "" {
		return problem.Usage("--eks와 --context는 하나만 쓸 수 있습니다.", "기록할 클러스터 하나를 골라 주십시오.")
	}
	cluster := o.cluster.Open()
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return problem.OfCluster(err)
	}
	namespace := cmp.Or(o.namespace, cluster.Namespace())
	t, err := tape(kind, name, namespace, cfg, o.period)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	if err := t.readable(ctx, namespace); err != nil {
		return err
	}
	file := cmp.Or(o.file, kind+"-"+name+".jsonl")
	rec, err := d.recorder(file, true, "", recording.Header{Cluster: "context", Loop: t.loop.Name, Steps: t.loop.StepIDs()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rec.close()) }()
	s := view.New(d.out)
	s.Line(fmt.Sprintf("기록하는 %s: %s/%s, 클러스터 %s (쿠버네티스 %s). 쓰는 것은 없습니다.", strings.ToUpper(kind), namespace, name, cluster.Info().Name, cluster.Info().Version))
	s.Note(fmt.Sprintf("한 패스에 %s 걸립니다. 멈추시려면 Ctrl-C를 누르십시오. 파일: %s", korean.Subject(view.Duration(t.period)), file))
	passes, err := d.roll(ctx, s, t, rec, o.length)
	s.Blank()
	s.Done(fmt.Sprintf("패스 %d개를 기록했습니다: %s. 클러스터에 쓴 것은 없습니다.", passes, file))
	s.Note("살펴보시려면 stepscale replay " + file)
	if errors.Is(err, context.Canceled) {
		err = &watchedError{err}
	}
	return errors.Join(err, s.Err())
}

// tape is the loop that looks at an object. Its State reads with the caller's own rights.
func tape(kind, name, namespace string, cfg *rest.Config, period time.Duration) (taped, error) {
	clients, err := world.NewClients(cfg)
	if err != nil {
		return taped{}, err
	}
	w := world.World{Controller: clients, Namespace: namespace, Clock: clock.RealClock{}}
	if kind == "hpa" {
		state := &hpa.State{World: w, HPA: name, Params: hpa.DefaultParams()}
		state.Params.SyncPeriod = cmp.Or(period, state.Params.SyncPeriod)
		loop := hpa.Observe()
		return taped{"HPA", name, loop.Definition, hpa.ActualStep, state.Exists, loop.Loop(state).Run, state.Params.SyncPeriod, func() error { return nil }}, nil
	}
	state := &vpa.State{World: w, VPA: name, Params: vpa.DefaultParams(), Shared: true, Identity: func(string) *rest.Config { return cfg }}
	state.Params.Interval = cmp.Or(period, state.Params.Interval)
	loop := vpa.Observe()
	return taped{"VPA", name, loop.Definition, vpa.SeenActStep, state.Exists, loop.Loop(state).Run, state.Params.Interval,
		func() error { return state.Close(context.Background()) }}, nil
}

// readable tells why the object cannot be recorded.
func (t taped) readable(ctx context.Context, namespace string) error {
	err := t.exists(ctx)
	switch {
	case apierrors.IsNotFound(err):
		return &problem.Error{What: fmt.Sprintf("네임스페이스 %s에 %s %s 없습니다", namespace, t.kind, korean.Subject(t.name)), Code: problem.ExitUsage,
			Hint: fmt.Sprintf("kubectl get %s -A로 이름과 네임스페이스를 확인해 주십시오.", strings.ToLower(t.kind))}
	case apierrors.IsForbidden(err):
		return &problem.Error{What: t.kind + "를 읽을 권한이 없습니다", Cause: err, Hint: "stepscale doctor --context 이름으로 모자라는 권한을 확인해 주십시오."}
	}
	return err
}

// roll records until the time is over. A pass that cannot be read is told, and the next one
// goes on.
func (d deps) roll(ctx context.Context, s *view.Screen, t taped, rec *recorder, length time.Duration) (passes int, err error) {
	var start time.Time
	for first, failures := 1, 0; ; {
		var last trace.Frame
		for f, stepErr := range t.run(ctx, first) {
			if err := rec.frame(f); err != nil {
				return passes, err
			}
			if last, err = f, stepErr; err != nil {
				break
			}
			if start.IsZero() {
				start = f.At
			}
			if f.Step != t.last {
				continue
			}
			passes, failures = passes+1, 0
			s.Note(tapedText(f, passes))
			if length > 0 && f.At.Sub(start) >= length {
				return passes, s.Err()
			}
		}
		if ctx.Err() != nil {
			return passes, ctx.Err()
		}
		if failures++; err == nil || failures > play.MostFailures {
			return passes, problem.OfStep(ctx, string(last.Step), err)
		}
		view.New(d.errOut).Note(fmt.Sprintf("패스 %d: 클러스터를 읽지 못했습니다. 다음 패스에서 다시 읽습니다. (%v)", last.Pass, err))
		if err := play.Wait(ctx, t.period); err != nil {
			return passes, err
		}
		first = last.Pass + 1
	}
}

// tapedText is a pass in a line.
func tapedText(f trace.Frame, n int) string {
	fact := func(name string) string { text, _ := f.Fact(name); return cmp.Or(text, "?") }
	switch why, skipped := f.Fact(trace.FactSkipped); {
	case skipped:
		return fmt.Sprintf("패스 %d: %s", n, why)
	case f.Step == vpa.SeenActStep:
		return fmt.Sprintf("패스 %d: 바꿀 것으로 계산한 파드 %s개, 사라진 파드 %s개, 크기가 바뀐 파드 %s개", n, fact("podsToUpdate"), fact("evictedPods"), fact("resizedPods"))
	}
	return fmt.Sprintf("패스 %d: 레플리카 %s개, stepscale의 계산 %s개, 실제 %s개", n, fact("currentReplicas"), fact("ourReplicas"), fact("actualReplicas"))
}
