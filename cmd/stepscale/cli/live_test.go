package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/scenarios"
)

// asProgram makes the test binary the program itself.
const asProgram = "STEPSCALE_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(Main())
	}
	os.Exit(m.Run())
}

// managed is a cluster that somebody else runs: time goes by on its own, the nodes
// burn what constant says, and upstream's HPA controller drives.
type managed struct {
	*embedded.Cluster
	config *rest.Config
	kube   kubernetes.Interface
}

func newManaged(t *testing.T, a *app) managed {
	t.Helper()
	dir, err := os.MkdirTemp("", "managed")
	if err != nil {
		t.Fatal(err)
	}
	c := embedded.New(embedded.Options{Dir: dir})
	cfg, err := c.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_ = errors.Join(c.Advance(ctx, 15*time.Second), c.Scrape(ctx))
			time.Sleep(300 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { stop(); <-ended; _ = c.Down(context.Background()); _ = os.RemoveAll(dir) })
	p := hpa.DefaultParams()
	p.SyncPeriod, p.CPUInitializationPeriod = time.Second, 0
	startManaged(t, cfg, p)
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(asProgram, "1") // for the guard
	a.place = place{attach: eks.Options{Context: "stepscale", Kubeconfig: c.Info().Kubeconfig}, image: "app", mode: "drive", yes: true}
	a.pause = func(ctx context.Context, _ time.Duration) error { time.Sleep(time.Second); return ctx.Err() }
	return managed{c, cfg, kube}
}

// load puts a load on the namespace that the app will make, from now on.
func (m managed) load(t *testing.T, namespace string, segments ...string) {
	t.Helper()
	if len(segments) == 0 {
		segments = []string{"{at: 0s, step: 190m}"}
	}
	s, err := scenarios.Parse("scenario.yaml", []byte("title: x\nhpa: web\ntarget: web\nload:\n  segments:\n  - "+strings.Join(segments, "\n  - ")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetLoad(namespace, scenarioLoad{s}); err != nil {
		t.Fatal(err)
	}
}

// TestDrive steps through a scale-up on a cluster whose own HPA controller runs.
func TestDrive(t *testing.T) {
	a := testApp(t)
	m := newManaged(t, a)
	id, err := owner()
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
	frames, err := s.Session().Continue(func(f trace.Frame) bool { return f.Step == "hpa/5-pods/run" && f.Pass == 2 })
	if err != nil {
		t.Fatal(err)
	}
	list, err := m.kube.AutoscalingV2().HorizontalPodAutoscalers(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) > 0 {
		t.Errorf("HPA objects %v, %v", list.Items, err)
	}
	var moved []trace.Frame
	for _, f := range frames {
		if scaled(f) || len(moved) > 0 && f.Pass == moved[0].Pass {
			moved = append(moved, f)
		}
	}
	if len(moved) != 5 {
		t.Fatalf("nothing was scaled in %d frames", len(frames))
	}
	for i, want := range []struct{ actor, what string }{1: {"deployment-controller", "spec.replicas"}, 2: {"replicaset-controller", "created"}, 3: {"scheduler", "bound"}, 4: {"kubelet", "ready"}} {
		if i == 0 {
			continue
		}
		f := moved[i]
		if len(f.Seen) == 0 || f.Seen[0].Actor != want.actor || f.Seen[0].What != want.what || f.Seen[0].After < 0 || f.Seen[0].After > time.Minute {
			t.Errorf("%s: seen %+v", f.Step, f.Seen)
		}
		if len(f.Changes) == 0 || len(f.Waiting) > 0 {
			t.Errorf("%s: changes %v, waiting %v", f.Step, f.Changes, f.Waiting)
		}
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
func second(t *testing.T, m managed, s *clusterStage) {
	t.Helper()
	h := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: "mine"}, Spec: s.given.Spec}
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
	a := testApp(t)
	m := newManaged(t, a)
	a.place.mode = "disarmed"
	const namespace = "shop"
	a.place.namespace = namespace
	if _, err := m.kube.CoreV1().Namespaces().Create(t.Context(), namespaceObject(namespace), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
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

// TestKilled: what a killed process leaves, its guard removes.
func TestKilled(t *testing.T) {
	a := testApp(t)
	m := newManaged(t, a)
	id, err := owner()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.kube.CoreV1().Namespaces().Create(t.Context(), namespaceObject("shop"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", m.Info().Kubeconfig)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, flags := range map[string][]string{
		"stepscale-web-surge-" + id: nil,
		"shop":                      {"--namespace", "shop", "--hpa-mode", "disarmed"},
	} {
		cmd := exec.Command(self, append([]string{"run", "web-surge", "--context", "stepscale", "--image", "app", "--yes"}, flags...)...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		deployed := func(want int) func() bool {
			return func() bool {
				list, err := m.kube.AppsV1().Deployments(name).List(t.Context(), metav1.ListOptions{})
				return err == nil && len(list.Items) == want
			}
		}
		within(t, 30*time.Second, "the lesson begins: "+out.String(), deployed(2))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		within(t, 30*time.Second, "the guard removes everything", deployed(0))
	}
	list, err := m.kube.AutoscalingV2().HorizontalPodAutoscalers("shop").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) > 0 {
		t.Errorf("HPAs %v, %v", list.Items, err)
	}
}

func within(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(limit); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// TestLearnOnManaged plays whole lessons, as a student on a shared cluster does.
func TestLearnOnManaged(t *testing.T) {
	a := testApp(t)
	m := newManaged(t, a)
	id, err := owner()
	if err != nil {
		t.Fatal(err)
	}
	m.load(t, "stepscale-web-surge-"+id)
	// The second lesson is here, while the first one's namespace goes; the load grows for minutes.
	m.load(t, "stepscale-web-surge-"+id+"-2", "{at: 0s, step: 100m}", "{at: 10s, ramp: 1000m, for: 2h}")
	var out, progress bytes.Buffer
	a.out, a.errOut = &out, &progress
	at := a.place
	for _, lesson := range []string{"hpa/01-architecture", "hpa/05-observe"} {
		out.Reset()
		if err := a.learn(t.Context(), lesson, learnOptions{auto: true, place: at}); err != nil {
			t.Fatalf("%s: %v\n%s", lesson, err, out.String())
		}
		for _, want := range []string{"실제 클러스터입니다", "수업을 마쳤습니다"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", lesson, want, out.String())
			}
		}
		if strings.Contains(out.String(), "시뮬레이션]") || strings.Contains(out.String(), "가상 시각") {
			t.Errorf("%s: real steps are labelled as simulated", lesson)
		}
	}
	if strings.Count(progress.String(), "에 씁니다") != 1 {
		t.Errorf("told once that we write: %s", progress.String())
	}
}
