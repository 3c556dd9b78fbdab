package lab

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	metricsfake "k8s.io/metrics/pkg/client/clientset/versioned/fake"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/scenarios"
)

const changing = `{title: x, hpa: web, target: web, load: {segments: [
	{at: 0s, step: 100m}, {at: 1m, step: 190m}, {at: 4m, step: 90m}, {at: 10m, ramp: 900m, for: 1h}]}}`

// paced is a real site whose cluster is made of these pods.
func paced(t *testing.T, pods ...*corev1.Pod) (*realSite, *noted) {
	t.Helper()
	scenario, err := scenarios.Parse("scenario.yaml", []byte(changing))
	if err != nil {
		t.Fatal(err)
	}
	waits := &noted{}
	s := &realSite{Stage: &Stage{Options: Options{Scenario: scenario}, begun: time.Now()}, cluster: &Real{Waits: waits}, targetLabels: map[string]string{"app": "web"}}
	s.objects.access.Clock, s.objects.namespace = clock.RealClock{}, "x"
	var objects []runtime.Object
	for _, p := range pods {
		objects = append(objects, p)
	}
	s.objects.kube, s.metrics = fake.NewClientset(objects...), metricsfake.NewSimpleClientset()
	return s, waits
}

// noted waits for nothing, and notes how long it was to be.
type noted struct {
	waited time.Duration
	busy   int
}

func (n *noted) Pause(_ context.Context, d time.Duration) error { n.waited = d; return nil }
func (n *noted) Busy(string) func()                             { n.busy++; return func() {} }

func podOf(app, name string, readyFor time.Duration) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: name, UID: types.UID(name), Labels: map[string]string{"app": app}},
		Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(time.Now().Add(-readyFor))}}}}
}

// TestLoadWaitsForTheLesson: the timeline goes on by a period with every pass, however
// long the learner reads, and the generator's pod is told.
func TestLoadWaitsForTheLesson(t *testing.T) {
	s, waits := paced(t, podOf(loadName, "load-1", time.Hour))
	s.cluster.Holds = true
	s.begun = time.Now().Add(-5 * time.Minute) // who has read for so long
	pods := s.objects.kube.CoreV1().Pods("x")
	for pass, want := range []struct {
		position string
		changes  bool // at the pass after it
		changed  bool
	}{{"15s", false, false}, {"30s", false, false}, {"45s", true, false}, {"1m0s", false, true}, {"1m15s", false, false}} {
		s.pace.changed = time.Time{}
		if err := s.pause(t.Context(), 7*time.Second); err != nil || waits.waited != 7*time.Second {
			t.Fatalf("pass %d waits %s: %v", pass+1, waits.waited, err)
		}
		pod, err := pods.Get(t.Context(), "load-1", metav1.GetOptions{})
		if err != nil || pod.Annotations[annotationPosition] != want.position {
			t.Errorf("pass %d: %v, %v", pass+1, pod.Annotations, err)
		}
		if got := s.loadChanged(); got != want.changes {
			t.Errorf("after pass %d the load changes: %t", pass+1, got)
		}
		if got := time.Until(s.pace.changed) > 0; got != want.changed {
			t.Errorf("pass %d: changed %s", pass+1, s.pace.changed)
		}
	}
	s.pace.looked, s.pace.changed = 20*time.Minute, time.Time{}
	if err := s.pause(t.Context(), 0); err != nil || !s.pace.changed.IsZero() {
		t.Errorf("a load that always changes is waited for: %s, %v", s.pace.changed, err)
	}
	load := s.loadObjects()[1]
	raw, err := json.Marshal(load)
	if err != nil || !containsAll(string(raw), `"--position","/lesson/position"`, `"fieldPath":"metadata.annotations['stepscale.io/load-position']"`, `"mountPath":"/lesson"`) {
		t.Errorf("the generator is %s, %v", raw, err)
	}
}

// TestRunKeepsWallTime: without a lesson the load has a timeline of its own.
func TestRunKeepsWallTime(t *testing.T) {
	s, _ := paced(t, podOf(loadName, "load-1", time.Hour))
	s.begun = time.Now().Add(-50 * time.Second)
	if err := s.pause(t.Context(), 0); err != nil || s.pace.looked < 50*time.Second || !s.loadChanged() {
		t.Errorf("looked at %s: %v", s.pace.looked, err)
	}
	pod, err := s.objects.kube.CoreV1().Pods("x").Get(t.Context(), "load-1", metav1.GetOptions{})
	if err != nil || len(pod.Annotations) > 0 {
		t.Errorf("told %v, %v", pod.Annotations, err)
	}
	raw, err := json.Marshal(s.loadObjects()[1])
	if err != nil || containsAll(string(raw), "position") {
		t.Errorf("the generator is %s, %v", raw, err)
	}
}

func TestLastChange(t *testing.T) {
	s, _ := paced(t)
	const none = -1
	for at, want := range map[time.Duration]time.Duration{
		30 * time.Second: none, time.Minute: 0, 75 * time.Second: 15 * time.Second, 110 * time.Second: none, 4 * time.Minute: 0, 20 * time.Minute: none,
	} {
		got := lastChange(s.Scenario.Offered, at, time.Now())
		if (want == none) != got.IsZero() || want != none && time.Since(got).Round(time.Second) != want {
			t.Errorf("at %s it changed %s ago, want %s", at, time.Since(got), want)
		}
	}
}

// TestUntilMeasured: a look waits until what is measured of every pod that shares the load
// began after the last change.
func TestUntilMeasured(t *testing.T) {
	s, waits := paced(t, podOf("web", "web-1", time.Hour), podOf("web", "web-2", time.Hour), podOf(loadName, "load-1", time.Second))
	asked, settles := 0, map[string]int{} // by pod: how often its old value is still told
	s.metrics.(*metricsfake.Clientset).PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		asked++
		list := &metricsv1beta1.PodMetricsList{}
		for name, old := range settles {
			m := metricsv1beta1.PodMetrics{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: name}, Window: metav1.Duration{Duration: 15 * time.Second}}
			if m.Timestamp.Time = time.Now().Add(time.Hour); asked <= old {
				m.Timestamp.Time = time.Now().Add(5 * time.Second) // began before the change
			}
			list.Items = append(list.Items, m)
		}
		return true, list, nil
	})
	look := func(what string, wantAsked, wantBusy int) {
		t.Helper()
		asked, waits.busy = 0, 0
		if err := s.untilMeasured(t.Context(), 15*time.Second); err != nil || waits.waited != 15*time.Second {
			t.Fatalf("%s: waited %s, %v", what, waits.waited, err)
		}
		if asked != wantAsked || waits.busy != wantBusy {
			t.Errorf("%s: asked %d times, want %d, and showed it %d times, want %d", what, asked, wantAsked, waits.busy, wantBusy)
		}
	}
	pods := s.objects.kube.CoreV1().Pods("x")
	settles = map[string]int{"web-1": 0, "web-2": 2, "load-1": 99}
	s.noteChange(s.begun)
	look("the load has begun", 3, 1)
	look("nothing has changed", 0, 0)

	if _, err := pods.Create(t.Context(), podOf("web", "web-3", 0), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	settles["web-1"], settles["web-2"], settles["web-3"] = 1, 0, 0
	look("a new pod shares the load: the old value of an old one is not added to it", 2, 1)

	if err := pods.Delete(t.Context(), "web-3", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	delete(settles, "web-3")
	settles["web-1"] = 1
	look("a pod has gone", 2, 1)

	s.Loop.Observes = true
	s.noteChange(time.Now().Add(time.Second))
	look("somebody else's controller does not wait", 0, 0)
}

// TestUntilMeasuredByTheClustersClock: where this machine's clock is wrong, a look still
// waits for what began after the change, and not for more.
func TestUntilMeasuredByTheClustersClock(t *testing.T) {
	for _, ahead := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		s, _ := paced(t, podOf("web", "web-1", time.Hour+ahead), podOf("web", "web-2", time.Hour+ahead))
		s.pace.ahead, s.begun = ahead, time.Now().Add(-time.Minute)
		asked, began := 0, []time.Duration{-10 * time.Second, 5 * time.Second} // from now, by the cluster's clock
		s.metrics.(*metricsfake.Clientset).PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
			at := time.Now().Add(15*time.Second - ahead + began[min(asked, len(began)-1)])
			asked++
			list := &metricsv1beta1.PodMetricsList{}
			for _, name := range []string{"web-1", "web-2"} {
				list.Items = append(list.Items, metricsv1beta1.PodMetrics{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: name}, Timestamp: metav1.NewTime(at), Window: metav1.Duration{Duration: 15 * time.Second}})
			}
			return true, list, nil
		})
		for _, change := range []string{"the load has changed", "a pod has gone"} {
			asked = 0
			if err := s.untilMeasured(t.Context(), 0); err != nil || asked != 2 {
				t.Errorf("%s ahead, %s: asked %d times, %v", ahead, change, asked, err)
			}
			_ = s.objects.kube.CoreV1().Pods("x").Delete(t.Context(), "web-2", metav1.DeleteOptions{})
		}
	}
}

func containsAll(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(text, p) })
}
