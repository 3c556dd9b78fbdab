package hpa_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
)

// steep is a decision under a load that no number of replicas carries.
func steep(t *testing.T, at time.Duration, replicas int32, policy autoscalingv2.HPAScalingPolicy) hpa.Recorded {
	t.Helper()
	r, err := hpa.ReadRecorded(recording(t))
	if err != nil {
		t.Fatal(err)
	}
	r.Input.Now = r.Input.Now.Add(at)
	r.Input.SpecReplicas, r.Input.StatusReplicas = replicas, replicas
	spec := &r.Input.HPA.Spec
	spec.Metrics, r.Input.Metrics = spec.Metrics[4:], r.Input.Metrics[4:]
	r.Input.Metrics[0].Values = []int64{1_000_000}
	spec.Behavior.ScaleUp = &autoscalingv2.HPAScalingRules{
		StabilizationWindowSeconds: ptr.To[int32](0), SelectPolicy: ptr.To(autoscalingv2.MaxChangePolicySelect), Policies: []autoscalingv2.HPAScalingPolicy{policy},
	}
	return r
}

// TestOutdatedStaysOutdated: an event that was outdated when another was stored gives its
// place to the next, though a longer period covers it again.
func TestOutdatedStaysOutdated(t *testing.T) {
	short := autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: 1, PeriodSeconds: 15}
	long := autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: 3, PeriodSeconds: 120}
	var decisions []referee.Decision
	memory, replicas := &hpa.History{}, int32(1)
	var status autoscalingv2.HorizontalPodAutoscalerStatus
	for i, c := range []struct {
		at     time.Duration
		policy autoscalingv2.HPAScalingPolicy
		want   int32
	}{
		{0, short, 2}, {15 * time.Second, short, 3}, {60 * time.Second, short, 4},
		{75 * time.Second, long, 5}, {90 * time.Second, long, 6},
	} {
		r := steep(t, c.at, replicas, c.policy)
		r.Input.HPA.Status, r.History = status, *throughJSON(t, memory)
		if err := r.Validate(); err != nil {
			t.Fatal(err)
		}
		decisions = append(decisions, referee.Decision{Recorded: r})
		result := hpa.DecideAndWrite(r.Params, r.Input, memory, nil)
		if replicas, status = result.Desired, result.Status; replicas != c.want {
			t.Errorf("decision %d: %d replicas, want %d", i, replicas, c.want)
		}
	}
	pairs, err := referee.Replay(t.Context(), decisions)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range pairs {
		if len(p.Differences) > 0 {
			t.Errorf("decision %d: %v", i, p.Differences)
		}
	}
}

// throughJSON is a value as a recording gives it back.
func throughJSON[T any](t *testing.T, v *T) *T {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	again := new(T)
	if err := json.Unmarshal(raw, again); err != nil {
		t.Fatal(err)
	}
	return again
}

// TestOldRecordingOpens: a recording from before the flag has none.
func TestOldRecordingOpens(t *testing.T) {
	r := steep(t, 0, 2, autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: 1, PeriodSeconds: 15})
	for i := range 2 {
		r.History.ScaleUp = append(r.History.ScaleUp, hpa.ScaleEvent{Change: 1, Time: r.Input.Now.Add(time.Duration(i-9) * time.Minute)})
	}
	old, err := json.Marshal(r)
	if err != nil || bytes.Contains(old, []byte("Outdated")) {
		t.Fatalf("%v, a flag that is not set is written: %s", err, old)
	}
	result, err := replay(old)
	if err != nil || result.Desired != 3 {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestLimitSaysWhatIsWritten: whatever a decision comes to, the limit stage says the
// number that the result has.
func TestLimitSaysWhatIsWritten(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*hpa.Input)
		desired int32
		want    string
	}{
		"all metrics fail": {func(in *hpa.Input) { in.Metrics[0].Err = errors.New("away") }, 2, "2"},
		"no selector":      {func(in *hpa.Input) { in.Selector = "" }, 2, "2"},
		"switched off":     {func(in *hpa.Input) { in.SpecReplicas = 0 }, 0, "0"},
		"above the most":   {func(in *hpa.Input) { in.SpecReplicas = 50 }, 10, "10"},
		"below the least":  {func(in *hpa.Input) { in.HPA.Spec.MinReplicas = ptr.To[int32](4) }, 4, "4"},
		"scaled":           {func(*hpa.Input) {}, 3, "3"},
	} {
		r := steep(t, 0, 2, autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: 1, PeriodSeconds: 15})
		c.change(&r.Input)
		d := hpa.NewDecision(r.Params, r.Input, &hpa.History{})
		said := ""
		for _, s := range allStages {
			for _, f := range d.Run(s).Facts() {
				if f.Name == "desiredReplicas" {
					said = f.Value
				}
			}
		}
		if got := d.Result(); said != c.want || got.Desired != c.desired {
			t.Errorf("%s: the limit stage says %q, the result %d; want %d", name, said, got.Desired, c.desired)
		}
	}
}

// TestContainerNotFound: one pod without the container fails the metric, for utilization
// only, and a sidecar is found.
func TestContainerNotFound(t *testing.T) {
	half := autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To[int32](50)}
	value := everyMetric()[2].Pods.Target
	for name, c := range map[string]struct {
		target autoscalingv2.MetricTarget
		change func(*corev1.PodSpec)
		want   string
	}{
		"there":   {half, func(*corev1.PodSpec) {}, ""},
		"renamed": {half, func(s *corev1.PodSpec) { s.Containers[0].Name = "main" }, "failed to get web container metric value: failed to get cpu utilization: container web not found in Pod web-1"},
		"average": {value, func(s *corev1.PodSpec) { s.Containers[0].Name = "main" }, ""},
		"sidecar": {half, func(s *corev1.PodSpec) {
			s.InitContainers, s.Containers = s.Containers, nil
			s.InitContainers[0].RestartPolicy = ptr.To(corev1.ContainerRestartPolicyAlways)
		}, ""},
		"init": {half, func(s *corev1.PodSpec) { s.InitContainers, s.Containers = s.Containers, nil }, "failed to get web container metric value: failed to get cpu utilization: container web not found in Pod web-1"},
	} {
		r, err := hpa.ReadRecorded(recording(t))
		if err != nil {
			t.Fatal(err)
		}
		spec := &r.Input.HPA.Spec
		spec.Metrics, r.Input.Metrics = spec.Metrics[1:2], r.Input.Metrics[1:2]
		spec.Metrics[0].ContainerResource.Target = c.target
		c.change(&r.Input.Pods[0].Spec)
		want := c.want
		if want != "" {
			want = "invalid metrics (1 invalid out of 1), first error is: " + want
		}
		got := ""
		if result := hpa.Decide(r.Params, r.Input, &hpa.History{}); result.Err != nil {
			got = result.Err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
