package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

type observeOptions struct {
	cluster                   lab.Attachment
	namespace, output, record string
	length                    time.Duration
	noRecord                  bool
	nodes, role               bool
}

func newObserveCommand(d deps) *cobra.Command {
	var o observeOptions
	cmd := &cobra.Command{
		Use:   "observe [HPA]",
		Short: "실제 클러스터의 HPA를 지켜보며 예측과 실제를 나란히 보여 드립니다. --nodes는 카펜터와 클러스터 오토스케일러",
		Long: `실제 클러스터의 HPA를 지켜보며 예측과 실제를 나란히 보여 드립니다. 15초마다 같은 입력(HPA, scale, 파드, 메트릭)을 읽어 stepscale의 엔진으로 결정을 예측하고, 클러스터의 HPA 컨트롤러가 실제로 한 일과 비교합니다. 다르면 이유를 찾아 봅니다.
--nodes는 HPA 대신, 그 클러스터의 카펜터와 클러스터 오토스케일러가 마지막으로 한 결정(이벤트, NodePool, NodeClaim, 상태 ConfigMap, 노드의 테인트와 주석)을 한 번 읽고, 파드가 왜 기다리는지, 노드가 왜 남는지를 읽은 것으로 다시 계산해 곁에 적습니다. 필요한 권한은 --role이 보여 드립니다.
읽기만 하고 아무것도 쓰지 않습니다. 수업의 자리에 앉아 계시면(class join) 그 자리의 클러스터와 네임스페이스가 기본입니다. 멈추시려면 Ctrl-C를 누르십시오.`,
		Example: `  stepscale observe web -n shop
  stepscale observe web -n shop --context my-context --for 10m
  stepscale observe web -n shop --eks my-cluster --region ap-northeast-2 --record web.jsonl
  stepscale observe --nodes --context my-context
  stepscale observe --nodes --role`,
		Args: args(0, 1, "HPA"),
		RunE: func(cmd *cobra.Command, given []string) error {
			switch {
			case o.role:
				return d.observeRole()
			case o.nodes && len(given) > 0:
				return problem.Usage("--nodes에는 HPA의 이름을 적지 않습니다.", "예: stepscale observe --nodes --context my-context")
			case !o.nodes && len(given) == 0:
				return args(1, 1, "HPA")(cmd, given)
			}
			if _, err := d.sitAndLook(cmd, &o.cluster, &o.namespace); err != nil {
				return err
			}
			if o.nodes {
				return d.observeNodes(cmd.Context(), o)
			}
			return d.observe(cmd.Context(), given[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.namespace, "namespace", "n", "", "HPA가 있는 `네임스페이스` (컨텍스트의 것이 기본)")
	d.attachFlags(f, &o.cluster)
	f.Lookup("context").Usage = "kubeconfig의 `컨텍스트` (지금의 컨텍스트가 기본)"
	f.DurationVar(&o.length, "for", 10*time.Minute, "이 `시간`만큼 지켜봅니다")
	f.StringVar(&o.record, "record", "", "본 것을 이 `파일`에 JSON 줄로 기록합니다")
	noRecordFlag(f, &o.noRecord)
	f.BoolVar(&o.nodes, "nodes", false, "HPA 대신 카펜터와 클러스터 오토스케일러의 마지막 결정을 한 번 읽습니다")
	f.BoolVar(&o.role, "role", false, "--nodes에 필요한 읽기 권한(ClusterRole)을 출력합니다")
	outputFlag(cmd, &o.output)
	return cmd
}

func (d deps) observe(ctx context.Context, name string, o observeOptions) (err error) {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	if o.length <= 0 {
		return problem.Usage("--for에는 0보다 긴 시간을 적어 주십시오.", "예: --for 10m")
	}
	if err := oneCluster(o); err != nil {
		return err
	}
	state, info, err := observeState(ctx, name, o)
	if err != nil {
		return err
	}
	w := &watcher{out: d.out, errOut: d.errOut, screen: view.New(d.out), o: o, params: hpa.DefaultParams()}
	loop := hpa.Observe().Definition
	h := recording.Header{Cluster: "context", Loop: loop.Name, Steps: loop.StepIDs()}
	if w.rec, err = d.recorder(o.record, o.noRecord, "observe-"+name, h); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.rec.close()) }()
	if o.output == "text" {
		w.screen.Line(fmt.Sprintf("지켜보는 HPA: %s/%s, 클러스터 %s. 쓰는 것은 없습니다. 한 줄이 나오기까지 %s 걸립니다.", state.Namespace, name, info, korean.Subject(view.Duration(w.params.SyncPeriod))))
		w.screen.Blank()
	}
	err = w.run(ctx, func(first int) iter.Seq2[trace.Frame, error] {
		return hpa.Observe().Loop(state).Run(ctx, first)
	})
	w.sum()
	if errors.Is(err, context.Canceled) {
		err = &watchedError{err}
	}
	return err
}

func oneCluster(o observeOptions) error {
	if o.cluster.Name != "" && o.cluster.Context != "" {
		return problem.Usage("--eks와 --context는 하나만 쓸 수 있습니다.", "지켜볼 클러스터 하나를 골라 주십시오.")
	}
	return nil
}

// watchedError is the interruption of who only watched: there is nothing to clean up, and
// how it went is told.
type watchedError struct{ error }

func (e *watchedError) Unwrap() error { return e.error }

// observeState attaches to the cluster and finds the HPA.
func observeState(ctx context.Context, name string, o observeOptions) (*hpa.State, string, error) {
	cluster := o.cluster.Open()
	cfg, err := cluster.Up(ctx)
	if err != nil {
		return nil, "", problem.OfCluster(err)
	}
	clients, err := world.NewClients(cfg)
	if err != nil {
		return nil, "", err
	}
	namespace := cmp.Or(o.namespace, cluster.Namespace())
	state := &hpa.State{World: world.World{Controller: clients, Namespace: namespace, Clock: clock.RealClock{}}, HPA: name, Params: hpa.DefaultParams()}
	if err := state.Exists(ctx); apierrors.IsNotFound(err) {
		return nil, "", &problem.Error{What: fmt.Sprintf("네임스페이스 %s에 HPA %s 없습니다", namespace, korean.Subject(name)), Code: problem.ExitUsage,
			Hint: "kubectl get hpa -A로 이름과 네임스페이스를 확인해 주십시오."}
	} else if apierrors.IsForbidden(err) {
		return nil, "", &problem.Error{What: "HPA를 읽을 권한이 없습니다", Cause: err, Hint: "stepscale doctor --context 이름으로 모자라는 권한을 확인해 주십시오."}
	} else if err != nil {
		return nil, "", err
	}
	return state, cluster.Info().Name + " (쿠버네티스 " + cluster.Info().Version + ")", nil
}

// watcher shows and records what is seen.
type watcher struct {
	out, errOut io.Writer

	screen *view.Screen
	o      observeOptions
	params hpa.Params
	rec    *recorder
	start  time.Time
	header bool

	compared, agreed int // passes

	unwritten error // of the screen or the recording: nothing that time heals
}

// run starts the loop again after a pass that could not be read.
func (w *watcher) run(ctx context.Context, loop func(first int) iter.Seq2[trace.Frame, error]) error {
	failures := 0
	for first := 1; ; {
		last, err := w.passes(loop(first), &failures)
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if w.unwritten != nil {
			return w.unwritten
		}
		if failures++; failures > play.MostFailures {
			return problem.OfStep(ctx, string(last.Step), err)
		}
		note := view.New(w.errOut)
		note.Note(fmt.Sprintf("패스 %d: 클러스터를 읽지 못했습니다. 다음 패스에서 다시 읽습니다. (%v)", last.Pass, err))
		if err := play.Wait(ctx, w.params.SyncPeriod); err != nil {
			return err
		}
		first = last.Pass + 1
	}
}

// passes shows frames until one fails or the time is over.
func (w *watcher) passes(frames iter.Seq2[trace.Frame, error], failures *int) (last trace.Frame, err error) {
	for f, err := range frames {
		if err != nil {
			w.unwritten = w.rec.frame(f) // a recording without gaps
		} else {
			w.unwritten = w.frame(f)
		}
		if err = cmp.Or(w.unwritten, err); err != nil {
			return f, err
		}
		if last = f; f.Step != hpa.ActualStep {
			continue
		}
		*failures = 0
		if f.At.Sub(w.start) >= w.o.length {
			return f, nil
		}
	}
	return last, nil
}

func (w *watcher) frame(f trace.Frame) error {
	if w.start.IsZero() {
		w.start = f.At
	}
	if err := w.rec.frame(f); err != nil {
		return err
	}
	if agrees, compared := f.Fact("agrees"); compared {
		w.compared++
		if agrees == "true" {
			w.agreed++
		}
	}
	if w.o.output == "json" {
		return f.Write(outside.JSONWriter(w.out))
	}
	if f.Step == hpa.ActualStep {
		w.row(f)
	}
	return w.screen.Err()
}

// sum says how often the prediction was what the controller did.
func (w *watcher) sum() {
	screen := w.screen
	if w.o.output == "json" {
		screen = view.New(w.errOut)
	}
	text := "아직 비교한 패스가 없습니다."
	if w.compared > 0 {
		text = fmt.Sprintf("비교한 패스 %d번 가운데 %d번이 예측과 같았습니다.", w.compared, w.agreed)
	}
	screen.Blank()
	screen.Note(text + " 클러스터에 쓴 것은 없습니다.")
}

func (w *watcher) row(f trace.Frame) {
	if !w.header {
		w.header = true
		w.screen.VerdictHeader()
	}
	if why, ok := f.Fact("skipped"); ok {
		w.screen.Note(fmt.Sprintf("패스 %d: %s", f.Pass, why))
		return
	}
	count := func(name string) int32 {
		text, _ := f.Fact(name)
		n, _ := strconv.ParseInt(text, 10, 32)
		return int32(n)
	}
	agrees, _ := f.Fact("agrees")
	w.screen.Verdict(view.VerdictView{Pass: f.Pass, At: f.At, Start: w.start, Current: count("currentReplicas"), Ours: count("ourReplicas"), Upstream: count("actualReplicas"), Equal: agrees == "true"})
	if why, ok := f.Fact("difference"); ok {
		w.screen.Note(why)
	}
}
