package cli

import (
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/hpa"
)

// TestClean: labels can be forged, so clean asks, and removes only what is proven to be
// of this installation.
func TestClean(t *testing.T) {
	t.Parallel()
	c := newClassroom(t)
	s, err := c.app.state.Signer()
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{clusters.LabelManaged: "true", clusters.LabelOwner: s.Owner()}
	namespace := func(name string, signed bool) *corev1.Namespace {
		ns := namespaceObject(name)
		ns.Labels = labels
		if signed {
			s.Sign("Namespace", ns)
		}
		return ns
	}
	copied := namespace("stepscale-copied", false)
	copied.Annotations = namespace("stepscale-ours", true).Annotations
	going := namespace("stepscale-going", true)
	going.Spec.Finalizers = []corev1.FinalizerName{"stepscale.io/test"} // nobody takes it off
	for _, ns := range []*corev1.Namespace{namespace("stepscale-ours", true), namespace("stepscale-forged", false), namespace("payroll", false), namespace("unprefixed", true), copied, going, namespaceObject("market")} {
		if _, err := c.kube.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.kube.CoreV1().Namespaces().Delete(t.Context(), going.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.hpas(t, s, labels)
	left := func() string {
		t.Helper()
		list, err := c.kube.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{LabelSelector: clusters.LabelOwner + "=" + s.Owner()})
		hpas, err2 := c.kube.AutoscalingV2().HorizontalPodAutoscalers("market").List(t.Context(), metav1.ListOptions{})
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		var names []string
		for _, ns := range list.Items {
			if ns.DeletionTimestamp == nil {
				names = append(names, ns.Name)
			}
		}
		for _, h := range hpas.Items {
			names = append(names, "hpa/"+h.Name)
		}
		return strings.Join(names, " ")
	}
	before := left()
	out, code := c.run("cluster", "clean", "--context", "stepscale", "-n", "market")
	for _, want := range []string{"--yes", "namespace/stepscale-ours", "horizontalpodautoscaler/ours (market)", "남겨 둠: namespace/stepscale-forged", "남겨 둠: horizontalpodautoscaler/forged (market)"} {
		if code != problem.ExitUsage || !strings.Contains(out, want) {
			t.Errorf("unasked: exit %d, no %q in %s", code, want, out)
		}
	}
	if strings.Contains(out, going.Name) || left() != before {
		t.Errorf("unasked, %s are left of %s: %s", left(), before, out)
	}
	if out, code = c.run("cluster", "clean", "--context", "stepscale", "-n", "market", "--yes"); code != problem.ExitOK || strings.Count(out, "지움") != 2 {
		t.Errorf("exit %d, %s", code, out)
	}
	if got, want := left(), "payroll stepscale-copied stepscale-forged unprefixed hpa/forged"; got != want {
		t.Errorf("left are %s; want %s", got, want)
	}
	if out, code = c.run("cluster", "clean", "--context", "stepscale", "-n", "market", "--yes"); code != problem.ExitOK || !strings.Contains(out, "지울 것이 없습니다") || strings.Contains(out, "지움") {
		t.Errorf("again: exit %d, %s", code, out)
	}

	// Who was killed has lost its pipe, and its lock goes a moment later.
	late := namespace("stepscale-late", true)
	if _, err := c.kube.CoreV1().Namespaces().Create(t.Context(), late, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	lock, free, err := c.app.state.LockNamespace("stepscale", late.Name)
	if err != nil || !free {
		t.Fatal(free, err)
	}
	time.AfterFunc(500*time.Millisecond, func() { _ = lock.Close() })
	if err := lab.Reap(t.Context(), strings.NewReader(`{"Attach":{"Context":"stepscale","Kubeconfig":"`+c.app.kubeconfig+`"}}`+"\n"), c.app.state); err != nil || strings.Contains(left(), late.Name) {
		t.Errorf("the reaper: %v, left are %s", err, left())
	}
}

// hpas are one of ours, disarmed, and one that says it is.
func (c classroom) hpas(t *testing.T, s state.Signer, labels map[string]string) {
	t.Helper()
	for _, name := range []string{"ours", "forged"} {
		h, err := hpa.Disarm(&autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "market", Labels: labels}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, MinReplicas: new(int32(2)), MaxReplicas: 9}})
		if err != nil {
			t.Fatal(err)
		}
		if name == "ours" {
			s.Sign("HorizontalPodAutoscaler", h)
		}
		if _, err := c.kube.AutoscalingV2().HorizontalPodAutoscalers("market").Create(t.Context(), h, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSystemNamespaces: nothing of ours is written to the cluster's own namespaces.
func TestSystemNamespaces(t *testing.T) {
	a := testApp(t)
	for _, name := range []string{"kube-system", "kube-public", "kube-node-lease", "default", "calico-system", "../x", "Shop"} {
		for _, argv := range [][]string{
			{"learn", "hpa", "--context", "x", "-n", name}, {"run", "web-surge", "--context", "x", "--image", "i", "-n", name, "--yes"},
			{"cluster", "clean", "--context", "x", "-n", name}, {"class", "namespace", name, "--user", "kim", "--context", "x"},
		} {
			out, code := a.told("", argv...)
			if code != problem.ExitUsage || !strings.Contains(out, name) || !strings.Contains(out, "네임스페이스") || strings.Contains(out, "컨텍스트가 없습니다") {
				t.Errorf("%q: exit %d, %s", argv, code, out)
			}
		}
	}
}
