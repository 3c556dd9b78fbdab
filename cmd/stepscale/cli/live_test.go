package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
)

// TestDrive steps through a scale-up on a cluster whose own HPA controller runs.
func TestDrive(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	id, err := owner(a)
	if err != nil {
		t.Fatal(err)
	}
	namespace := "stepscale-web-surge-" + id
	m.load(t, namespace)
	s, closeStage, err := a.openStage(t.Context(), "hpa", "web-surge", silent{})
	if err != nil {
		t.Fatal(err)
	}
	st := s.(*clusterStage)
	moved := scaleUp(t, s)
	list, err := m.kube.AutoscalingV2().HorizontalPodAutoscalers(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) > 0 {
		t.Errorf("HPA objects %v, %v", list.Items, err)
	}
	if status, _ := moved[0].Fact("desiredStatus"); !strings.Contains(status, "desiredReplicas") {
		t.Errorf("facts %+v", moved[0].Facts)
	}
	for _, l := range s.Info().Kubectl {
		if strings.Contains(l, "hpa") {
			t.Errorf("there is no HPA to see, and the learner is told: %s", l)
		}
	}
	second(t, m, st)
	if err := closeStage(); err != nil {
		t.Fatal(err)
	}
	ns, err := m.kube.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{})
	if err == nil && ns.DeletionTimestamp == nil || err != nil && !apierrors.IsNotFound(err) {
		t.Errorf("namespace %+v, %v", ns, err)
	}
}

// second puts a live HPA on the same Deployment, and the loop stops.
func second(t *testing.T, m liveCluster, s *clusterStage) {
	t.Helper()
	h := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: "mine"}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, MinReplicas: new(int32(2)), MaxReplicas: 10}}
	if _, err := m.kube.AutoscalingV2().HorizontalPodAutoscalers(s.namespace).Create(t.Context(), h, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := s.session.Continue(func(f trace.Frame) bool { return f.Step == hpa.UpdateStep })
	if !errors.Is(err, hpa.ErrSecondEngine) || !strings.Contains(err.Error(), "/mine") {
		t.Errorf("a second engine: %v", err)
	}
}

// TestDisarmed proves that upstream's controller does not move a disarmed HPA's
// target, and moves it as soon as it is armed again.
func TestDisarmed(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	a.target.mode = "disarmed"
	namespace := m.shop(t, a)
	m.load(t, namespace)
	s, closeStage, err := a.openStage(t.Context(), "hpa", "web-surge", silent{})
	if err != nil {
		t.Fatal(err)
	}
	hpas := m.kube.AutoscalingV2().HorizontalPodAutoscalers(namespace)
	replicas := func() int32 {
		scale, err := m.kube.AppsV1().Deployments(namespace).GetScale(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return scale.Spec.Replicas
	}
	for range 5 { // the managed controller looks every second
		time.Sleep(time.Second)
	}
	seen, err := hpas.Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil || len(seen.Status.Conditions) == 0 || seen.Labels[clusters.LabelManaged] != "true" {
		t.Fatalf("the managed controller has not looked: %+v, %v", seen, err)
	}
	if got := replicas(); got != 2 {
		t.Errorf("the managed controller scaled to %d", got)
	}
	f, err := s.Session().Continue(func(f trace.Frame) bool { return scaled(f) || f.Pass == 3 })
	if err != nil || !scaled(f[len(f)-1]) {
		t.Fatalf("ours did not scale: %v", err)
	}
	ours := replicas()
	time.Sleep(3 * time.Second)
	if got := replicas(); got != ours || got <= 2 {
		t.Errorf("ours scaled to %d, then it was %d", ours, got)
	}
	if err := closeStage(); err != nil {
		t.Fatal(err)
	}
	if _, err := hpas.Get(t.Context(), "web", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the HPA is left behind: %v", err)
	}
	if _, err := m.kube.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
		t.Errorf("the namespace was somebody else's: %v", err)
	}
}

func namespaceObject(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// TestKilled: what a killed process leaves, its reaper removes.
func TestKilled(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	id, err := owner(a)
	if err != nil {
		t.Fatal(err)
	}
	shop := m.shop(t, a)
	for name, flags := range map[string][]string{
		"stepscale-web-surge-" + id: nil,
		shop:                        {"--namespace", shop, "--hpa-mode", "disarmed"},
	} {
		cmd := a.program(t, append([]string{"run", "web-surge", "--context", "stepscale", "--image", "app", "--yes"}, flags...)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		deployed := func(want int) func() bool {
			return func() bool {
				list, err := m.kube.AppsV1().Deployments(name).List(t.Context(), metav1.ListOptions{})
				return err == nil && len(list.Items) == want
			}
		}
		within(t, 30*time.Second, "the lesson begins", deployed(2))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		within(t, 30*time.Second, "the reaper removes everything", deployed(0))
	}
	list, err := m.kube.AutoscalingV2().HorizontalPodAutoscalers(shop).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) > 0 {
		t.Errorf("HPAs %v, %v", list.Items, err)
	}
}

// TestLearnOnManaged plays whole lessons, as a student on a shared cluster does.
func TestLearnOnManaged(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	id, err := owner(a)
	if err != nil {
		t.Fatal(err)
	}
	m.load(t, "stepscale-web-surge-"+id)
	// The second lesson is here, while the first one's namespace goes; the load grows for minutes.
	m.load(t, "stepscale-web-surge-"+id+"-2", "{at: 0s, step: 100m}", "{at: 10s, ramp: 1000m, for: 2h}")
	var out, progress bytes.Buffer
	a.out, a.errOut = &out, &progress
	at := a.target
	for _, lesson := range []string{"hpa/01-architecture", "hpa/05-observe"} {
		out.Reset()
		if err := a.learn(t.Context(), lesson, learnOptions{auto: true, target: at}); err != nil {
			t.Fatalf("%s: %v\n%s", lesson, err, out.String())
		}
		for _, want := range []string{"실제 클러스터입니다", "부하는 수업을 기다립니다", "수업을 마쳤습니다"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", lesson, want, out.String())
			}
		}
		if strings.Contains(out.String(), "시뮬레이션]") || strings.Contains(out.String(), "가상 시각") {
			t.Errorf("%s: real steps are labelled as simulated", lesson)
		}
	}
	if asked := strings.Split(progress.String(), "에 씁니다"); len(asked) != 3 || strings.Contains(asked[1], "HorizontalPodAutoscaler/web") || !strings.Contains(asked[2], "HorizontalPodAutoscaler/web") {
		t.Errorf("told once that we write, and once more of the HPA that the second lesson makes: %s", progress.String())
	}
	progress.Reset()
	if err := a.learn(t.Context(), "hpa", learnOptions{auto: true, lessons: twoLessons(t), target: at}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(progress.String(), "에 씁니다"); n != 1 {
		t.Errorf("told %d times in one command that the same is written: %s", n, progress.String())
	}
}

// twoLessons is a folder of lessons that write the same.
func twoLessons(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, id := range []string{"hpa/01-a", "hpa/02-b"} {
		text := "---\ntitle: 수업\nloop: hpa-architecture\nscenario: web-surge\n---\n```step hpa-architecture/1-replicaset\n파드의 주인을 봅니다.\n```\n"
		if err := os.MkdirAll(filepath.Join(dir, id), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, id, "lesson.md"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
