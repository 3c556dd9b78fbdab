package hpa

import (
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

func TestQuantityOf(t *testing.T) {
	for _, c := range []struct {
		resource string
		milli    int64
		want     string
	}{
		{"cpu", 180, "180m"}, {"cpu", 1000, "1000m"}, {"cpu", 0, "0m"},
		{"memory", 48 << 20 * 1000, "48Mi"}, {"memory", 1500, "1"},
		{"example.com/gpu", 2000, "2"},
	} {
		if got := quantityOf(c.resource, c.milli); got != c.want {
			t.Errorf("%s %d: got %s, want %s", c.resource, c.milli, got, c.want)
		}
	}
}

func TestWantsMetrics(t *testing.T) {
	for _, c := range []struct {
		min       *int32
		max, size int32
		want      bool
		zeroed    bool // by the controller itself
	}{
		{new(int32(2)), 10, 2, true, false}, {new(int32(2)), 10, 10, true, false}, {new(int32(2)), 10, 11, false, false},
		{new(int32(2)), 10, 1, false, false}, {nil, 10, 1, true, false}, {nil, 10, 0, false, false}, {new(int32(0)), 10, 0, false, false},
		{new(int32(0)), 10, 0, true, true}, {new(int32(1)), 10, 0, true, true},
	} {
		hpa := &autoscalingv2.HorizontalPodAutoscaler{Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MinReplicas: c.min, MaxReplicas: c.max}}
		if c.zeroed {
			hpa.Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{{Type: autoscalingv2.ScaledToZero, Status: corev1.ConditionTrue}}
			hpa.Spec.Metrics = []autoscalingv2.MetricSpec{{Type: autoscalingv2.ExternalMetricSourceType}}
		}
		if got := wantsMetrics(hpa, c.size); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

func TestConditionSetKeepsTransitionTime(t *testing.T) {
	then, now := metav1.Unix(100, 0), metav1.Unix(200, 0)
	old := []autoscalingv2.HorizontalPodAutoscalerCondition{{Type: autoscalingv2.AbleToScale, Status: corev1.ConditionFalse, LastTransitionTime: then}}
	for _, c := range []struct {
		kind   autoscalingv2.HorizontalPodAutoscalerConditionType
		status corev1.ConditionStatus
		len    int
		want   metav1.Time
	}{
		{autoscalingv2.AbleToScale, corev1.ConditionFalse, 1, then},
		{autoscalingv2.AbleToScale, corev1.ConditionTrue, 1, now},
		{autoscalingv2.ScalingActive, corev1.ConditionFalse, 2, now},
	} {
		list := conditionSet(append([]autoscalingv2.HorizontalPodAutoscalerCondition{}, old...),
			autoscalingv2.HorizontalPodAutoscalerCondition{Type: c.kind, Status: c.status, LastTransitionTime: now})
		if last := list[len(list)-1]; len(list) != c.len || last.Status != c.status || !last.LastTransitionTime.Equal(&c.want) {
			t.Errorf("%+v: got %+v", c, list)
		}
	}
}

func TestParseCPU(t *testing.T) {
	now := time.UnixMilli(5_000)
	const head = `container_cpu_usage_seconds_total{container="a",namespace="shop",pod="web"} `
	for name, c := range map[string]struct {
		lines   []string
		seconds float64
		at      time.Time
		fails   bool
	}{
		"two containers":  {lines: []string{head + "1.5 3000", head + "2.25 3000", "container_memory_working_set_bytes{} 4 3000"}, seconds: 3.75, at: time.UnixMilli(3_000)},
		"no timestamp":    {lines: []string{head + "1.5"}, seconds: 1.5, at: now},
		"none":            {lines: []string{"container_memory_working_set_bytes{} 4 3000"}, fails: true},
		"bad value":       {lines: []string{head + "x 3000"}, fails: true},
		"bad timestamp":   {lines: []string{head + "1 x"}, fails: true},
		"value cut off":   {lines: []string{head}, fails: true},
		"label never end": {lines: []string{`container_cpu_usage_seconds_total{a="`}, fails: true},
	} {
		got, err := parseCPU(c.lines, now)
		if c.fails {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		if err != nil || got.seconds != c.seconds || !got.at.Equal(c.at) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestAddRate(t *testing.T) {
	start := time.UnixMilli(0).UTC()
	var f trace.Frame
	addRate(&f, cpuSample{seconds: 12.3, at: start}, cpuSample{seconds: 15, at: start.Add(15 * time.Second)})
	for _, fact := range f.Facts {
		if fact.Name == "metricsServerRate" && (fact.Value != "180m" || fact.Expr != "(15s − 12.3s) / 15s") {
			t.Errorf("got %+v", fact)
		}
	}
	var same trace.Frame
	addRate(&same, cpuSample{at: start}, cpuSample{at: start})
	if _, ok := same.Fact("skipped"); !ok {
		t.Errorf("no time passed: got %+v", same.Facts)
	}
}

func TestPodLines(t *testing.T) {
	body := "# HELP x\n" +
		`container_cpu_usage_seconds_total{container="a",namespace="shop",pod="web"} 1 2` + "\n" +
		`container_cpu_usage_seconds_total{container="a",namespace="shop",pod="web-2"} 1 2` + "\n" +
		`container_cpu_usage_seconds_total{container="a",namespace="other",pod="web"} 1 2` + "\n"
	if got := PodLines(body, "shop", "web"); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

func pod(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	for _, c := range change {
		c(p)
	}
	return p
}

func deleting(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Unix(60, 0)) }
func onNode(p *corev1.Pod)   { p.Spec.NodeName = "node" }
func ready(p *corev1.Pod) {
	p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue})
}

func unschedulable(p *corev1.Pod) {
	p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable})
}

func TestSlimPodKeepsWhatTheDecisionReads(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	p := pod("a", onNode, ready, deleting, unschedulable)
	p.Status.StartTime = new(metav1.Unix(1, 0))
	p.Spec.Containers = []corev1.Container{{Name: "web", Image: "large"}}
	p.Spec.InitContainers = []corev1.Container{{Name: "side", RestartPolicy: &always}}
	s := slimPod(p)
	if s.Name != "a" || s.DeletionTimestamp == nil || s.Status.StartTime == nil || !world.IsReady(s) || len(s.Status.Conditions) != 1 {
		t.Errorf("got %+v", s)
	}
	if s.Spec.Containers[0].Name != "web" || s.Spec.Containers[0].Image != "" || *s.Spec.InitContainers[0].RestartPolicy != always {
		t.Errorf("containers: %+v", s.Spec)
	}
}

func TestRequestPatch(t *testing.T) {
	got, err := requestPatch("web")
	want := `{"spec":{"template":{"spec":{"containers":[{"name":"web","resources":{"requests":{"cpu":"200m"}}}]}}}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}
