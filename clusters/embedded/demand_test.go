package embedded_test

import (
	"context"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func templateOf(app string) (*metav1.LabelSelector, corev1.PodTemplateSpec) {
	labels := map[string]string{"app": app}
	return &metav1.LabelSelector{MatchLabels: labels}, corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: app, Image: app}}},
	}
}

// TestControllersOnDemand: what few scenarios need is there when one writes it.
func TestControllersOnDemand(t *testing.T) {
	ns, create := newNamespace(t), metav1.CreateOptions{}
	selector, pods := templateOf("db")
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "db"}, Spec: appsv1.StatefulSetSpec{Replicas: ptr.To[int32](2), Selector: selector, Template: pods}}
	if _, err := client.AppsV1().StatefulSets(ns).Create(t.Context(), set, create); err != nil {
		t.Fatal(err)
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "db"}, Spec: corev1.ServiceSpec{Selector: selector.MatchLabels, Ports: []corev1.ServicePort{{Port: 80}}}}
	if _, err := client.CoreV1().Services(ns).Create(t.Context(), service, create); err != nil {
		t.Fatal(err)
	}
	selector, pods = templateOf("agent")
	if _, err := client.AppsV1().DaemonSets(ns).Create(t.Context(), &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "agent"}, Spec: appsv1.DaemonSetSpec{Selector: selector, Template: pods}}, create); err != nil {
		t.Fatal(err)
	}
	_, pods = templateOf("once")
	pods.Spec.RestartPolicy = corev1.RestartPolicyNever
	if _, err := client.BatchV1().Jobs(ns).Create(t.Context(), &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "once"}, Spec: batchv1.JobSpec{Template: pods}}, create); err != nil {
		t.Fatal(err)
	}
	get := metav1.GetOptions{}
	eventually(t, "the StatefulSet has 2 pods", func(ctx context.Context) bool {
		s, err := client.AppsV1().StatefulSets(ns).Get(ctx, "db", get)
		return err == nil && s.Status.ReadyReplicas == 2
	})
	eventually(t, "every node has a pod of the DaemonSet", func(ctx context.Context) bool {
		d, err := client.AppsV1().DaemonSets(ns).Get(ctx, "agent", get)
		return err == nil && d.Status.NumberReady == 3
	})
	eventually(t, "the Job is done", func(ctx context.Context) bool {
		j, err := client.BatchV1().Jobs(ns).Get(ctx, "once", get)
		return err == nil && j.Status.Succeeded == 1
	})
	eventually(t, "the Service has endpoints", func(ctx context.Context) bool {
		slices, err := client.DiscoveryV1().EndpointSlices(ns).List(ctx, metav1.ListOptions{})
		return err == nil && len(slices.Items) == 1 && len(slices.Items[0].Endpoints) == 2
	})
}

// warm is a load of processes that take their time before they answer a probe.
type warm struct{ flat }

func (warm) Warming(*corev1.Pod) time.Duration { return 25 * time.Second }

// TestProbesTakeVirtualTime: a pod runs, and is ready when its probe has succeeded.
func TestProbesTakeVirtualTime(t *testing.T) {
	ns := newNamespace(t)
	if err := cluster.SetLoad(t.Context(), ns, warm{}); err != nil {
		t.Fatal(err)
	}
	selector, pods := templateOf("web")
	pods.Spec.Containers[0].ReadinessProbe = &corev1.Probe{PeriodSeconds: 10, ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{}}}
	pods.Spec.Containers[0].ReadinessProbe.TCPSocket.Port.IntVal = 80
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{Selector: selector, Template: pods}}
	if _, err := client.AppsV1().Deployments(ns).Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	var started time.Time
	eventually(t, "the pod runs", func(ctx context.Context) bool {
		list, err := client.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{FieldSelector: "status.phase=Running"})
		if err != nil || len(list.Items) == 0 {
			return false
		}
		started = list.Items[0].Status.ContainerStatuses[0].State.Running.StartedAt.Time
		return true
	})
	for _, c := range []struct {
		after time.Duration
		ready corev1.ConditionStatus
	}{{28 * time.Second, corev1.ConditionFalse}, {30 * time.Second, corev1.ConditionTrue}} {
		if err := cluster.Advance(t.Context(), started.Add(c.after).Sub(cluster.Now())); err != nil {
			t.Fatal(err)
		}
		list, err := client.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, cond := range list.Items[0].Status.Conditions {
			if cond.Type != corev1.PodReady && cond.Type != corev1.ContainersReady {
				continue
			}
			if cond.Status != c.ready {
				t.Errorf("%s after its start %s is %s", c.after, cond.Type, cond.Status)
			}
			if c.ready == corev1.ConditionTrue && cond.LastTransitionTime.Sub(started).Round(time.Second) != 30*time.Second {
				t.Errorf("%s since %s", cond.Type, cond.LastTransitionTime.Sub(started))
			}
		}
	}
}
