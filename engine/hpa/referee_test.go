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
	runtimepkg "runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
)

var (
	histories = flag.Int("histories", 2000, "random histories to compare with upstream's controller")
	seed      = flag.Uint64("seed", 1, "seed of the first history")
)

const changeAfter = 7 * time.Second // the world changes between two syncs, never at one

func TestMain(m *testing.M) {
	referee.Quiet()
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
	Alike   bool // the pods have the same containers and a usual status
	Prompt  bool // status.replicas is spec.replicas
	Alone   bool // no other HPA selects the pods
	Fixed   bool // nobody edits the periods of the policies
}

func wholeShape(seed uint64) shape { return shape{Seed: seed, Ticks: 40, Metrics: 3} }

// TestDecisionEqualsUpstream drives upstream's controller through random
// histories in virtual time and demands the same writes from ours.
func TestDecisionEqualsUpstream(t *testing.T) {
	percent := debug.SetGCPercent(400) // histories are garbage, and a fifth of the time was its collection
	t.Cleanup(func() { debug.SetGCPercent(percent) })
	workers := uint64(runtimepkg.GOMAXPROCS(0))
	for w := range workers {
		t.Run(fmt.Sprint("worker", w), func(t *testing.T) {
			t.Parallel()
			rescales, ran, told := 0, 0, map[string]int{}
			for i := w; i < uint64(*histories); i += workers {
				n, diff := play(t, wholeShape(*seed+i), told)
				if diff != "" {
					small := shrink(t, wholeShape(*seed+i))
					_, diff = play(t, small, told)
					t.Fatalf("ours is not upstream's; keep this as a file in testdata/histories:\n%s\n%s", toJSON(small), diff)
				}
				rescales += n
				ran++
			}
			if rescales < ran {
				t.Errorf("only %d rescales in %d histories: the generator is too tame", rescales, ran)
			}
			for _, odd := range oddMessages {
				if ran >= 200 && told[odd] == 0 {
					t.Errorf("none of %d histories told %q: the generator is too tame", ran, odd)
				}
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
		if _, diff := play(t, s, map[string]int{}); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

// FuzzDecisionEqualsUpstream lets go's fuzzer choose the histories.
func FuzzDecisionEqualsUpstream(f *testing.F) {
	f.Add(uint64(1), byte(10), byte(2), false, false, false)
	f.Fuzz(func(t *testing.T, seed uint64, ticks, metrics byte, plain, still, usual bool) {
		s := shape{Seed: seed, Ticks: 1 + int(ticks)%60, Metrics: 1 + int(metrics)%5, Plain: plain, Still: still, Alike: usual, Prompt: usual, Alone: usual, Fixed: usual}
		if _, diff := play(t, s, map[string]int{}); diff != "" {
			t.Errorf("%s\n%s", toJSON(s), diff)
		}
	})
}

// shrink looks for the smallest history that still fails.
func shrink(t *testing.T, s shape) shape {
	fails := func(s shape) bool { _, diff := play(t, s, map[string]int{}); return diff != "" }
	for _, less := range []func(*shape){
		func(s *shape) { s.Alike = true }, func(s *shape) { s.Prompt = true }, func(s *shape) { s.Alone = true }, func(s *shape) { s.Fixed = true },
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

// play runs one history in a bubble of virtual time, and counts the odd messages that it
// told.
func play(t *testing.T, s shape, told map[string]int) (rescales int, diff string) {
	synctest.Test(t, func(t *testing.T) { rescales, diff = compareHistory(t, s, told) })
	return rescales, diff
}

// history is one made-up world with both controllers in it.
type history struct {
	*world
	upstream *referee.Upstream
	seen     map[string]int // events of ours by reason
	told     map[string]int // odd messages of upstream's
	ours     *autoscalingv2.HorizontalPodAutoscaler
	memory   *hpa.History
}

func compareHistory(t *testing.T, s shape, told map[string]int) (rescales int, diff string) {
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorld(s, time.Now())
	h := &history{world: w, seen: map[string]int{}, told: told, ours: w.hpa.DeepCopy(), memory: &hpa.History{}}
	upstream, stop := referee.Start(ctx, hpa.DefaultParams(), w, w.hpa.Spec.ScaleTargetRef)
	defer func() { cancel(); stop() }()
	h.upstream = upstream
	h.show(t)
	for tick := range s.Ticks {
		n, diff := h.sync(t)
		if rescales += n; diff != "" {
			return rescales, fmt.Sprintf("tick %d: %s", tick, diff)
		}
		time.Sleep(changeAfter)
		if edited := h.change(t); edited { // which upstream reconciles at once, since 1.37
			n, diff := h.sync(t)
			if rescales += n; diff != "" {
				return rescales, fmt.Sprintf("after tick %d, HPA edited: %s", tick, diff)
			}
		}
		synctest.Wait()
		time.Sleep(hpa.DefaultParams().SyncPeriod - changeAfter)
	}
	return rescales, ""
}

// show makes upstream see the pods, and then the HPA.
func (h *history) show(t *testing.T) {
	t.Helper()
	h.showWorld(t)
	synctest.Wait()
	if err := h.upstream.SetHPA(h.ours); err != nil {
		t.Fatal(err)
	}
}

// showWorld makes upstream see the pods and the other HPAs.
func (h *history) showWorld(t *testing.T) {
	t.Helper()
	if err := h.upstream.SetPods("ns", h.list()); err != nil {
		t.Fatal(err)
	}
	if err := h.upstream.SetRivals(h.ours, h.odd.rivals); err != nil {
		t.Fatal(err)
	}
}

// change moves the world, and now and then edits the HPA, for both.
func (h *history) change(t *testing.T) (edited bool) {
	t.Helper()
	h.mu.Lock()
	h.step(time.Now())
	edited = h.edit()
	h.mu.Unlock()
	if edited {
		next := h.hpa.DeepCopy()
		next.Status = *h.ours.Status.DeepCopy()
		h.ours = next
		h.show(t)
		return true
	}
	h.showWorld(t)
	return false
}

// sync lets both controllers reconcile at this very instant and compares them.
func (h *history) sync(t *testing.T) (rescales int, diff string) {
	synctest.Wait() // upstream has reconciled
	h.mu.Lock()
	defer h.mu.Unlock()
	in, got := decideAsWorld(t, h.world, h.ours, h.memory)
	diff = h.differs(in, got, h.upstream.Take())
	if got.Rescale {
		rescales, h.replicas = 1, got.Desired
	}
	h.ours.Status = got.Status
	return rescales, diff
}

// inputOf is what a decision reads of the world.
func inputOf(w *world, current *autoscalingv2.HorizontalPodAutoscaler, now time.Time) hpa.Input {
	in := hpa.Input{Now: now, HPA: current, SpecReplicas: w.replicas, StatusReplicas: w.odd.statusReplicas(w.replicas), Selector: "app=web", Rivals: w.rivals(), Pods: w.list()}
	for _, m := range w.hpa.Spec.Metrics {
		in.Metrics = append(in.Metrics, w.data[keyOf(referee.QuestionFor(m))])
	}
	return in
}

// decideAsWorld runs ours on the world's state, through JSON, as a replay would.
func decideAsWorld(t *testing.T, w *world, current *autoscalingv2.HorizontalPodAutoscaler, h *hpa.History) (hpa.Input, hpa.Result) {
	in := inputOf(w, current, time.Now())
	replayed := hpa.Decide(hpa.DefaultParams(), w.recorded(t, in), h.Clone())
	d := hpa.NewDecision(hpa.DefaultParams(), in, h)
	for _, s := range allStages {
		if len(d.Run(s).Facts()) == 0 {
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
	return in, got
}

// recorded is the input as a recording gives it back. A pod that has not changed was
// read before: all the pods of every sync were a third of the whole comparison's time.
func (w *world) recorded(t *testing.T, in hpa.Input) hpa.Input {
	pods := make([]*corev1.Pod, len(in.Pods))
	for i, p := range in.Pods {
		if w.reread[p] == nil {
			w.reread[p] = throughJSON(t, p)
		}
		pods[i] = w.reread[p]
	}
	in.Pods = nil
	again := throughJSON(t, &in)
	again.Pods = pods
	return *again
}

func (h *history) differs(in hpa.Input, got hpa.Result, upstream referee.Outcome) string {
	ours := referee.Outcome{Events: got.Events, Status: &got.Status}
	if got.Rescale {
		ours.Writes = []int32{got.Desired}
	}
	for _, e := range got.Events {
		h.seen[e.Reason]++
	}
	for _, e := range upstream.Events {
		for _, odd := range oddMessages {
			if strings.Contains(e.Message, odd) {
				h.told[odd]++
			}
		}
	}
	var text strings.Builder
	for _, d := range referee.Compare(in, ours, upstream, !referee.EventsDropped(h.seen)) {
		fmt.Fprintf(&text, "%s:\nours     %s\nupstream %s\n", d.What, d.Ours, d.Upstream)
	}
	return text.String()
}

func toJSON(v any) string { b, _ := json.Marshal(v); return string(b) }

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
