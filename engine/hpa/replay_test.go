package hpa_test

import (
	"context"
	"encoding/json"
	"errors"
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

// recording is one decision of an HPA with every kind of field set.
func recording(t testing.TB) []byte {
	t.Helper()
	now := metav1.NewTime(time.Unix(1_800_000_000, 0).UTC())
	rules := &autoscalingv2.HPAScalingRules{
		StabilizationWindowSeconds: ptr.To[int32](0), SelectPolicy: ptr.To(autoscalingv2.MinChangePolicySelect),
		Policies: []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 2, PeriodSeconds: 60}},
	}
	in := hpa.Input{
		Now: now.Time, SpecReplicas: 1, StatusReplicas: 1, Selector: "app=web",
		HPA: &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "ns"}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			MinReplicas:    ptr.To[int32](1), MaxReplicas: 10, Metrics: everyMetric(),
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: rules, ScaleDown: rules},
		}},
		Pods: []*corev1.Pod{{
			ObjectMeta: metav1.ObjectMeta{Name: "web-1", Namespace: "ns", UID: "6e815680-e8e9-4010-9abc-0123456789ab"}, // begins as a number does
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")},
			}}}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, StartTime: ptr.To(metav1.NewTime(now.Add(-time.Hour))), Conditions: []corev1.PodCondition{
				{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(now.Add(-time.Hour))},
			}},
		}},
	}
	used := hpa.MetricData{Timestamp: now.Time, Pods: map[string]hpa.PodMetric{"web-1": {Timestamp: now.Time, Window: 15 * time.Second, Value: 120}}}
	in.Metrics = []hpa.MetricData{used, used, used, {Timestamp: now.Time, Values: []int64{1500}}, {Timestamp: now.Time, Values: []int64{700, 800}}}
	b, err := json.Marshal(hpa.Recorded{Params: hpa.DefaultParams(), Input: in})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// everyMetric is one metric of each kind.
func everyMetric() []autoscalingv2.MetricSpec {
	half := autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To[int32](50)}
	one := autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: ptr.To(resource.MustParse("1"))}
	named := autoscalingv2.MetricIdentifier{Name: "requests", Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "web"}}}
	return []autoscalingv2.MetricSpec{
		{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{Name: corev1.ResourceCPU, Target: half}},
		{Type: autoscalingv2.ContainerResourceMetricSourceType, ContainerResource: &autoscalingv2.ContainerResourceMetricSource{Name: corev1.ResourceCPU, Container: "web", Target: half}},
		{Type: autoscalingv2.PodsMetricSourceType, Pods: &autoscalingv2.PodsMetricSource{Metric: named, Target: one}},
		{Type: autoscalingv2.ObjectMetricSourceType, Object: &autoscalingv2.ObjectMetricSource{Metric: named, Target: autoscalingv2.MetricTarget{
			Type: autoscalingv2.ValueMetricType, Value: ptr.To(resource.MustParse("1"))}, DescribedObject: autoscalingv2.CrossVersionObjectReference{APIVersion: "v1", Kind: "Service", Name: "web"}}},
		{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{Metric: named, Target: one}},
	}
}

func replay(inputs []byte) (hpa.Result, error) {
	r, err := hpa.ReadRecorded(inputs)
	if err != nil {
		return hpa.Result{}, err
	}
	return hpa.Decide(r.Params, r.Input, &r.History), nil
}

func TestReplayDecides(t *testing.T) {
	r, err := replay(recording(t))
	if err != nil || r.Desired != 3 {
		t.Fatalf("desired %d, %v; want ceil(2.4 × 1) = 3", r.Desired, err)
	}
}

// TestReplayRefusesUnknownFields: a field of a later Kubernetes is named, not left out.
func TestReplayRefusesUnknownFields(t *testing.T) {
	for path, damaged := range map[string]string{
		"input.HPA.spec.behavior.scaleUp.mood": strings.Replace(string(recording(t)), `"selectPolicy"`, `"mood":"calm","selectPolicy"`, 1),
		"params.Speed":                         strings.Replace(string(recording(t)), `"SyncPeriod"`, `"Speed":3,"SyncPeriod"`, 1),
	} {
		var unknown *hpa.UnknownFieldsError
		if _, err := replay([]byte(damaged)); !errors.As(err, &unknown) || !slices.Contains(unknown.Fields, path) {
			t.Errorf("%v; want %s to be refused", err, path)
		}
	}
}

// both plays a recorded decision, and its like a sync later, with both engines. It
// fails where one of them panics.
func both(t *testing.T, inputs []byte) (accepted bool) {
	t.Helper()
	r, err := hpa.ReadRecorded(inputs)
	if err != nil {
		return false
	}
	d := hpa.NewDecision(r.Params, r.Input, &hpa.History{})
	for _, s := range []hpa.Stage{hpa.StageGroup, hpa.StageRatio, hpa.StageTolerance, hpa.StageProposal, hpa.StageStabilize, hpa.StageLimit} {
		d.Run(s).Facts()
	}
	first := referee.Decision{Recorded: r}
	first.History = hpa.History{}
	second := first
	second.Input.Now = r.Input.Now.Add(r.Params.SyncPeriod)
	second.History = r.History
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = referee.Replay(ctx, []referee.Decision{first, second})
	if errors.Is(err, referee.ErrStopped) || ctx.Err() != nil {
		t.Errorf("%v: %s", err, inputs)
	}
	return true
}

// TestReplaySurvivesDamage puts every value of a recording out of order, one at a
// time: it is refused, or both engines decide. Neither panics.
func TestReplaySurvivesDamage(t *testing.T) {
	for _, text := range []string{``, `{}`, `null`, `[]`, `{"input":null}`, `{"input":{"Pods":[null],"HPA":{}}}`} {
		if _, err := replay([]byte(text)); err == nil {
			t.Errorf("%q was decided", text)
		}
	}
	var whole any
	if err := json.Unmarshal(recording(t), &whole); err != nil {
		t.Fatal(err)
	}
	tried, accepted := 0, 0
	damage(whole, func() {
		b, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		tried++
		if both(t, b) {
			accepted++
		}
	})
	if tried < 500 || accepted < 100 || accepted > tried*9/10 {
		t.Errorf("%d damages were tried, %d accepted", tried, accepted)
	}
}

// damage calls try with every value of the tree taken out, and with others in its place.
func damage(node any, try func()) {
	others := func(v any, set func(any)) {
		damage(v, try)
		for _, other := range []any{nil, "", "x", -1, 0, 1e18, true, []any{nil}, map[string]any{}} {
			set(other)
			try()
		}
		set(v)
	}
	switch n := node.(type) {
	case map[string]any:
		for k, v := range n {
			others(v, func(other any) { n[k] = other })
			delete(n, k)
			try()
			n[k] = v
		}
	case []any:
		for i, v := range n {
			others(v, func(other any) { n[i] = other })
		}
	}
}

// TestReplayNamesWhatIsInvalid: the path of the recording's JSON, for each rule.
func TestReplayNamesWhatIsInvalid(t *testing.T) {
	for field, change := range map[string]func(*hpa.Recorded){
		"input.HPA":                                   func(r *hpa.Recorded) { r.Input.HPA = nil },
		"input.HPA.metadata.name":                     func(r *hpa.Recorded) { r.Input.HPA.Name = "" },
		"input.HPA.spec.scaleTargetRef.kind":          func(r *hpa.Recorded) { r.Input.HPA.Spec.ScaleTargetRef.Kind = "" },
		"input.HPA.spec.maxReplicas":                  func(r *hpa.Recorded) { r.Input.HPA.Spec.MaxReplicas = -1 },
		"input.HPA.spec.minReplicas":                  func(r *hpa.Recorded) { r.Input.HPA.Spec.MinReplicas = ptr.To[int32](-1) },
		"input.HPA.spec.metrics[0].resource":          func(r *hpa.Recorded) { r.Input.HPA.Spec.Metrics[0].Resource = nil },
		"input.HPA.spec.metrics[1].containerResource": func(r *hpa.Recorded) { r.Input.HPA.Spec.Metrics[1].ContainerResource = nil },
		"input.HPA.spec.metrics[2].pods":              func(r *hpa.Recorded) { r.Input.HPA.Spec.Metrics[2].Pods = nil },
		"input.HPA.spec.metrics[3].object":            func(r *hpa.Recorded) { r.Input.HPA.Spec.Metrics[3].Object = nil },
		"input.HPA.spec.metrics[4].external":          func(r *hpa.Recorded) { r.Input.HPA.Spec.Metrics[4].External = nil },
		"input.HPA.spec.behavior.scaleUp.policies[0].periodSeconds": func(r *hpa.Recorded) {
			r.Input.HPA.Spec.Behavior.ScaleUp.Policies[0].PeriodSeconds = -60
		},
		"input.HPA.spec.behavior.scaleDown.stabilizationWindowSeconds": func(r *hpa.Recorded) {
			r.Input.HPA.Spec.Behavior.ScaleDown.StabilizationWindowSeconds = ptr.To[int32](1 << 30)
		},
		"input.Pods[0]":                    func(r *hpa.Recorded) { r.Input.Pods[0] = nil },
		"input.Pods[0].metadata.name":      func(r *hpa.Recorded) { r.Input.Pods[0].Name = "../x" },
		"input.Pods[0].metadata.namespace": func(r *hpa.Recorded) { r.Input.Pods[0].Namespace = "other" },
		"input.Pods[1].metadata.name":      func(r *hpa.Recorded) { r.Input.Pods = append(r.Input.Pods, r.Input.Pods[0]) },
		"input.Pods":                       func(r *hpa.Recorded) { r.Input.Pods = slices.Repeat(r.Input.Pods, 10_001) },
		"input.Metrics":                    func(r *hpa.Recorded) { r.Input.Metrics = r.Input.Metrics[1:] },
		"input.Metrics[4].Values":          func(r *hpa.Recorded) { r.Input.Metrics[4].Values = make([]int64, 100_001) },
		"input.SpecReplicas":               func(r *hpa.Recorded) { r.Input.SpecReplicas = -1 },
		"input.StatusReplicas":             func(r *hpa.Recorded) { r.Input.StatusReplicas = -1 },
		"input.Now":                        func(r *hpa.Recorded) { r.Input.Now = time.Time{} },
		"input.Rivals[0].Name":             func(r *hpa.Recorded) { r.Input.Rivals = make([]selectors.Key, 1) },
		"params.SyncPeriod":                func(r *hpa.Recorded) { r.Params.SyncPeriod = -1 },
		"params.DownscaleStabilization":    func(r *hpa.Recorded) { r.Params.DownscaleStabilization = 1000 * time.Hour },
		"params.Tolerance":                 func(r *hpa.Recorded) { r.Params.Tolerance = -0.1 },
		"history.Recommendations[0].Time":  func(r *hpa.Recorded) { r.History.Recommendations = []hpa.Recommendation{{Time: r.Input.Now.Add(1)}} },
		"history.ScaleUp[0]":               func(r *hpa.Recorded) { r.History.ScaleUp = []hpa.ScaleEvent{{Change: -1, Time: r.Input.Now}} },
		"history.ScaleDown[1]":             func(r *hpa.Recorded) { r.History.ScaleDown = []hpa.ScaleEvent{{}, {Change: -1}} },
		"history.ScaleUp[0].Outdated": func(r *hpa.Recorded) {
			r.History.ScaleUp = []hpa.ScaleEvent{{Time: r.Input.Now.Add(-time.Hour), Outdated: true}}
		},
		"history.ScaleDown[0].Outdated": func(r *hpa.Recorded) {
			r.History.ScaleDown = []hpa.ScaleEvent{{Time: r.Input.Now.Add(-time.Second), Outdated: true}, {Time: r.Input.Now}}
		},
		"history": func(r *hpa.Recorded) { r.History.ScaleUp = make([]hpa.ScaleEvent, 100_001) },
	} {
		r, err := hpa.ReadRecorded(recording(t))
		if err != nil {
			t.Fatal(err)
		}
		change(&r)
		var invalid *hpa.InvalidError
		if err := r.Validate(); !errors.As(err, &invalid) || invalid.Fields[0].Field != field {
			t.Errorf("%s: %.300v", field, err)
		}
	}
}

// TestReplayRefusesHugeNumbers: upstream's quantities write them out, for hours.
func TestReplayRefusesHugeNumbers(t *testing.T) {
	for _, huge := range []string{`"1e-1000000000"`, `1e-1000000000`, `"1e2147483647"`, `"\u0031E-1000000000"`, `"+.5e-999999999999"`, `"` + strings.Repeat("9", 1<<20) + `Ki"`} {
		for _, old := range []string{`"averageValue":"1"`, `"cpu":"100m"`, `"value":"1"`} {
			field, _, _ := strings.Cut(old, ":")
			damaged := strings.Replace(string(recording(t)), old, field+":"+huge, 1)
			if _, err := hpa.ReadRecorded([]byte(damaged)); !errors.Is(err, hpa.ErrHugeNumber) {
				t.Errorf("%s:%.30s: %v", field, huge, err)
			}
		}
	}
	for _, usual := range []string{`"1e3"`, `1.5`, `"18446744073709551616"`, `"100e-3"`} {
		if _, err := hpa.ReadRecorded([]byte(strings.Replace(string(recording(t)), `"averageValue":"1"`, `"averageValue":`+usual, 1))); err != nil {
			t.Errorf("%s: %v", usual, err)
		}
	}
}

// FuzzReplay lets both engines decide whatever is accepted.
func FuzzReplay(f *testing.F) {
	f.Add(recording(f))
	f.Fuzz(func(t *testing.T, inputs []byte) { both(t, inputs) })
}
