package referee_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
)

// withGaps is a recording of a random load in which nobody looks for a while, now
// and then.
func withGaps(seed uint64, gap func(*rand.Rand) time.Duration) []referee.Decision {
	r := rand.New(rand.NewPCG(seed, 0))
	late := time.Duration(0)
	load := make([]int64, 30)
	for i := range load {
		load[i] = 40 + r.Int64N(400)
	}
	rules := func() *autoscalingv2.HPAScalingRules {
		return &autoscalingv2.HPAScalingRules{
			StabilizationWindowSeconds: ptr.To([]int32{0, 300, 3600}[r.IntN(3)]), SelectPolicy: ptr.To(autoscalingv2.MaxChangePolicySelect),
			Policies: []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 1 + r.Int32N(3), PeriodSeconds: 1 + r.Int32N(1800)}},
		}
	}
	var behavior *autoscalingv2.HorizontalPodAutoscalerBehavior
	if r.IntN(3) > 0 {
		behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: rules(), ScaleDown: rules()}
	}
	return record(load, func(i int, d *referee.Decision) {
		if i > 0 && r.IntN(4) == 0 {
			late += gap(r)
		}
		d.Input.HPA.Spec.Behavior = behavior
		d.Input.Now = d.Input.Now.Add(late)
		for m := range d.Input.Metrics {
			d.Input.Metrics[m].Timestamp = d.Input.Now
		}
		for _, p := range d.Input.Pods {
			p.Status.StartTime = ptr.To(metav1.NewTime(d.Input.Now.Add(-time.Hour)))
		}
	})
}

// TestReplayJumpsAsItWouldTick: what comes after a gap that was jumped over is what
// comes after one that upstream's controller ticked through.
func TestReplayJumpsAsItWouldTick(t *testing.T) {
	gap := func(r *rand.Rand) time.Duration { // about the memory, on both sides of it
		return 58*time.Minute + time.Duration(r.IntN(600))*time.Second
	}
	writes, held := 0, 0
	for seed := range uint64(40) {
		decisions := withGaps(seed, gap)
		jumped, err := referee.Replay(t.Context(), decisions)
		if err != nil {
			t.Fatal(err)
		}
		ticked := tick(t, decisions)
		for i := range decisions {
			if a, b := toText(jumped[i]), toText(ticked[i]); a != b {
				t.Fatalf("seed %d, decision %d\njumped %s\nticked %s", seed, i, a, b)
			}
			writes += len(jumped[i].Upstream.Writes)
			if len(jumped[i].Differences) > 0 {
				t.Fatalf("seed %d, decision %d: %v", seed, i, jumped[i].Differences)
			}
			for _, c := range jumped[i].Ours.Status.Conditions {
				if c.Reason == "ScaleDownStabilized" || c.Reason == "ScaleUpStabilized" {
					held++
				}
			}
		}
	}
	if writes < 40 || held < 40 {
		t.Errorf("%d writes, %d held by a memory: the histories are too tame", writes, held)
	}
}

func tick(t *testing.T, decisions []referee.Decision) []referee.Pair {
	t.Helper()
	defer referee.SetMemory(1000 * time.Hour)()
	pairs, err := referee.Replay(t.Context(), decisions)
	if err != nil {
		t.Fatal(err)
	}
	return pairs
}

// toText leaves out upstream's events where nobody compares them: its recorder drops
// some, and a new one begins to count anew.
func toText(p referee.Pair) string {
	if p.EventsDropped {
		p.Upstream.Events = nil
	}
	return fmt.Sprintf("%+v %+v %v %v", p.Upstream.Writes, p.Upstream.Events, p.Upstream.Status, p.Differences)
}

// TestReplayOverYears: nobody waits for time in which nothing was decided, and the
// controller looks once for each decision, and once more after each gap.
func TestReplayOverYears(t *testing.T) {
	const day = 24 * time.Hour
	for _, gap := range []time.Duration{60 * day, 3650 * day} {
		gaps := 0
		decisions := withGaps(3, func(*rand.Rand) time.Duration {
			if gaps == 4 {
				return 0
			}
			gaps++
			return gap
		})
		began := time.Now()
		p := &referee.Player{}
		for i, d := range decisions {
			pair, err := p.Next(t.Context(), d)
			if err != nil || len(pair.Differences) > 0 {
				t.Fatalf("decision %d: %v, %v", i, err, pair.Differences)
			}
		}
		if want := len(decisions) + gaps; gaps != 4 || p.Syncs() != want {
			t.Errorf("%d syncs for %d decisions and %d gaps, want %d", p.Syncs(), len(decisions), gaps, want)
		}
		p.Close()
		if took := time.Since(began); took > 10*time.Second { // a fraction of a second on a quiet machine; ticking takes minutes
			t.Errorf("gaps of %s took %s", gap, took)
		}
	}
}

// TestReplayIsInterrupted in the middle of a gap that is ticked through.
func TestReplayIsInterrupted(t *testing.T) {
	defer referee.SetMemory(1<<63 - 1 - time.Minute)()
	decisions := withGaps(3, func(*rand.Rand) time.Duration { return 50 * 365 * 24 * time.Hour })[:12]
	ctx, cancel := context.WithCancel(t.Context())
	p := &referee.Player{}
	defer p.Close()
	if _, err := p.Next(ctx, decisions[0]); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, cancel) // it is in a gap of hours by then
	var err error
	for _, d := range decisions[1:] {
		if _, err = p.Next(ctx, d); err != nil {
			break
		}
	}
	heard := time.Now()
	p.Close()
	if !errors.Is(err, context.Canceled) || time.Since(heard) > time.Second {
		t.Errorf("%v, and the end took %s", err, time.Since(heard))
	}
}

// TestReplayOutlivesAPanic: upstream has no guard against a metric without its body,
// which no API server lets in.
func TestReplayOutlivesAPanic(t *testing.T) {
	for _, kind := range []autoscalingv2.MetricSourceType{
		autoscalingv2.ResourceMetricSourceType, autoscalingv2.ContainerResourceMetricSourceType, autoscalingv2.PodsMetricSourceType,
		autoscalingv2.ObjectMetricSourceType, autoscalingv2.ExternalMetricSourceType,
	} {
		decisions := record(surge(), func(_ int, d *referee.Decision) {
			d.Input.HPA.Spec.Metrics = []autoscalingv2.MetricSpec{{Type: kind}}
		})
		_, err := referee.Replay(t.Context(), decisions)
		var at *referee.DecisionError
		if !errors.Is(err, referee.ErrStopped) || !errors.As(err, &at) || at.Index != 0 {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := referee.Replay(t.Context(), []referee.Decision{{Recorded: hpa.Recorded{Input: hpa.Input{Now: time.Now()}}}}); !errors.Is(err, referee.ErrStopped) {
		t.Errorf("without an HPA: %v", err)
	}
}

// TestBesideIsLinear: upstream's controller looks once in each pass, however many came
// before, and says what a replay of the whole says.
func TestBesideIsLinear(t *testing.T) {
	decisions := record(surge(), nil)
	pairs, err := referee.Replay(t.Context(), decisions)
	if err != nil {
		t.Fatal(err)
	}
	b := &referee.Beside{}
	conditions := 0
	for i, d := range decisions {
		f, err := b.Compare(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		conditions += pairs[i].Upstream.Conditions()
		for name, want := range map[string]string{
			"agrees": "true", "comparedDecisions": fmt.Sprint(i + 1), "comparedConditions": fmt.Sprint(conditions),
			"upstreamReplicas": fmt.Sprint(pairs[i].Upstream.Replicas(d.Input.SpecReplicas)),
		} {
			if got, _ := f.Fact(name); got != want {
				t.Errorf("pass %d: %s is %s, want %s", i+1, name, got, want)
			}
		}
		if b.Syncs() != i+1 {
			t.Fatalf("%d syncs after %d passes", b.Syncs(), i+1)
		}
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if slices.IndexFunc(pairs, func(p referee.Pair) bool { return len(p.Upstream.Writes) > 0 }) < 0 {
		t.Error("nothing was ever written")
	}
}
