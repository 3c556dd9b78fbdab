package hpa_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	runtimepkg "runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"

	"github.com/stepscale/stepscale/engine/hpa"
)

var (
	histories = flag.Int("histories", 2000, "random histories to compare with upstream's controller")
	seed      = flag.Uint64("seed", 1, "seed of the first history")
)

const changeAfter = 7 * time.Second // the world changes between two syncs, never at one

func TestMain(m *testing.M) {
	// In a bubble the first HandleError would sleep for 26 virtual years.
	utilruntime.ErrorHandlers = nil
	klog.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// shape is a random history: its seed, and what is left out of it. Shrinking
// leaves out more and more while the history still fails.
type shape struct {
	Seed    uint64
	Ticks   int  // syncs
	Metrics int  // at most
	Plain   bool // no behavior
	Still   bool // nobody edits the HPA or scales by hand
}

func wholeShape(seed uint64) shape { return shape{Seed: seed, Ticks: 40, Metrics: 3} }

// TestDecisionEqualsUpstream drives upstream's controller through random
// histories in virtual time and demands the same writes from ours.
func TestDecisionEqualsUpstream(t *testing.T) {
	workers := uint64(runtimepkg.GOMAXPROCS(0))
	for w := range workers {
		t.Run(fmt.Sprint("worker", w), func(t *testing.T) {
			t.Parallel()
			rescales, ran := 0, 0
			for i := w; i < uint64(*histories); i += workers {
				n, diff := play(t, wholeShape(*seed+i))
				if diff != "" {
					small := shrink(t, wholeShape(*seed+i))
					_, diff = play(t, small)
					t.Fatalf("ours is not upstream's; keep this as a file in testdata/histories:\n%s\n%s", toJSON(small), diff)
				}
				rescales += n
				ran++
			}
			if rescales < ran {
				t.Errorf("only %d rescales in %d histories: the generator is too tame", rescales, ran)
			}
		})
	}
}

// TestHistoriesThatFailed plays what once differed from upstream.
func TestHistoriesThatFailed(t *testing.T) {
	files, err := filepath.Glob("testdata/histories/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d histories, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var s shape
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if _, diff := play(t, s); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

// FuzzDecisionEqualsUpstream lets go's fuzzer choose the histories.
func FuzzDecisionEqualsUpstream(f *testing.F) {
	f.Add(uint64(1), byte(10), byte(2), false, false)
	f.Fuzz(func(t *testing.T, seed uint64, ticks, metrics byte, plain, still bool) {
		s := shape{Seed: seed, Ticks: 1 + int(ticks)%60, Metrics: 1 + int(metrics)%5, Plain: plain, Still: still}
		if _, diff := play(t, s); diff != "" {
			t.Errorf("%s\n%s", toJSON(s), diff)
		}
	})
}

// shrink looks for the smallest history that still fails.
func shrink(t *testing.T, s shape) shape {
	fails := func(s shape) bool { _, diff := play(t, s); return diff != "" }
	for _, less := range []func(*shape){
		func(s *shape) { s.Plain = true }, func(s *shape) { s.Still = true }, func(s *shape) { s.Metrics = 1 }, func(s *shape) { s.Metrics = 2 },
	} {
		smaller := s
		if less(&smaller); fails(smaller) {
			s = smaller
		}
	}
	for ticks := range s.Ticks {
		if smaller := s; ticks > 0 {
			if smaller.Ticks = ticks; fails(smaller) {
				return smaller
			}
		}
	}
	return s
}

// play runs one history in a bubble of virtual time.
func play(t *testing.T, s shape) (rescales int, diff string) {
	synctest.Test(t, func(t *testing.T) { rescales, diff = compareHistory(t, s) })
	return rescales, diff
}

// referee is upstream's controller with fakes around it, and the world that
// both controllers see.
type referee struct {
	mu      sync.Mutex
	world   *world
	writes  []int32
	events  []string
	status  *autoscalingv2.HorizontalPodAutoscalerStatus
	watched *fake.Clientset
	seen    map[string]int // events of ours by reason, and all under ""
	ours    *autoscalingv2.HorizontalPodAutoscaler
	history *hpa.History
}

func compareHistory(t *testing.T, s shape) (rescales int, diff string) {
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorld(s, time.Now())
	r := &referee{world: w, seen: map[string]int{}, ours: w.hpa.DeepCopy(), history: &hpa.History{}}
	stop := r.start(ctx)
	defer func() { cancel(); stop() }()
	for tick := range s.Ticks {
		n, diff := r.sync(t)
		if rescales += n; diff != "" {
			return rescales, fmt.Sprintf("tick %d: %s", tick, diff)
		}
		time.Sleep(changeAfter)
		if edited := r.changeWorld(t); edited { // which upstream reconciles at once, since 1.37
			n, diff := r.sync(t)
			if rescales += n; diff != "" {
				return rescales, fmt.Sprintf("after tick %d, HPA edited: %s", tick, diff)
			}
		}
		synctest.Wait()
		time.Sleep(hpa.DefaultParams().SyncPeriod - changeAfter)
	}
	return rescales, ""
}

// sync lets both controllers reconcile at this very instant and compares them.
func (r *referee) sync(t *testing.T) (rescales int, diff string) {
	synctest.Wait() // upstream has reconciled
	r.mu.Lock()
	defer r.mu.Unlock()
	got := decideAsWorld(t, r.world, r.ours, r.history)
	diff = r.differs(got)
	if got.Rescale {
		rescales, r.world.replicas = 1, got.Desired
	}
	r.ours.Status = got.Status
	r.writes, r.events, r.status = nil, nil, nil
	return rescales, diff
}

// decideAsWorld runs ours on the world's state, through JSON, as a replay would.
func decideAsWorld(t *testing.T, w *world, current *autoscalingv2.HorizontalPodAutoscaler, h *hpa.History) hpa.Result {
	in := hpa.Input{Now: time.Now(), HPA: current, SpecReplicas: w.replicas, StatusReplicas: w.replicas, Selector: "app=web", Pods: w.list()}
	for _, m := range w.hpa.Spec.Metrics {
		in.Metrics = append(in.Metrics, w.answer(m))
	}
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var again hpa.Input
	if err := json.Unmarshal(raw, &again); err != nil {
		t.Fatal(err)
	}
	saved := hpa.History{Recommendations: slices.Clone(h.Recommendations), ScaleUp: slices.Clone(h.ScaleUp), ScaleDown: slices.Clone(h.ScaleDown)}
	replayed := hpa.Decide(hpa.DefaultParams(), again, &saved)
	d := hpa.NewDecision(hpa.DefaultParams(), in, h)
	for _, s := range []hpa.Stage{hpa.StageGroup, hpa.StageRatio, hpa.StageTolerance, hpa.StageProposal, hpa.StageStabilize, hpa.StageLimit} {
		if len(d.Run(s)) == 0 {
			t.Errorf("stage %s tells nothing", s)
		}
	}
	got := d.Result()
	if got.Rescale != replayed.Rescale || got.Rescale && got.Desired != replayed.Desired {
		t.Errorf("the replay decided %+v, the run %+v", replayed, got)
	}
	if got.Rescale {
		got = d.Rescaled(nil)
	}
	return got
}

func (r *referee) differs(got hpa.Result) string {
	var writes []int32
	if got.Rescale {
		writes = []int32{got.Desired}
	}
	if !slices.Equal(writes, r.writes) {
		return fmt.Sprintf("scale writes: ours %v, upstream %v", writes, r.writes)
	}
	var events []string
	for _, e := range got.Events {
		events = append(events, e.Type+" "+e.Reason+" "+anyPod(e.Message))
		r.seen[""]++
		r.seen[e.Reason]++
	}
	if !r.eventsDropped() && !slices.Equal(events, r.events) {
		return fmt.Sprintf("events:\nours     %q\nupstream %q", events, r.events)
	}
	for i := range got.Status.Conditions {
		got.Status.Conditions[i].Message = anyPod(got.Status.Conditions[i].Message)
	}
	if r.status != nil && !apiequality.Semantic.DeepEqual(*r.status, got.Status) {
		return fmt.Sprintf("status:\nours     %s\nupstream %s", toJSON(got.Status), toJSON(*r.status))
	}
	return ""
}

// anyPod hides which pod upstream names: its lister has no order.
func anyPod(message string) string { return podName.ReplaceAllString(message, "Pod *") }

var podName = regexp.MustCompile(`Pod web-\d+`)

// eventsDropped tells whether client-go's recorder may have begun to drop or to
// combine events (tools/record/events_cache.go: 25 in all, 10 similar ones).
func (r *referee) eventsDropped() bool {
	for reason, n := range r.seen {
		if reason == "" && n >= 25 || reason != "" && n >= 10 {
			return true
		}
	}
	return false
}

func toJSON(v any) string { b, _ := json.Marshal(v); return string(b) }

func (r *referee) start(ctx context.Context) func() {
	var objects []runtime.Object
	objects = append(objects, r.world.hpa.DeepCopy())
	for _, p := range r.world.list() {
		objects = append(objects, p.DeepCopy())
	}
	cs := fake.NewSimpleClientset(objects...) // NewClientset keeps managed fields, at twenty times the cost
	r.watched = cs
	cs.PrependReactor("update", "horizontalpodautoscalers", func(a clienttesting.Action) (bool, runtime.Object, error) {
		o := a.(clienttesting.UpdateAction).GetObject().(*autoscalingv2.HorizontalPodAutoscaler)
		r.mu.Lock()
		r.status = o.Status.DeepCopy()
		for i := range r.status.Conditions {
			r.status.Conditions[i].Message = anyPod(r.status.Conditions[i].Message)
		}
		r.mu.Unlock()
		return false, nil, nil
	})
	scales := &scalefake.FakeScaleClient{}
	scales.AddReactor("get", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return true, scaleOf(r.world.replicas), nil
	})
	scales.AddReactor("update", "deployments", func(a clienttesting.Action) (bool, runtime.Object, error) {
		s := a.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.writes = append(r.writes, s.Spec.Replicas)
		return true, s, nil
	})
	inf := informers.NewSharedInformerFactory(cs, 0)
	p := hpa.DefaultParams()
	c := podautoscaler.NewHorizontalController(ctx, recordedEvents{r}, scales, cs.AutoscalingV2(), mapper(), metricsOf{r},
		inf.Autoscaling().V2().HorizontalPodAutoscalers(), inf.Core().V1().Pods(), p.SyncPeriod, p.DownscaleStabilization,
		p.Tolerance, p.CPUInitializationPeriod, p.InitialReadinessDelay)
	inf.Start(ctx.Done())
	inf.WaitForCacheSync(ctx.Done())
	done := make(chan struct{})
	go func() { c.Run(ctx, 1); close(done) }()
	return func() { <-done; inf.Shutdown() }
}

func scaleOf(n int32) *autoscalingv1.Scale {
	return &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "ns"},
		Spec:       autoscalingv1.ScaleSpec{Replicas: n},
		Status:     autoscalingv1.ScaleStatus{Replicas: n, Selector: "app=web"},
	}
}

// metricsOf answers upstream's questions from the world.
type metricsOf struct{ r *referee }

func (m metricsOf) GetResourceMetric(_ context.Context, name corev1.ResourceName, _ string, _ labels.Selector, container string) (metrics.PodMetricsInfo, time.Time, error) {
	return m.pods(key(name, container))
}

func (m metricsOf) pods(key string) (metrics.PodMetricsInfo, time.Time, error) {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	data := m.r.world.data[key]
	if data.Err != nil {
		return nil, time.Time{}, data.Err
	}
	info := metrics.PodMetricsInfo{}
	for pod, v := range data.Pods {
		info[pod] = metrics.PodMetric{Timestamp: v.Timestamp, Window: v.Window, Value: v.Value}
	}
	return info, data.Timestamp, nil
}

func (m metricsOf) GetRawMetric(name, _ string, _, _ labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	return m.pods("pods/" + name)
}

func (m metricsOf) GetObjectMetric(name, _ string, _ *autoscalingv2.CrossVersionObjectReference, _ labels.Selector) (int64, time.Time, error) {
	values, at, err := m.values("object/" + name)
	if err != nil {
		return 0, time.Time{}, err
	}
	return values[0], at, nil
}

func (m metricsOf) GetExternalMetric(name, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	return m.values("external/" + name)
}

func (m metricsOf) values(key string) ([]int64, time.Time, error) {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	data := m.r.world.data[key]
	return slices.Clone(data.Values), data.Timestamp, data.Err
}

func TestInputRoundTrip(t *testing.T) {
	w := newWorld(wholeShape(7), time.Unix(0, 0))
	in := hpa.Input{HPA: w.hpa, Pods: w.list(), Metrics: []hpa.MetricData{{Err: errors.New("boom")}, {Pods: maps.Clone(w.data[key("cpu", "")].Pods)}}}
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var again hpa.Input
	if err := json.Unmarshal(raw, &again); err != nil {
		t.Fatal(err)
	}
	if again.Metrics[0].Err == nil || again.Metrics[0].Err.Error() != "boom" || len(again.Metrics[1].Pods) != len(in.Metrics[1].Pods) {
		t.Errorf("metrics came back as %+v", again.Metrics)
	}
	if !reflect.DeepEqual(again.HPA.Spec.ScaleTargetRef, in.HPA.Spec.ScaleTargetRef) {
		t.Errorf("HPA came back as %+v", again.HPA)
	}
}
