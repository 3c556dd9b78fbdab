package eks_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/eks"
)

// examine attaches as the account and looks.
func examine(t *testing.T, options eks.Options, needs attached.Needs) attached.Report {
	t.Helper()
	options.Name, options.Region = clusterName, "ap-northeast-2"
	c := eks.New(options)
	if _, err := c.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := c.Examine(t.Context(), needs)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestExamine(t *testing.T) {
	newAccount(t)
	r := examine(t, eks.Options{}, attached.Needs{PodCPU: resource.MustParse("100m")})
	if r.Identity != arn || r.Username != arn || r.Version != nodeInfo.Version || r.Nodes == 0 || r.CPU.IsZero() || r.Memory.IsZero() || r.Room == 0 || r.Skew != 0 {
		t.Errorf("report %+v", r)
	}
	if there, gone := examine(t, eks.Options{}, attached.Needs{Namespace: "default"}), examine(t, eks.Options{}, attached.Needs{Namespace: "gone"}); there.NoNamespace || !gone.NoNamespace {
		t.Errorf("namespaces: %v, %v", there.NoNamespace, gone.NoNamespace)
	}
	if !r.Metrics || r.VPA || !r.Policies || len(r.Denied) > 0 || len(r.DeniedVPA) > 0 || r.NodesDenied || r.PodsDenied {
		t.Errorf("report %+v", r)
	}
}

// TestExamineStudent looks with the eyes of somebody who may read pods only.
func TestExamineStudent(t *testing.T) {
	a := newAccount(t)
	a.user, a.groups = "student", []string{"students"}
	r := examine(t, eks.Options{}, attached.Needs{})
	got, vpa := strings.Join(r.Denied, "; "), strings.Join(r.DeniedVPA, "; ")
	if r.Username != "student" || !slices.Contains(r.Groups, "students") || !r.NodesDenied || !strings.Contains(got, "get,update deployments.apps/scale") || !strings.Contains(got, "create,delete namespaces") {
		t.Errorf("report %+v", r)
	}
	if strings.Contains(got, "resize") || !strings.Contains(vpa, "patch pods/resize") || !strings.Contains(vpa, "list,watch cronjobs.batch") {
		t.Errorf("what the VPA lessons need: %s; and all of them: %s", vpa, got)
	}
	anotherToken()
	if r := examine(t, eks.Options{}, attached.Needs{Namespace: "shop"}); strings.Contains(strings.Join(r.Denied, "; "), "namespaces") {
		t.Errorf("in a namespace that is there, one must be made: %q", r.Denied)
	}
}

// TestFree: what pods on the nodes have requested is taken, and what those did that
// have finished is not.
func TestFree(t *testing.T) {
	newAccount(t)
	needs := attached.Needs{PodCPU: resource.MustParse("1")}
	before := examine(t, eks.Options{}, needs)
	kube := kubernetes.NewForConfigOrDie(node)
	nodes, err := kube.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ns, err := kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "full-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	amount := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2"), corev1.ResourceMemory: resource.MustParse("1Gi")}
	for _, name := range []string{"running", "finished", "waiting"} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{
			NodeName: nodes.Items[0].Name, RestartPolicy: corev1.RestartPolicyNever,
			Containers: []corev1.Container{{Name: "app", Image: "app", Resources: corev1.ResourceRequirements{Requests: amount}}},
		}}
		if name == "waiting" {
			pod.Spec.NodeName, pod.Spec.SchedulerName = "", "nobody"
		}
		if pod, err = kube.CoreV1().Pods(ns.Name).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if name == "finished" {
			finish(t, kube, pod)
		}
	}
	t.Cleanup(func() { _ = kube.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{}) })
	after := examine(t, eks.Options{}, needs)
	cpu, memory := before.FreeCPU, before.FreeMemory
	cpu.Sub(after.FreeCPU)
	memory.Sub(after.FreeMemory)
	if cpu.Cmp(amount[corev1.ResourceCPU]) != 0 || memory.Cmp(amount[corev1.ResourceMemory]) != 0 || before.Room-after.Room != 2 || after.CPU.Cmp(before.CPU) != 0 {
		t.Errorf("taken: CPU %s, memory %s; before %+v, after %+v", cpu.String(), memory.String(), before, after)
	}
}

// finish lets the kubelet run a pod first: it starts what it has not seen.
func finish(t *testing.T, kube kubernetes.Interface, pod *corev1.Pod) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		live, err := kube.CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if live.Status.Phase != corev1.PodRunning {
			continue
		}
		live.Status.Phase = corev1.PodSucceeded
		if _, err := kube.CoreV1().Pods(pod.Namespace).UpdateStatus(t.Context(), live, metav1.UpdateOptions{}); err == nil {
			return
		}
	}
	t.Fatal("the pod does not run")
}

func TestSkew(t *testing.T) {
	newAccount(t)
	for _, off := range []time.Duration{7 * time.Minute, -7 * time.Minute} {
		r := examine(t, eks.Options{Clock: testingclock.NewFakePassiveClock(time.Now().Add(off))}, attached.Needs{})
		if (r.Skew - off).Abs() > 5*time.Second {
			t.Errorf("off by %s, reported as %s", off, r.Skew)
		}
	}
}
