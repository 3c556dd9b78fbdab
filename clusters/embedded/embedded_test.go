package embedded_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	metricsclient "k8s.io/metrics/pkg/client/clientset/versioned"
	"k8s.io/utils/ptr"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/engine/trace"
)

var (
	cluster *embedded.Cluster
	client  kubernetes.Interface
	metrics metricsclient.Interface
)

func TestMain(m *testing.M) {
	if socket := os.Getenv(killedSocket); socket != "" {
		os.Exit(killed(socket))
	}
	if dir := os.Getenv(hangingDir); dir != "" {
		os.Exit(hang(dir))
	}
	if part := os.Getenv(separatePart); part != "" {
		os.Exit(separate(part))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "embedded")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	cluster = embedded.New(embedded.Options{Dir: dir, Progress: func(phase string, took time.Duration) {
		if took > 0 {
			fmt.Printf("%s %s\n", phase, took.Round(time.Millisecond))
		}
	}})
	cfg, err := cluster.Up(context.Background())
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { _ = cluster.Down(context.Background()) }()
	client = kubernetes.NewForConfigOrDie(cfg)
	metrics = metricsclient.NewForConfigOrDie(cfg)
	return m.Run()
}

// flat is a load of the same number of millicores for every pod.
type flat int64

func (f flat) Usage(_ time.Duration, pods []*corev1.Pod, _ time.Time) map[string]map[string]embedded.Usage {
	m := map[string]map[string]embedded.Usage{}
	for _, p := range pods {
		m[p.Name] = map[string]embedded.Usage{}
		for _, c := range p.Spec.Containers {
			m[p.Name][c.Name] = embedded.Usage{CPU: float64(f) / float64(len(p.Spec.Containers))}
		}
	}
	return m
}

func newNamespace(t *testing.T) string {
	t.Helper()
	ns, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cluster.Release(context.Background(), ns.Name)
		_ = client.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{})
	})
	return ns.Name
}

func newDeployment(t *testing.T, ns string, replicas int32) {
	t.Helper()
	labels := map[string]string{"app": "web"}
	_, err := client.AppsV1().Deployments(ns).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To(replicas),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "web", Image: "web",
					Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")}},
				}}},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, cond func(context.Context) bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 10*time.Millisecond, 20*time.Second, true, func(ctx context.Context) (bool, error) { return cond(ctx), nil })
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func readyPods(t *testing.T, ns string) int32 {
	d, err := client.AppsV1().Deployments(ns).Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d.Status.ReadyReplicas
}

func TestMetricsFollowLoadAndVirtualTime(t *testing.T) {
	ns := newNamespace(t)
	newDeployment(t, ns, 2)
	eventually(t, "2 pods ready", func(context.Context) bool { return readyPods(t, ns) == 2 })
	if err := cluster.SetLoad(t.Context(), ns, flat(180)); err != nil {
		t.Fatal(err)
	}
	before := cluster.Now()
	for range 2 {
		if err := cluster.Advance(t.Context(), 15*time.Second); err != nil {
			t.Fatal(err)
		}
		if err := cluster.Scrape(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := cluster.Now().Sub(before); got != 30*time.Second {
		t.Errorf("clock moved by %s, want 30s", got)
	}
	list, err := metrics.MetricsV1beta1().PodMetricses(ns).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 2 {
		t.Fatalf("metrics of %d pods, want 2", len(list.Items))
	}
	for _, p := range list.Items {
		if got := p.Containers[0].Usage.Cpu().MilliValue(); got != 180 {
			t.Errorf("%s uses %dm, want 180m", p.Name, got)
		}
		if !p.Timestamp.Time.Equal(cluster.Now()) {
			t.Errorf("timestamp %s, want the virtual time %s", p.Timestamp, cluster.Now())
		}
		if p.Window.Duration != 15*time.Second {
			t.Errorf("window %s, want 15s", p.Window.Duration)
		}
	}
}

func TestGateHoldsEachActorUntilItsTurn(t *testing.T) {
	ctx := t.Context()
	ns := newNamespace(t)
	newDeployment(t, ns, 2)
	eventually(t, "2 pods ready", func(context.Context) bool { return readyPods(t, ns) == 2 })
	if err := cluster.Hold(ctx, ns); err != nil {
		t.Fatal(err)
	}
	scale, err := client.AppsV1().Deployments(ns).GetScale(ctx, "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	scale.Spec.Replicas = 4
	if _, err := client.AppsV1().Deployments(ns).UpdateScale(ctx, "web", scale, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	waits := func(actor string) {
		t.Helper()
		eventually(t, actor+" waits", func(ctx context.Context) bool {
			held, _ := cluster.Waiting(ctx)
			for _, h := range held {
				if h.Actor == actor {
					return true
				}
			}
			return false
		})
	}
	replicaSet := func() int32 {
		list, err := client.AppsV1().ReplicaSets(ns).List(ctx, metav1.ListOptions{})
		if err != nil || len(list.Items) != 1 {
			t.Fatalf("%v, %d ReplicaSets", err, len(list.Items))
		}
		return *list.Items[0].Spec.Replicas
	}
	pods := func() (total, bound, ready int) {
		list, err := client.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list.Items {
			total++
			if p.Spec.NodeName != "" {
				bound++
			}
			if p.Status.Phase == corev1.PodRunning {
				ready++
			}
		}
		return
	}
	waits(trace.ActorDeployment)
	if got := replicaSet(); got != 2 {
		t.Fatalf("ReplicaSet says %d before the Deployment controller's turn, want 2", got)
	}
	_ = cluster.Open(ctx, trace.ActorDeployment)
	waits(trace.ActorReplicaSet)
	if got := replicaSet(); got != 4 {
		t.Fatalf("ReplicaSet says %d, want 4", got)
	}
	if total, _, _ := pods(); total != 2 {
		t.Fatalf("%d pods before the ReplicaSet controller's turn, want 2", total)
	}
	_ = cluster.Open(ctx, trace.ActorReplicaSet)
	waits(trace.ActorScheduler)
	eventually(t, "4 pods, 2 bound", func(context.Context) bool { total, bound, _ := pods(); return total == 4 && bound == 2 })
	before := cluster.Now()
	_ = cluster.Open(ctx, trace.ActorScheduler)
	if !cluster.Now().After(before) {
		t.Error("starting pods took no virtual time")
	}
	waits(trace.ActorKubelet)
	eventually(t, "4 bound, 2 running", func(context.Context) bool { _, bound, ready := pods(); return bound == 4 && ready == 2 })
	_ = cluster.Open(ctx, trace.ActorKubelet)
	eventually(t, "4 running", func(context.Context) bool { _, _, ready := pods(); return ready == 4 })
	for _, a := range []string{trace.ActorDeployment, trace.ActorReplicaSet, trace.ActorScheduler, trace.ActorKubelet} {
		_ = cluster.Close(ctx, a)
	}
}

func TestNamespaceDeletionLeavesNothing(t *testing.T) {
	ns := newNamespace(t)
	newDeployment(t, ns, 3)
	eventually(t, "3 pods ready", func(context.Context) bool { return readyPods(t, ns) == 3 })
	if err := client.CoreV1().Namespaces().Delete(t.Context(), ns, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "namespace gone", func(ctx context.Context) bool {
		_, err := client.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		return err != nil
	})
}

// TestPodIsDeletedOnce: what the API server notes of a kubelet's DELETE before the pod is
// gone does not make the kubelet delete it again, which a lesson would find at the gate.
func TestPodIsDeletedOnce(t *testing.T) {
	ns := newNamespace(t)
	newDeployment(t, ns, 20)
	eventually(t, "20 pods ready", func(context.Context) bool { return readyPods(t, ns) == 20 })
	if err := client.AppsV1().Deployments(ns).Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	deleted := map[string]int{}
	count := func(ctx context.Context) {
		calls, err := cluster.Calls(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range calls {
			if c.Actor == trace.ActorKubelet && c.Verb == http.MethodDelete && strings.Contains(c.Path, "/"+ns+"/") {
				deleted[c.Path]++
			}
		}
	}
	eventually(t, "no pods", func(ctx context.Context) bool {
		count(ctx)
		list, err := client.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
		return err == nil && len(list.Items) == 0
	})
	newDeployment(t, ns, 1)
	eventually(t, "the kubelets have read what came after", func(context.Context) bool { return readyPods(t, ns) == 1 })
	count(t.Context())
	if len(deleted) != 20 {
		t.Errorf("%d pods were deleted, want 20", len(deleted))
	}
	for path, times := range deleted {
		if times != 1 {
			t.Errorf("%s was deleted %d times", path, times)
		}
	}
}

func TestEveryActorHoldsItsOwnWatches(t *testing.T) {
	watches, err := cluster.Watches(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, w := range watches {
		seen[w.Actor+" "+w.Path] = true
	}
	for _, want := range []string{
		"deployment-controller /apis/apps/v1/deployments", "deployment-controller /apis/apps/v1/replicasets",
		"replicaset-controller /apis/apps/v1/replicasets", "replicaset-controller /api/v1/pods",
		"scheduler /api/v1/pods", "scheduler /api/v1/nodes", "kubelet /api/v1/pods", "metrics-server /api/v1/nodes",
	} {
		if !seen[want] {
			t.Errorf("no watch %q among %v", want, watches)
		}
	}
}
