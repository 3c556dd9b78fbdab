package hpa_test

import (
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
	"k8s.io/utils/ptr"

	"github.com/stepscale/stepscale/engine/hpa"
)

// recording is one decision of an HPA with every kind of field set.
func recording(t testing.TB) []byte {
	t.Helper()
	now := metav1.NewTime(time.Unix(1_800_000_000, 0).UTC())
	rules := &autoscalingv2.HPAScalingRules{
		StabilizationWindowSeconds: ptr.To[int32](0), SelectPolicy: ptr.To(autoscalingv2.MinChangePolicySelect),
		Policies: []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 2, PeriodSeconds: 60}},
	}
	cpu := autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
		Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To[int32](50)},
	}}
	in := hpa.Input{
		Now: now.Time, SpecReplicas: 1, StatusReplicas: 1, Selector: "app=web",
		HPA: &autoscalingv2.HorizontalPodAutoscaler{Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			MinReplicas: ptr.To[int32](1), MaxReplicas: 10, Metrics: []autoscalingv2.MetricSpec{cpu},
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: rules, ScaleDown: rules},
		}},
		Pods: []*corev1.Pod{{
			ObjectMeta: metav1.ObjectMeta{Name: "web-1"},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")},
			}}}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, StartTime: ptr.To(metav1.NewTime(now.Add(-time.Hour))), Conditions: []corev1.PodCondition{
				{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(now.Add(-time.Hour))},
			}},
		}},
		Metrics: []hpa.MetricData{{Timestamp: now.Time, Pods: map[string]hpa.PodMetric{"web-1": {Timestamp: now.Time, Window: 15 * time.Second, Value: 120}}}},
	}
	b, err := json.Marshal(hpa.Recorded{Params: hpa.DefaultParams(), Input: in})
	if err != nil {
		t.Fatal(err)
	}
	return b
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

// TestReplaySurvivesDamage takes every value out of a recording, one at a time:
// the replay may fail or decide, and must not panic.
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
	tried := 0
	without(whole, func() {
		b, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = replay(b)
		tried++
	})
	if tried < 50 {
		t.Errorf("only %d damages were tried", tried)
	}
}

// without calls try once for every value of the tree set to null, and once for
// every field taken out.
func without(node any, try func()) {
	switch n := node.(type) {
	case map[string]any:
		for k, v := range n {
			without(v, try)
			n[k] = nil
			try()
			delete(n, k)
			try()
			n[k] = v
		}
	case []any:
		for i, v := range n {
			without(v, try)
			n[i] = nil
			try()
			n[i] = v
		}
	}
}
