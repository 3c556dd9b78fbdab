package embedded_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/clusters/embedded"
)

// machine is a node of that many cores, with a zone as nodes of clouds have it.
func machine(name, cores string) *corev1.Node {
	size := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cores), corev1.ResourceMemory: resource.MustParse("8Gi"), corev1.ResourcePods: resource.MustParse("20")}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "arm64", corev1.LabelTopologyZone: "zone-a"}},
		Spec:   corev1.NodeSpec{ProviderID: "sim:///zone-a/" + name, Taints: []corev1.Taint{{Key: "example.com/new", Effect: corev1.TaintEffectNoExecute}}},
		Status: corev1.NodeStatus{Capacity: size, Allocatable: size},
	}
}

func nodeNames(t *testing.T) (names []string) {
	t.Helper()
	list, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range list.Items {
		names = append(names, n.Name)
	}
	return names
}

func taintsOf(t *testing.T, node string) string {
	t.Helper()
	n, err := client.CoreV1().Nodes().Get(t.Context(), node, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, taint := range n.Spec.Taints {
		all = append(all, taint.Key+":"+string(taint.Effect))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// driver is what moves nodes: the cluster, here or behind a socket.
type driver interface {
	SetNodes(ctx context.Context, nodes []*corev1.Node) error
	Join(ctx context.Context, node *corev1.Node) error
	Report(ctx context.Context, node string, ready bool) error
	Leave(ctx context.Context, node string) error
}

// TestNodesComeAndGo: a node joins with upstream's taints, is scraped, takes pods when it is
// Ready, and leaves with them; Release brings back the nodes that the cluster began with.
func TestNodesComeAndGo(t *testing.T) {
	t.Run("here", func(t *testing.T) { nodesComeAndGo(t, cluster) })
	t.Run("over a socket", func(t *testing.T) { nodesComeAndGo(t, attached(t, serve(t))) })
}

func nodesComeAndGo(t *testing.T, d driver) {
	ns := newNamespace(t)
	began := nodeNames(t)
	t.Cleanup(func() {
		if err := cluster.Release(context.Background(), ns); err != nil {
			t.Error(err)
		}
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(d.SetNodes(t.Context(), []*corev1.Node{machine("a", "2")}))
	if got := nodeNames(t); len(got) != 1 || got[0] != "a" {
		t.Fatalf("nodes %v, want a alone", got)
	}
	must(d.Join(t.Context(), machine("b", "4")))
	const joined = "example.com/new:NoExecute node.kubernetes.io/not-ready:NoExecute node.kubernetes.io/not-ready:NoSchedule"
	if got := taintsOf(t, "b"); got != joined {
		t.Errorf("taints %s, want %s", got, joined)
	}
	must(d.Report(t.Context(), "b", true))
	if got := taintsOf(t, "b"); got != "example.com/new:NoExecute" {
		t.Errorf("Ready, and tainted %s", got)
	}
	podsOnNode(t, ns, "b")
	must(cluster.SetLoad(t.Context(), ns, flat(100)))
	pass(t)
	pass(t)
	if m, err := metrics.MetricsV1beta1().NodeMetricses().Get(t.Context(), "b", metav1.GetOptions{}); err != nil || m.Usage.Cpu().MilliValue() < 100 {
		t.Errorf("metrics of the new node: %v, %v", m, err)
	}
	must(d.Leave(t.Context(), "b"))
	if got := nodeNames(t); len(got) != 1 {
		t.Errorf("nodes %v after b has left", got)
	}
	if body, err := cluster.KubeletMetrics(t.Context(), "b"); err == nil {
		t.Errorf("the kubelet of a node that has left answers %s", body)
	}
	left, err := client.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{FieldSelector: "spec.nodeName=b"})
	if err != nil || len(left.Items) > 0 {
		t.Errorf("%d pods are left on a node that has left, %v", len(left.Items), err)
	}
	must(cluster.Release(t.Context(), ns))
	if got := nodeNames(t); !slices.Equal(got, began) {
		t.Errorf("nodes %v after the release, began with %v", got, began)
	}
}

// podsOnNode lets two pods run that tolerate the node's own taint and fit nowhere else.
func podsOnNode(t *testing.T, ns, node string) {
	t.Helper()
	selector, pods := templateOf("web")
	pods.Spec.NodeSelector = map[string]string{corev1.LabelHostname: node}
	pods.Spec.Tolerations = []corev1.Toleration{{Key: "example.com/new", Operator: corev1.TolerationOpExists}}
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(2)), Selector: selector, Template: pods}}
	if _, err := client.AppsV1().Deployments(ns).Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "pods run on "+node, func(ctx context.Context) bool {
		list, err := client.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{FieldSelector: "status.phase=Running,spec.nodeName=" + node})
		return err == nil && len(list.Items) == 2
	})
}

// TestKilledSessionLeavesNoNodes: who is killed before anything was held puts the nodes back.
func TestKilledSessionLeavesNoNodes(t *testing.T) {
	began := nodeNames(t)
	r := attached(t, serve(t))
	if err := r.SetNodes(t.Context(), []*corev1.Node{machine("a", "2")}); err != nil {
		t.Fatal(err)
	}
	if err := r.Disconnect(); err != nil {
		t.Fatal(err)
	}
	if got := nodeNames(t); !slices.Equal(got, began) {
		t.Errorf("nodes %v, began with %v", got, began)
	}
	if err := embedded.New(embedded.Options{}).Join(t.Context(), machine("b", "4")); err == nil {
		t.Error("a node joins a cluster that does not run")
	}
}
