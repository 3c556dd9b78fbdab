package cli

import (
	"strings"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/trace"
)

const externalMetric = `  - type: External
    external:
      metric: {name: queue}
      target: {type: Value, value: "10"}
`

// TestHPAMetricsThatNobodyServes has an external metric beside CPU: a cluster
// without an adapter for it may scale up by CPU, and not down.
func TestHPAMetricsThatNobodyServes(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	withScenario(t, a, "hpa-external", "web-surge", "  metrics:\n", "  metrics:\n"+externalMetric, "hpa: web\n", "hpa: web\nfaults: [missing-metrics]\n")
	s := testStage(t, a, t.Context(), "hpa", "hpa-external")
	f := toStep(t, s, 1, "hpa/1-metrics/query")
	if text, _ := f.Fact("metricError"); !strings.Contains(text, "external metrics API") {
		t.Errorf("metricError is %q: %+v", text, f.Facts)
	}
	grown := false
	for pass := 1; pass <= 38; pass++ {
		f := toStep(t, s, pass, "hpa/3-scale/update")
		switch action, _ := f.Fact("action"); action {
		case "scaleUp":
			grown = true
		case "scaleDown":
			t.Fatalf("pass %d scales down without knowing the external metric: %+v", pass, f.Facts)
		}
	}
	if !grown {
		t.Error("CPU alone never scaled up")
	}
}

// TestFirstValueIsOfTheLoad: pods that a lesson has just started take nothing of the time
// that passes before the next one. Its own would be so young at the first scrape that
// the Metrics Server had a value of them from before the load, which is 0.
func TestFirstValueIsOfTheLoad(t *testing.T) {
	t.Parallel()
	a := simulatedApp(t)
	s, closeStage, err := a.openStage(t.Context(), "hpa", "web-surge", silent{})
	if err != nil {
		t.Fatal(err)
	}
	grown := false
	if _, err := s.Session().Continue(func(f trace.Frame) bool {
		grown = grown || scaled(f)
		return grown && f.Step == "hpa/5-pods/run"
	}); err != nil {
		t.Fatal(err)
	}
	if err := closeStage(); err != nil {
		t.Fatal(err)
	}
	next := testStage(t, a, t.Context(), "hpa-architecture", "web-surge")
	wantFact(t, toStep(t, next, 1, "hpa-architecture/3-metrics"), "utilization", "50%")
}

// TestHPAOfTheSamePods adds a second HPA to the Deployment: neither may scale.
func TestHPAOfTheSamePods(t *testing.T) {
	t.Parallel()
	s := testStage(t, simulatedApp(t), t.Context(), "hpa", "web-surge")
	toStep(t, s, 1, "hpa/5-pods/run")
	hpas := s.kube.AutoscalingV2().HorizontalPodAutoscalers(s.namespace)
	hpa, err := hpas.Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rival := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: "web-too"}, Spec: hpa.Spec}
	if _, err := hpas.Create(t.Context(), rival, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	f := toStep(t, s, 2, "hpa/3-scale/update")
	wantFact(t, f, "conditionReason", "AmbiguousSelector")
	wantFact(t, f, "action", "keep")
}
