package embedded_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/engine/trace"
)

// onePod runs a Deployment of one pod with a load, measured twice, and returns the pod.
func onePod(t *testing.T, ns string) *corev1.Pod {
	t.Helper()
	if err := cluster.SetLoad(t.Context(), ns, flat(100)); err != nil {
		t.Fatal(err)
	}
	selector, pods := templateOf("web")
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{Selector: selector, Template: pods}}
	if _, err := client.AppsV1().Deployments(ns).Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	var pod corev1.Pod
	eventually(t, "the pod runs", func(ctx context.Context) bool {
		list, err := client.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{FieldSelector: "status.phase=Running"})
		if err != nil || len(list.Items) == 0 {
			return false
		}
		pod = list.Items[0]
		return true
	})
	for range 2 {
		pass(t)
	}
	return &pod
}

// pass lets 15 seconds pass, with a scrape at their end.
func pass(t *testing.T) {
	t.Helper()
	if err := cluster.Advance(t.Context(), 15*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Scrape(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestDisturbances: what goes wrong is in the API as a real cluster would show it, and
// gets well again.
func TestDisturbances(t *testing.T) {
	ns := newNamespace(t)
	pod := onePod(t, ns)
	disturb := func(what, name string) {
		t.Helper()
		if err := cluster.Disturb(t.Context(), embedded.Disturbance{What: what, Namespace: ns, Pod: pod.Name, Node: name}); err != nil {
			t.Fatal(err)
		}
	}
	stamp := func() (at metav1.Time, err error) {
		m, err := metrics.MetricsV1beta1().PodMetricses(ns).Get(t.Context(), pod.Name, metav1.GetOptions{})
		if err == nil {
			at = m.Timestamp
		}
		return at, err
	}
	t.Run("frozen metrics", func(t *testing.T) {
		before, err := stamp()
		if err != nil {
			t.Fatal(err)
		}
		disturb(trace.EventFreeze, "")
		pass(t)
		pass(t)
		if at, err := stamp(); err != nil || !at.Equal(&before) {
			t.Errorf("frozen at %s, and told of %s (%v)", before, at, err)
		}
		disturb(trace.EventThaw, "")
		pass(t)
		if at, err := stamp(); err != nil || !before.Before(&at) {
			t.Errorf("thawed, and still told of %s (%v)", at, err)
		}
	})
	t.Run("no Metrics Server", func(t *testing.T) {
		disturb(trace.EventAway, "")
		pass(t)
		_, err := stamp()
		if !apierrors.IsServiceUnavailable(err) || !strings.Contains(err.Error(), "currently unable to handle the request") {
			t.Errorf("away: %v", err)
		}
		disturb(trace.EventBack, "")
		if _, err := stamp(); !apierrors.IsNotFound(err) {
			t.Errorf("a new Metrics Server remembers %v", err)
		}
		pass(t)
		pass(t)
		if _, err := stamp(); err != nil {
			t.Errorf("back: %v", err)
		}
	})
	t.Run("a crash", func(t *testing.T) {
		disturb(trace.EventCrash, "")
		after, err := client.CoreV1().Pods(ns).Get(t.Context(), pod.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		cs := after.Status.ContainerStatuses[0]
		if last := cs.LastTerminationState.Terminated; cs.RestartCount != 1 || last == nil || last.ExitCode != 1 || last.Reason != "Error" || cs.State.Running == nil {
			t.Errorf("%+v", cs)
		}
	})
	t.Run("crashes after that", func(t *testing.T) { backsOff(t, ns, pod.Name) })
	t.Run("a node that is not ready", func(t *testing.T) {
		const node = "sim-node-2"
		disturb(trace.EventNotReady, node)
		if got := nodeReady(t, node); got != corev1.ConditionFalse {
			t.Errorf("Ready is %s", got)
		}
		pass(t)
		if got := nodeReady(t, node); got != corev1.ConditionFalse {
			t.Errorf("after a while Ready is %s", got)
		}
		if err := cluster.Release(t.Context(), ns); err != nil { // as at the end of a scenario
			t.Fatal(err)
		}
		if got := nodeReady(t, node); got != corev1.ConditionTrue {
			t.Errorf("after the scenario Ready is %s", got)
		}
	})
	t.Run("a node whose pods are evicted", func(t *testing.T) { evicts(t, ns, pod.Name) })
}

func nodeReady(t *testing.T, name string) corev1.ConditionStatus {
	t.Helper()
	node, err := client.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status
		}
	}
	return ""
}

// evicts: upstream taints a node that is not Ready at once, and its pods go after the five
// minutes that they tolerate, of virtual time; of one that gets well in time they stay.
func evicts(t *testing.T, ns, pod string) {
	get := func() *corev1.Pod {
		t.Helper()
		p, err := client.CoreV1().Pods(ns).Get(t.Context(), pod, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	node := get().Spec.NodeName
	disturb := func(what string, wantTaints int) {
		t.Helper()
		if err := cluster.Disturb(t.Context(), embedded.Disturbance{What: what, Node: node}); err != nil {
			t.Fatal(err)
		}
		n, err := client.CoreV1().Nodes().Get(t.Context(), node, metav1.GetOptions{})
		if err != nil || len(n.Spec.Taints) != wantTaints {
			t.Errorf("%s: %v, %v", what, n.Spec.Taints, err)
		}
	}
	advance := func(d time.Duration) {
		t.Helper()
		if err := cluster.Advance(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	// The gate holds the kubelet, so that a pod that is deleted can be looked at.
	if err := cluster.Hold(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	disturb(trace.EventNotReady, 2) // NoSchedule and NoExecute
	advance(299 * time.Second)
	disturb(trace.EventReady, 0)
	advance(time.Minute)
	if p := get(); p.DeletionTimestamp != nil {
		t.Fatal("it is evicted from a node that got well in time")
	}
	disturb(trace.EventNotReady, 2)
	advance(299 * time.Second)
	if p := get(); p.DeletionTimestamp != nil {
		t.Fatal("it is evicted too early")
	}
	advance(time.Second)
	p := get()
	if p.DeletionTimestamp == nil {
		t.Fatal("it is not evicted after five minutes")
	}
	i := slices.IndexFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.DisruptionTarget })
	if i < 0 || p.Status.Conditions[i].Reason != "DeletionByTaintManager" {
		t.Errorf("it says %+v", p.Status.Conditions)
	}
	if err := cluster.Release(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	if n, err := client.CoreV1().Nodes().Get(t.Context(), node, metav1.GetOptions{}); err != nil || len(n.Spec.Taints) != 0 {
		t.Errorf("after the scenario the node has %v, %v", n.Spec.Taints, err)
	}
}

// backsOff: a container that ends again waits 10 seconds of virtual time, then 20, and is
// not Ready and uses nothing meanwhile; after ten quiet minutes the first back-off is forgotten.
func backsOff(t *testing.T, ns, pod string) {
	ready := func(p *corev1.Pod) bool {
		return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue })
	}
	look := func() (*corev1.Pod, corev1.ContainerStatus) {
		t.Helper()
		p, err := client.CoreV1().Pods(ns).Get(t.Context(), pod, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return p, p.Status.ContainerStatuses[0]
	}
	advance := func(d time.Duration) {
		t.Helper()
		if err := cluster.Advance(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	restarts := int32(1) // of the crash before
	for _, wait := range []time.Duration{10 * time.Second, 20 * time.Second} {
		if err := cluster.Disturb(t.Context(), embedded.Disturbance{What: trace.EventCrash, Namespace: ns, Pod: pod}); err != nil {
			t.Fatal(err)
		}
		p, cs := look()
		if w := cs.State.Waiting; w == nil || w.Reason != "CrashLoopBackOff" || !strings.HasPrefix(w.Message, "back-off "+wait.String()+" restarting failed container=web pod="+pod+"_"+ns+"(") || ready(p) || cs.Ready || cs.RestartCount != restarts {
			t.Errorf("it does not wait %s: %+v", wait, cs)
		}
		advance(wait - time.Second)
		if body, err := cluster.KubeletMetrics(t.Context(), p.Spec.NodeName); err != nil || strings.Contains(body, pod) {
			t.Errorf("its kubelet tells of what does not run (%v): %s", err, body)
		}
		if p, cs := look(); cs.State.Waiting == nil || ready(p) {
			t.Errorf("it has not waited %s: %+v", wait, cs)
		}
		advance(time.Second)
		restarts++
		if p, cs := look(); cs.State.Running == nil || !ready(p) || !cs.Ready || cs.RestartCount != restarts {
			t.Errorf("after %s it does not run: %+v", wait, cs)
		}
	}
	advance(11 * time.Minute)
	if err := cluster.Disturb(t.Context(), embedded.Disturbance{What: trace.EventCrash, Namespace: ns, Pod: pod}); err != nil {
		t.Fatal(err)
	}
	if p, cs := look(); cs.State.Running == nil || !ready(p) || cs.RestartCount != restarts+1 {
		t.Errorf("after ten quiet minutes: %+v", cs)
	}
}
