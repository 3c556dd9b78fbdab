package cli

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/recording"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// startManaged runs upstream's HPA controller against the cluster, as a managed
// control plane does, in real time.
func startManaged(t *testing.T, cfg *rest.Config, p hpa.Params) {
	t.Helper()
	c, err := world.NewClients(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	inf := informers.NewSharedInformerFactory(c.Kube, 0)
	controller := podautoscaler.NewHorizontalController(ctx, c.Kube.CoreV1(), c.Scales, c.Kube.AutoscalingV2(), c.Mapper,
		metrics.NewRESTMetricsClient(c.Metrics.MetricsV1beta1(), c.Custom, c.External), inf.Autoscaling().V2().HorizontalPodAutoscalers(), inf.Core().V1().Pods(),
		p.SyncPeriod, p.DownscaleStabilization, p.Tolerance, p.CPUInitializationPeriod, p.InitialReadinessDelay)
	inf.Start(ctx.Done())
	inf.WaitForCacheSync(ctx.Done())
	done := make(chan struct{})
	go func() { controller.Run(ctx, 1); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
}

// TestObserve predicts what upstream's real controller then does to a real
// Deployment; the second time with a rule of ours out of order.
func TestObserve(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tolerance float64
		agrees    string
		ours      string
	}{
		"equal":     {0.1, "true", "4"},
		"different": {5, "false", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := simulatedApp(t)
			s := testStage(t, a, t.Context(), "hpa", "web-surge")
			sim := s.cluster.Cluster.(*lab.Simulated).Simulation
			if err := sim.Release(t.Context(), s.namespace); err != nil {
				t.Fatal(err)
			}
			for range 6 { // until the load is 190m
				if err := sim.Advance(t.Context(), 15*time.Second); err != nil {
					t.Fatal(err)
				}
				if err := sim.Scrape(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			clients, err := world.NewClients(s.config)
			if err != nil {
				t.Fatal(err)
			}
			p := hpa.DefaultParams()
			p.SyncPeriod, p.CPUInitializationPeriod = 2*time.Second, 0 // the pods' clock is ahead of this one
			state := &hpa.State{World: world.World{Controller: clients, Namespace: s.namespace, Clock: clock.RealClock{}}, HPA: "web", Params: p}
			state.Params.Tolerance = c.tolerance
			var rows []trace.Frame
			var seen bytes.Buffer
			for f, err := range hpa.Observe().Loop(state).Run(t.Context(), 1) {
				if err != nil {
					t.Fatal(err)
				}
				if err := f.Write(&seen); err != nil {
					t.Fatal(err)
				}
				if f.Pass == 1 && f.Step == "hpa-observe/2-replicas/limit" {
					startManaged(t, s.config, p) // it syncs after we have read
				}
				if f.Step == hpa.ActualStep {
					rows = append(rows, f)
				}
				if len(rows) == 2 {
					break
				}
			}
			ours, _ := rows[0].Fact("ourReplicas")
			now, _ := rows[0].Fact("actualReplicas")
			agrees, _ := rows[0].Fact("agrees")
			why, explained := rows[0].Fact("difference")
			if ours != c.ours || now != "4" || agrees != c.agrees || explained != (c.agrees == "false") {
				t.Errorf("ours %s, the cluster %s, agrees %s, %q", ours, now, agrees, why)
			}
			if explained && !strings.Contains(why, "다른 플래그") {
				t.Errorf("explained as %q", why)
			}
			if again, _ := rows[1].Fact("agrees"); again != "true" {
				t.Errorf("the next pass does not agree: %+v", rows[1].Facts)
			}
			verifies(t, a, seen.Bytes(), "결정 2개가 모두 같습니다", map[string]string{"4": "→ 4", "2": "유지"}[c.ours])
		})
	}
}

// verifies lets upstream's controller decide a recording again: it has to say the same.
func verifies(t *testing.T, a *app, recording []byte, says ...string) {
	t.Helper()
	var out bytes.Buffer
	a.out = &out
	file := filepath.Join(t.TempDir(), "seen.jsonl")
	if err := os.WriteFile(file, recording, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.verify(t.Context(), file, "text"); err != nil {
		t.Errorf("error %v", err)
	}
	for _, want := range says {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not said:\n%s", want, out.String())
		}
	}
}

// TestObserveCommand is the command itself, on a cluster whose HPA nobody drives.
func TestObserveCommand(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	var out bytes.Buffer
	a.out = &out
	s := testStage(t, a, t.Context(), "hpa", "web-surge")
	o := observeOptions{namespace: s.namespace, output: "text", length: time.Second, record: filepath.Join(t.TempDir(), "seen.jsonl"), cluster: lab.Attachment{Kubeconfig: s.info.Kubeconfig}}
	if err := a.observe(t.Context(), "web", o); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"지켜보는 HPA", "쓰는 것은 없습니다", "같음", "비교한 패스 1번 가운데 1번이 예측과 같았습니다. 클러스터에 쓴 것은 없습니다."} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) {
			t.Errorf("%q is not said:\n%s", want, out.String())
		}
	}
	seen, err := os.ReadFile(o.record)
	if err != nil {
		t.Fatal(err)
	}
	if frames, err := recording.Read(bytes.NewReader(seen)); err != nil || len(frames) != 8 {
		t.Errorf("%d frames recorded, %v", len(frames), err)
	}
	verifies(t, a, seen, "결정 1개가 모두 같습니다")
	observeStopped(t, a, o)
	if err := a.observe(t.Context(), "absent", o); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("error %v", err)
	}
}

// observeStopped: who stops watching reads how it went, and of nothing that was cleaned up.
func observeStopped(t *testing.T, a *app, o observeOptions) {
	t.Helper()
	var out, errOut bytes.Buffer
	a.out, a.errOut = &out, &errOut
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(2*time.Second, stop)
	o.record, o.length = "", time.Hour
	code := a.report(ctx, a.observe(ctx, "web", o))
	if code != problem.ExitInterrupted || strings.TrimSpace(errOut.String()) != "" || !strings.Contains(strings.Join(strings.Fields(out.String()), " "), "아직 비교한 패스가 없습니다. 클러스터에 쓴 것은 없습니다.") {
		t.Errorf("exit code %d, out:\n%s\nerr:\n%s", code, out.String(), errOut.String())
	}
}

// TestObserveGoesOn: a pass that cannot be read is told and recorded, and the next one
// goes on; a cluster that stays away ends it.
func TestObserveGoesOn(t *testing.T) {
	pass := func(n int) trace.Frame {
		f := trace.Frame{Pass: n, Step: hpa.ActualStep, At: time.Unix(int64(15*n), 0)}
		for _, name := range []string{"currentReplicas", "ourReplicas", "actualReplicas"} {
			f.Add(name, "2", "")
		}
		f.Add("agrees", "true", "")
		return f
	}
	gone := errors.New("connection refused")
	for name, c := range map[string]struct {
		fails int
		want  bool
	}{"comes back": {3, true}, "stays away": {9, false}} {
		t.Run(name, func(t *testing.T) {
			a := testApp(t)
			var out, errOut bytes.Buffer
			a.out, a.errOut = &out, &errOut
			left := c.fails
			file, err := os.Create(filepath.Join(t.TempDir(), "seen.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			w := &watcher{out: a.out, errOut: a.errOut, screen: view.New(a.out), o: observeOptions{output: "text", length: time.Minute}, params: hpa.Params{SyncPeriod: time.Millisecond}, rec: &recorder{named: file}}
			err = w.run(t.Context(), func(first int) iter.Seq2[trace.Frame, error] {
				return func(yield func(trace.Frame, error) bool) {
					for n := first; ; n++ {
						if n == 2 || left < c.fails && left > 0 {
							left--
							yield(trace.Frame{Pass: n, Step: "hpa-observe/1-metrics/query", At: pass(n).At, Err: gone.Error()}, gone)
							return
						}
						if !yield(pass(n), nil) {
							return
						}
					}
				}
			})
			if (err == nil) != c.want {
				t.Errorf("error %v", err)
			}
			if !strings.Contains(errOut.String(), "다시 읽습니다") || !strings.Contains(out.String(), "같음") {
				t.Errorf("out:\n%s\nerr:\n%s", out.String(), errOut.String())
			}
			if err := readRecording(t.Context(), file.Name(), func(int, trace.Frame) error { return nil }); err != nil {
				t.Errorf("the recording is not of one run: %v", err)
			}
		})
	}
}
