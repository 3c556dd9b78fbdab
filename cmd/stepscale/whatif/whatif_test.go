package whatif

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/recording"
)

var begun = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// recorded is what a loop would have recorded of a load in millicores, a pass each: two
// pods at first, requests of 100m and a target of 50 %.
func recorded(load []int64) []Decision {
	return recordedBy(load, func(*autoscalingv2.HorizontalPodAutoscalerSpec) {})
}

// recordedBy is that of an HPA with something else in its spec.
func recordedBy(load []int64, change func(*autoscalingv2.HorizontalPodAutoscalerSpec)) []Decision {
	object := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "ns"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			MinReplicas:    new(int32(2)), MaxReplicas: 10,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(50))},
			}}},
		},
	}
	change(&object.Spec)
	var all []Decision
	replicas, memory := int32(2), hpa.History{}
	for i, cpu := range load {
		now := begun.Add(time.Duration(i+1) * 15 * time.Second)
		d := Decision{Pass: i + 1, Recorded: hpa.Recorded{Params: hpa.DefaultParams(), History: *memory.Clone(), Input: hpa.Input{
			Now: now, HPA: object.DeepCopy(), SpecReplicas: replicas, StatusReplicas: replicas, Selector: "app=web",
		}}}
		data := hpa.MetricData{Timestamp: now, Pods: map[string]hpa.PodMetric{}}
		for n := range replicas {
			since := metav1.NewTime(begun.Add(-time.Hour))
			name := "web-" + string(rune('a'+n))
			d.Recorded.Input.Pods = append(d.Recorded.Input.Pods, &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", Labels: map[string]string{"app": "web"}},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")}, Limits: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("200m")},
				}}}},
				Status: corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &since, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: since}}},
			})
			data.Pods[name] = hpa.PodMetric{Timestamp: now, Window: 15 * time.Second, Value: cpu / int64(replicas)}
		}
		d.Recorded.Input.Metrics = []hpa.MetricData{data}
		r := hpa.DecideAndWrite(d.Recorded.Params, d.Recorded.Input, &memory, nil)
		d.Desired, replicas, object.Status = r.Desired, r.Desired, r.Status
		all = append(all, d)
	}
	return all
}

// surge is a minute at 100m, seven at 380m and eight at 100m.
func surge() []int64 {
	return slices.Concat(slices.Repeat([]int64{100}, 4), slices.Repeat([]int64{380}, 28), slices.Repeat([]int64{100}, 32))
}

func study(t *testing.T, load []int64) *Study {
	t.Helper()
	s, err := New(recording.Header{}, recorded(load))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func played(t *testing.T, s *Study, sets ...string) Course {
	t.Helper()
	e, err := ParseEdit(sets)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Play(e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func desired(c Course) (all []int32) {
	for _, p := range c.Points {
		all = append(all, p.Desired)
	}
	return slices.Compact(all)
}

// TestNothingSetIsTheRecording, also where the model is on its own from the beginning.
func TestNothingSetIsTheRecording(t *testing.T) {
	s := study(t, surge())
	c := played(t, s)
	if got, want := desired(c), desired(s.Recorded()); c.Parted != -1 || !slices.Equal(got, want) || len(want) < 3 {
		t.Errorf("parted at %d: %v, want %v", c.Parted, got, want)
	}
	if Sum(c) != Sum(s.Recorded()) {
		t.Errorf("%+v, want %+v", Sum(c), Sum(s.Recorded()))
	}
	if agreed, all, err := s.Check(); err != nil || agreed != all || all != len(surge()) {
		t.Errorf("the model comes to %d of %d decisions, %v", agreed, all, err)
	}
}

// TestOtherRules: fewer pods have more to do each, and the same load decides.
func TestOtherRules(t *testing.T) {
	s := study(t, surge())
	for _, c := range []struct {
		sets []string
		want []int32
	}{
		{nil, []int32{2, 4, 8, 2}},
		{[]string{"target=100"}, []int32{2, 4, 2}},
		{[]string{"maxReplicas=5"}, []int32{2, 4, 5, 2}},
		{[]string{"minReplicas=3"}, []int32{3, 6, 8, 3}},
		{[]string{"behavior.scaleUp.policies=[{type: Pods, value: 1, periodSeconds: 60}]"}, []int32{2, 3, 4, 5, 6, 7, 2}},
		{[]string{"behavior.scaleDown.selectPolicy=Disabled"}, []int32{2, 6, 8}},
		{[]string{"horizontal-pod-autoscaler-tolerance=3"}, []int32{2}},
		{[]string{"metrics[0].resource.target.averageUtilization=100", "maxReplicas=3"}, []int32{2, 3, 2}},
	} {
		if got := desired(played(t, s, c.sets...)); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.sets, got, c.want)
		}
	}
	soon := Sum(played(t, s, "behavior.scaleDown.stabilizationWindowSeconds=0"))
	if late := Sum(s.Recorded()); soon.PodHours >= late.PodHours || soon.Flips != 1 || late.Flips != 0 {
		t.Errorf("without a window %+v, with it %+v", soon, late)
	}
	if s := Sum(played(t, s, "maxReplicas=2")); s.Saturated != 7*time.Minute || s.P99 != 190 || s.Scalings != 0 || s.AtMax == 0 || s.OverTarget != 7*time.Minute {
		t.Errorf("of two pods at 190m: %+v", s)
	}
}

// TestModelMeasures as an embedded cluster does: 190m on two pods are 95m each, on four
// 47.5m, which the HPA's client rounds up; a pod that is too young has no value, and one
// that is old enough has one since its start.
func TestModelMeasures(t *testing.T) {
	decisions := recorded([]int64{190})
	head := recording.Header{Virtual: true, Scenario: &recording.Scenario{Name: "web", Timeline: "title: x\nhpa: web\ntarget: web\nload: {segments: [{at: 0s, step: 190m}]}\nmemory: {segments: [{at: 0s, step: 64Mi}]}\n"}}
	for _, start := range []time.Duration{3 * time.Second, 6 * time.Second} {
		s, err := New(head, decisions)
		if err != nil || !s.Scenario() {
			t.Fatal(err)
		}
		s.Startup = Startup{Start: start}
		m := s.modelFrom(decisions[0].Recorded.Input, s.begun())
		in := m.input(decisions[0].Recorded.Input)
		if got := values(in); !slices.Equal(got, []int64{95, 95}) {
			t.Errorf("of two pods %v", got)
		}
		m.resize(4, in)
		in.Now = in.Now.Add(15 * time.Second)
		in = m.input(in)
		got := values(in)
		// Two pods had 95m until the others came, and 47.5m from there on; those have only had that.
		old := int64(math.Ceil((95*start.Seconds() + 47.5*(15-start.Seconds())) / 15))
		wanted := []int64{old, old}
		if 15*time.Second-start >= freshEnough {
			wanted = []int64{48, 48, old, old}
		}
		slices.Sort(got)
		if !slices.Equal(got, wanted) {
			t.Errorf("after a start of %s: %v, want %v", start, got, wanted)
		}
		in.Now = in.Now.Add(15 * time.Second)
		if got := values(m.input(in)); !slices.Equal(got, []int64{48, 48, 48, 48}) {
			t.Errorf("a period later %v", got)
		}
		m.resize(1, in)
		if m.pods[0].object.Name != "web-a" {
			t.Errorf("%s stays, and it was not the first", m.pods[0].object.Name)
		}
	}
}

func values(in hpa.Input) (all []int64) {
	for _, p := range in.Pods {
		if sample, ok := in.Metrics[0].Pods[p.Name]; ok {
			all = append(all, sample.Value)
		}
	}
	return all
}

// TestEveryMistakeIsTold: nothing that was not understood is left out in silence.
func TestEveryMistakeIsTold(t *testing.T) {
	s := study(t, surge()[:4])
	for set, want := range map[string]string{
		"target":                      "이름=값",
		"=3":                          "이름=값",
		"tarjet=70":                   "모르는 이름",
		"maxReplicas=many":            "쓸 수 없는 값",
		"maxReplicas=1":               "API 서버가 받지 않는",
		"maxReplicas={":               "값을 읽을 수 없습니다",
		"minReplicas.x=1":             "필드가 아니라 값",
		"behavior.scaleDown.window=3": "없는 필드",
		"behavior.scaleDown.stabilizationWindowSeconds=99999": "API 서버가 받지 않는",
		"metrics[3].resource.target.averageUtilization=70":    "3번째가 없습니다",
		"metrics[0].resource.target.type=Value":               "바꿔 볼 수 없는",
		"metrics[0].resource.name=memory":                     "바꿔 볼 수 없는",
		"scaleTargetRef.name=other":                           "바꿔 볼 수 없는",
		"horizontal-pod-autoscaler-sync-period=30s":           "동기화 주기",
		"horizontal-pod-autoscaler-nothing=1":                 "모르는 플래그",
		"horizontal-pod-autoscaler-tolerance=much":            "플래그의 값",
		"...=1": "모르는 이름",
	} {
		e, err := ParseEdit([]string{set})
		if err == nil {
			_, err = s.Play(e)
		}
		var bad *SetError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), want) || bad.Hint == "" {
			t.Errorf("%s: %v, want %q", set, err, want)
		}
	}
	if _, err := ParseEdit([]string{"target=1", "target=2"}); err == nil {
		t.Error("one name may be set twice")
	}
}

func TestSweeps(t *testing.T) {
	s, err := ParseSweep("target=40:90:25")
	if err != nil || !slices.Equal(s.Values, []string{"40", "65", "90"}) {
		t.Errorf("%v, %v", s, err)
	}
	all, err := Variants([]string{"maxReplicas=9"}, []Sweep{s, {"minReplicas", []string{"1", "2"}}})
	if err != nil || len(all) != 6 || strings.Join(all[5], " ") != "maxReplicas=9 target=90 minReplicas=2" {
		t.Errorf("%v, %v", all, err)
	}
	for _, bad := range []string{"target", "target=1:2", "target=a:2:1", "target=1:2:0", "target=9:2:1", "target=1:900:1", "=1:2:1"} {
		var set *SetError
		if _, err := ParseSweep(bad); !errors.As(err, &set) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := Variants(nil, []Sweep{{"a", make([]string, 15)}, {"b", make([]string, 15)}}); err == nil {
		t.Error("there may be 225 variants")
	}
}

func TestVerdict(t *testing.T) {
	now := Summary{PodHours: 10, Flips: 1}
	for name, c := range map[string]struct {
		now  Summary
		all  []Summary
		want int
		says string
	}{
		"cheaper and as good":  {now, []Summary{{PodHours: 9}, {PodHours: 8, Flips: 1}, {PodHours: 7, Flips: 2}}, 1, "20%"},
		"cheaper and worse":    {now, []Summary{{PodHours: 5, Saturated: time.Minute}}, -1, "1.0분"},
		"not worth it":         {now, []Summary{{PodHours: 9.6}}, -1, "5%"},
		"short of CPU":         {Summary{PodHours: 10, Saturated: time.Hour}, []Summary{{PodHours: 5, Saturated: time.Hour}, {PodHours: 20}, {PodHours: 15}}, 2, "60.0분에서 0.0분"},
		"metrics would be out": {now, []Summary{{PodHours: 1, Unmeasured: time.Minute}}, -1, ""},
		"nothing":              {now, nil, -1, ""},
	} {
		if got, reason := Verdict(c.now, c.all); got != c.want || !strings.Contains(reason, c.says) || reason == "" {
			t.Errorf("%s: %d, %s", name, got, reason)
		}
	}
}

// BenchmarkDay plays a day of one variant, which is to take a second at most.
func BenchmarkDay(b *testing.B) {
	s, err := New(recording.Header{}, recorded(dayLong()))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		e, err := ParseEdit([]string{"target=70"})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Play(e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHundredVariants plays a day of a hundred, which is to take 20 seconds at most.
func BenchmarkHundredVariants(b *testing.B) {
	s, err := New(recording.Header{}, recorded(dayLong()))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		err := Each(b.Context(), 100, func(n int) error {
			e, err := ParseEdit([]string{fmt.Sprintf("target=%d", 20+n)})
			if err == nil {
				_, err = s.Play(e)
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// dayLong is a day's load.
func dayLong() []int64 {
	load := make([]int64, 24*60*4)
	for i := range load {
		load[i] = 100 + int64(i%1000)
	}
	return load
}
