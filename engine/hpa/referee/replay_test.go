package referee_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/controller/util/selectors"
	"k8s.io/utils/ptr"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
)

func TestMain(m *testing.M) {
	referee.Quiet()
	os.Exit(m.Run())
}

// record runs our engine alone over a load, as a loop would, and returns what a
// recording of it holds. edit changes a decision before it is made.
func record(load []int64, edit func(i int, d *referee.Decision)) []referee.Decision {
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	replicas, memory := int32(2), hpa.History{}
	object := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "ns", UID: "1", ResourceVersion: "77"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			MinReplicas:    ptr.To[int32](2), MaxReplicas: 10,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To[int32](50)},
			}}},
		},
	}
	var decisions []referee.Decision
	for i, cpu := range load {
		now := start.Add(time.Duration(i) * 15 * time.Second)
		d := referee.Decision{Recorded: hpa.Recorded{Params: hpa.DefaultParams(), History: *memory.Clone(), Input: hpa.Input{
			Now: now, HPA: object.DeepCopy(), SpecReplicas: replicas, StatusReplicas: replicas, Selector: "app=web",
		}}}
		data := hpa.MetricData{Timestamp: now, Pods: map[string]hpa.PodMetric{}}
		for n := range replicas {
			p := pod(fmt.Sprintf("web-%02d", n), start.Add(-time.Hour))
			d.Input.Pods = append(d.Input.Pods, p)
			data.Pods[p.Name] = hpa.PodMetric{Timestamp: now, Window: 15 * time.Second, Value: cpu / int64(replicas)}
		}
		d.Input.Metrics = []hpa.MetricData{data}
		if edit != nil {
			edit(i, &d)
		}
		decisions = append(decisions, d)
		memory = *d.History.Clone()
		var refused error
		if d.Refused != "" {
			refused = errors.New(d.Refused)
		}
		r := hpa.DecideAndWrite(d.Params, d.Input, &memory, refused)
		if r.Rescale && refused == nil {
			replicas = r.Desired
		}
		object.Status = r.Status
	}
	return decisions
}

func pod(name string, since time.Time) *corev1.Pod {
	at := metav1.NewTime(since)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")},
		}}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &at, Conditions: []corev1.PodCondition{
			{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: at},
		}},
	}
}

// surge goes up, stays, and comes down for longer than the stabilization window.
func surge() []int64 {
	load := slices.Repeat([]int64{100}, 4)
	load = append(load, slices.Repeat([]int64{390}, 8)...)
	return append(load, slices.Repeat([]int64{90}, 30)...)
}

func TestReplayAgrees(t *testing.T) {
	restarted := func(i int, d *referee.Decision) {
		if i == 20 {
			d.History = hpa.History{}
		}
	}
	for name, c := range map[string]struct {
		edit   func(int, *referee.Decision)
		writes int
		event  string
	}{
		"surge":     {writes: 3, event: "SuccessfulRescale"},
		"restarted": {edit: restarted, writes: 3},
		"refused": {edit: func(i int, d *referee.Decision) {
			if i < 6 {
				d.Refused = "admission webhook said no"
			}
		}, writes: 3, event: "FailedRescale"},
		"rivals": {edit: func(i int, d *referee.Decision) {
			if i < 3 || i > 9 && i < 12 {
				d.Input.Rivals = []selectors.Key{{Name: "other", Namespace: "ns"}, {Name: "web", Namespace: "ns"}}
			}
		}, writes: 3, event: "AmbiguousSelector"},
		"no metric": {edit: func(i int, d *referee.Decision) {
			if i == 7 {
				d.Input.Metrics[0] = hpa.MetricData{Err: errors.New("the metrics API is away")}
			}
		}, writes: 3, event: "FailedGetResourceMetric"},
	} {
		t.Run(name, func(t *testing.T) {
			decisions := record(surge(), c.edit)
			pairs, err := referee.Replay(t.Context(), decisions)
			if err != nil || len(pairs) != len(decisions) {
				t.Fatalf("%d of %d decisions, %v", len(pairs), len(decisions), err)
			}
			writes, events := 0, ""
			for i, p := range pairs {
				for _, d := range p.Differences {
					t.Errorf("decision %d, %s\nours     %s\nupstream %s", i, d.What, d.Ours, d.Upstream)
				}
				writes += len(p.Upstream.Writes)
				for _, e := range p.Upstream.Events {
					events += e.Reason + " "
				}
			}
			if writes != c.writes || !strings.Contains(events, c.event) {
				t.Errorf("upstream wrote %d times and said %s; want %d and %s", writes, events, c.writes, c.event)
			}
		})
	}
}

// TestReplayObserved plays what a loop recorded that only watched: it begins where the
// controller remembers something already, passes are missing, and the controller did
// something that was not predicted. What is remembered of it all decides: scale-ups are
// limited by what happened within a minute, scale-downs by what was proposed before.
func TestReplayObserved(t *testing.T) {
	rules := &autoscalingv2.HPAScalingRules{
		SelectPolicy: ptr.To(autoscalingv2.MaxChangePolicySelect), StabilizationWindowSeconds: ptr.To[int32](0),
		Policies: []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 2, PeriodSeconds: 60}},
	}
	calm := rules.DeepCopy()
	calm.StabilizationWindowSeconds = ptr.To[int32](300)
	watched := func(somebodyElse bool) []referee.Decision {
		return record(surge(), func(i int, d *referee.Decision) {
			d.Observed, d.Input.HPA.Spec.Behavior = true, &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: rules, ScaleDown: calm}
			if i == 5 && somebodyElse {
				d.History.ScaleUp = append(d.History.ScaleUp, hpa.ScaleEvent{Change: 1, Time: d.Input.Now.Add(-5 * time.Second)})
			}
		})
	}
	for name, decisions := range map[string][]referee.Decision{
		"as predicted":        watched(false),
		"something else done": watched(true),
		"from the middle":     watched(false)[6:],
		"after the surge":     watched(false)[14:],
		"passes missing":      slices.Concat(watched(false)[:5], watched(false)[6:12], watched(false)[14:]),
	} {
		t.Run(name, func(t *testing.T) {
			pairs, err := referee.Replay(t.Context(), decisions)
			if err != nil {
				t.Fatal(err)
			}
			writes := 0
			for i, p := range pairs {
				writes += len(p.Upstream.Writes)
				for _, d := range p.Differences {
					t.Errorf("decision %d, %s\nours     %s\nupstream %s", i, d.What, d.Ours, d.Upstream)
				}
			}
			if writes == 0 {
				t.Error("nothing was scaled")
			}
		})
	}
}

// TestReplayDiffers takes a rule out of our engine: the referee has to see it.
func TestReplayDiffers(t *testing.T) {
	decisions := record(surge(), func(_ int, d *referee.Decision) { d.Params.ScaleUpLimitMinimum, d.Params.ScaleUpLimitFactor = 3, 1.5 })
	pairs, err := referee.Replay(t.Context(), decisions)
	if err != nil {
		t.Fatal(err)
	}
	var what []string
	for _, p := range pairs {
		for _, d := range p.Differences {
			what = append(what, d.What)
		}
	}
	if !slices.Contains(what, "scale") || !slices.Contains(what, "status.desiredReplicas") || !slices.Contains(what, "events") {
		t.Errorf("the differences are %q", what)
	}
}

func TestReplayRefuses(t *testing.T) {
	late := record(surge(), nil)[5:]
	back := record(surge(), nil)
	back[3].Input.Now = back[2].Input.Now
	ancient := record(surge(), nil)
	ancient[0].Input.Now = time.Unix(0, 0)
	far := record(surge(), nil)
	far[0].Input.Now = time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC)
	other := record(surge(), func(i int, d *referee.Decision) {
		if i == 4 {
			d.Input.HPA.Name = "api"
		}
	})
	for name, c := range map[string]struct {
		decisions []referee.Decision
		index     int
		want      error
	}{
		"from the middle": {late, 0, referee.ErrNoBeginning},
		"back in time":    {back, 3, referee.ErrTime},
		"before 2000":     {ancient, 0, referee.ErrTime},
		"after 2199":      {far, 0, referee.ErrTime},
		"another HPA":     {other, 4, referee.ErrOther},
	} {
		_, err := referee.Replay(t.Context(), c.decisions)
		var at *referee.DecisionError
		if !errors.As(err, &at) || at.Index != c.index || !errors.Is(err, c.want) {
			t.Errorf("%s: %v; want %v at %d", name, err, c.want, c.index)
		}
	}
}
