package clusterautoscaler

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// autoscaler has upstream's defaults and what change makes of them.
func autoscaler(t testing.TB, change ...func(*Options)) *Autoscaler {
	t.Helper()
	judge, err := NewJudge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions()
	for _, c := range change {
		c(&o)
	}
	return New(o, judge, now)
}

func resources(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory), corev1.ResourcePods: resource.MustParse("110")}
}

// node is Ready and an hour old.
func node(name, cpu, memory string, change ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(now.Add(-time.Hour)), Annotations: map[string]string{},
			Labels: map[string]string{corev1.LabelHostname: name, corev1.LabelArchStable: "amd64", corev1.LabelTopologyZone: "a"}},
		Status: corev1.NodeStatus{Capacity: resources(cpu, memory), Allocatable: resources(cpu, memory),
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
	for _, c := range change {
		c(n)
	}
	return n
}

// pod is an hour old, of the ReplicaSet web, and on no node.
func pod(name, cpu, memory string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", UID: types.UID(name), CreationTimestamp: metav1.NewTime(now.Add(-time.Hour)),
			Labels: map[string]string{"app": "web"}, Annotations: map[string]string{}},
		Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{{Name: "web", Image: "web",
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}}}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning},
	}
	owned("ReplicaSet", "web")(p)
	for _, c := range change {
		c(p)
	}
	return p
}

func owned(kind, name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: name, UID: types.UID(kind + "/" + name), Controller: new(true)}}
	}
}

func bare(p *corev1.Pod) { p.OwnerReferences = nil }

func on(node string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.NodeName = node } }

func note(key, value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Annotations[key] = value }
}

func labelled(key, value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels[key] = value }
}

func priority(n int32) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.Priority = &n } }

func selecting(label, value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{label: value} }
}

// unschedulable is what the scheduler says of a pod; since how long it is there.
func unschedulable(age time.Duration) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.CreationTimestamp = metav1.NewTime(now.Add(-age))
		p.Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable}}}
	}
}

// pending are n pods that wait for a node.
func pending(n int, name, cpu, memory string, change ...func(*corev1.Pod)) (pods []*corev1.Pod) {
	for i := range n {
		pods = append(pods, pod(fmt.Sprintf("%s-%d", name, i), cpu, memory, append([]func(*corev1.Pod){unschedulable(time.Minute)}, change...)...))
	}
	return pods
}

// group has nodes of a size, none of them yet.
func group(name string, least, most int, cpu, memory string) *NodeGroup {
	return &NodeGroup{Name: name, Min: least, Max: most, Template: node(name+"-template", cpu, memory)}
}

// holding is the group with nodes in it.
func (g *NodeGroup) holding(nodes ...string) *NodeGroup {
	g.Nodes, g.Target = nodes, len(nodes)
	return g
}

func selector(labels map[string]string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: labels}
}

func budget(app string, allowed int32) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: app, Namespace: "shop"},
		Spec:       policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}},
		Status:     policyv1.PodDisruptionBudgetStatus{DisruptionsAllowed: allowed},
	}
}

func scaleUp(t testing.TB, a *Autoscaler, c *Cluster) *ScaleUp {
	t.Helper()
	if c.Now.IsZero() {
		c.Now = now
	}
	u := a.ScaleUp(c)
	succeed(t, u.Run(t.Context()))
	return u
}

func succeed(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func scaleDown(t testing.TB, a *Autoscaler, c *Cluster) *ScaleDown {
	t.Helper()
	if c.Now.IsZero() {
		c.Now = now
	}
	d, err := a.ScaleDown(c)
	succeed(t, err)
	succeed(t, d.Run(t.Context()))
	return d
}
