package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

// RevisionAnnotation is written by the Deployment controller (deploymentutil.RevisionAnnotation).
const RevisionAnnotation = "deployment.kubernetes.io/revision"

// Workload is the scale target with what hangs on it. A target that is no
// Deployment has pods only.
type Workload struct {
	Deployment  *appsv1.Deployment
	ReplicaSets []*appsv1.ReplicaSet // newest revision first
	Pods        []*corev1.Pod
}

// Workload reads a Deployment with what hangs on it, unrecorded.
func (w *World) Workload(ctx context.Context, name string) (Workload, error) {
	return Keep(ctx, w, "deployment/"+name, func() (Workload, error) {
		return w.read(ctx, w.AsObserver(), name)
	})
}

// ReadDeployment reads a Deployment, its ReplicaSets and their pods.
func ReadDeployment(ctx context.Context, c Clients, namespace, name string) (Workload, error) {
	w := World{Namespace: namespace} // where nobody tells what is the newest
	return w.read(ctx, c, name)
}

func (w *World) read(ctx context.Context, c Clients, name string) (found Workload, err error) {
	d, err := c.Kube.AppsV1().Deployments(w.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return found, err
	}
	found.Deployment = d
	selector := metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector)}
	of, err := w.Fresh(ctx, "replicasets", selector)
	if err != nil {
		return found, err
	}
	sets, err := c.Kube.AppsV1().ReplicaSets(w.Namespace).List(ctx, of)
	if err != nil {
		return found, err
	}
	owners := map[types.UID]bool{}
	for i := range sets.Items {
		if rs := &sets.Items[i]; metav1.IsControlledBy(rs, d) {
			found.ReplicaSets = append(found.ReplicaSets, rs)
			owners[rs.UID] = true
		}
	}
	sortByRevision(found.ReplicaSets)
	if of, err = w.Fresh(ctx, "pods", selector); err != nil {
		return found, err
	}
	pods, err := c.Kube.CoreV1().Pods(w.Namespace).List(ctx, of)
	if err != nil {
		return found, err
	}
	for i := range pods.Items {
		if owner := metav1.GetControllerOf(&pods.Items[i]); owner != nil && owners[owner.UID] {
			found.Pods = append(found.Pods, &pods.Items[i])
		}
	}
	return found, nil
}

// sortByRevision puts the newest ReplicaSet first.
func sortByRevision(sets []*appsv1.ReplicaSet) {
	revision := func(rs *appsv1.ReplicaSet) int {
		n, _ := strconv.Atoi(rs.Annotations[RevisionAnnotation]) // 0 when it has none yet
		return n
	}
	sort.SliceStable(sets, func(i, j int) bool { return revision(sets[i]) > revision(sets[j]) })
}

func ReplicasOf(rs *appsv1.ReplicaSet) int32 {
	if rs.Spec.Replicas == nil {
		return 1
	}
	return *rs.Spec.Replicas
}

// Replicas is the number that the Deployment asks for.
func (w Workload) Replicas() int32 {
	if w.Deployment.Spec.Replicas == nil {
		return 1
	}
	return *w.Deployment.Spec.Replicas
}

func (w Workload) Newest() *appsv1.ReplicaSet {
	if len(w.ReplicaSets) == 0 {
		return nil
	}
	return w.ReplicaSets[0]
}

// Rolling reports a rolling update in progress: more than one ReplicaSet has pods.
func (w Workload) Rolling() bool {
	sets := 0
	for _, rs := range w.ReplicaSets {
		if ReplicasOf(rs) > 0 || rs.Status.Replicas > 0 {
			sets++
		}
	}
	return sets > 1
}

// Wanted is the number of pods that the ReplicaSets ask for.
func (w Workload) Wanted(fallback int32) int {
	if w.Deployment == nil {
		return int(fallback)
	}
	var sum int32
	for _, rs := range w.ReplicaSets {
		sum += ReplicasOf(rs)
	}
	return int(sum)
}

// Active are the pods that count as replicas, as upstream's FilterActivePods.
func (w Workload) Active() []*corev1.Pod {
	var pods []*corev1.Pod
	for _, p := range w.Pods {
		if p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			pods = append(pods, p)
		}
	}
	return pods
}

func (w Workload) Terminating() int {
	n := 0
	for _, p := range w.Pods {
		if p.DeletionTimestamp != nil {
			n++
		}
	}
	return n
}

// Bound counts the active pods on a node, and those that the scheduler gave up on.
func (w Workload) Bound() (bound, unschedulable int) {
	for _, p := range w.Active() {
		if p.Spec.NodeName != "" {
			bound++
		} else if _, is := Unschedulable(p); is {
			unschedulable++
		}
	}
	return bound, unschedulable
}

// Unschedulable tells that the scheduler has found no node for a pod, and why.
func Unschedulable(p *corev1.Pod) (why string, is bool) {
	_, c := podutil.GetPodCondition(&p.Status, corev1.PodScheduled)
	if c == nil || c.Status != corev1.ConditionFalse || c.Reason != corev1.PodReasonUnschedulable {
		return "", false
	}
	return c.Message, true
}

// Placed reports whether the scheduler has nothing left to do for the pods.
func (w Workload) Placed() bool {
	bound, unschedulable := w.Bound()
	return bound+unschedulable == len(w.Active())
}

// Settled reports whether the kubelets have nothing left to do for the pods.
func (w Workload) Settled() bool {
	bound, _ := w.Bound()
	return w.Ready() == bound && w.Terminating() == 0
}

// Started is Settled for kubelets whose probes take time that a step does not let pass:
// a pod that runs and has not been found ready yet is none of their work any more.
func (w Workload) Started() bool {
	bound, _ := w.Bound()
	asked := 0
	for _, p := range w.Active() {
		if Asked(p) {
			asked++
		}
	}
	return w.Ready()+asked == bound && w.Terminating() == 0
}

// Asked tells that a pod runs and is not ready before its probes have succeeded.
func Asked(p *corev1.Pod) bool {
	probed := func(c corev1.Container) bool { return c.ReadinessProbe != nil || c.StartupProbe != nil }
	return p.Status.Phase == corev1.PodRunning && !IsReady(p) &&
		(slices.ContainsFunc(p.Spec.Containers, probed) || slices.ContainsFunc(p.Spec.InitContainers, probed))
}

func (w Workload) Ready() int {
	n := 0
	for _, p := range w.Active() {
		if IsReady(p) {
			n++
		}
	}
	return n
}

// Reported reports whether the status of the Deployment has caught up with
// its pods.
func (w Workload) Reported() bool {
	d := w.Deployment
	if d == nil {
		return true
	}
	return d.Status.ObservedGeneration >= d.Generation && int(d.Status.ReadyReplicas) == w.Ready() &&
		int(d.Status.Replicas) == len(w.Active())
}

// Failure is why a ReplicaSet cannot create pods, a quota for example; empty when all
// can (replicaset/replica_set_utils.go, ReplicaFailure).
func (w Workload) Failure() string {
	for _, rs := range w.ReplicaSets {
		if rs.Status.ObservedGeneration < rs.Generation { // what it says is of the spec before
			continue
		}
		for _, c := range rs.Status.Conditions {
			if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue {
				return c.Message
			}
		}
	}
	return ""
}

// Find returns the replicas of one of the ReplicaSets.
func (w Workload) Find(uid types.UID) (int32, bool) {
	for _, rs := range w.ReplicaSets {
		if rs.UID == uid {
			return ReplicasOf(rs), true
		}
	}
	return 0, false
}

// ObjectName is how frames name an object: "deployment/web".
func ObjectName(kind, name string) string {
	return fmt.Sprintf("%s/%s", strings.ToLower(kind), name)
}

func IsReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// RollOutAsides are what the actors write while a Deployment is rolled out in one step.
var RollOutAsides = []engine.Aside{
	{Actor: trace.ActorDeployment, Write: "POST replicasets"},
	{Actor: trace.ActorDeployment, Write: "PUT replicasets"},
	{Actor: trace.ActorReplicaSet, Write: "POST pods"},
	{Actor: trace.ActorReplicaSet, Write: "DELETE pods"},
	{Actor: trace.ActorScheduler, Write: "POST pods/binding"},
	{Actor: trace.ActorKubelet, Write: "DELETE pods"},
}

// RollOut lets every actor move until the Deployment is as its spec says.
func (w *World) RollOut(ctx context.Context, before Workload) (after Workload, err error) {
	shut, err := w.OpenAll(ctx)
	if err != nil {
		return after, err
	}
	defer func() { err = errors.Join(err, shut()) }()
	name := before.Deployment.Name
	var stand blocked
	err = w.Poll(ctx, w.timeout(), func(ctx context.Context) (bool, error) {
		after, err = w.Workload(ctx, name)
		if err != nil || after.rolledOut() || w.Simulation != nil {
			return err == nil && after.rolledOut(), err
		}
		return false, stand.look(after, w.Clock.Now())
	})
	if errors.Is(err, ErrStuck) {
		return after, w.Stuck(trace.ActorDeployment, "디플로이먼트 "+name+"의 변경이 모든 파드에 적용되는 것",
			fmt.Sprintf("파드 %d개 중 %d개가 Ready입니다", len(after.Active()), after.Ready()))
	}
	return after, err
}

// rolledOut reports whether all pods are the new template's, ready, and no
// other pod is left.
func (w Workload) rolledOut() bool {
	d, want := w.Deployment, w.Replicas()
	return d.Status.ObservedGeneration >= d.Generation && d.Status.UpdatedReplicas == want &&
		d.Status.AvailableReplicas == want && d.Status.Replicas == want &&
		w.Ready() == int(want) && len(w.Active()) == int(want) && w.Terminating() == 0
}
