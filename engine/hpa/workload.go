package hpa

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// revisionAnnotation is written by the Deployment controller (deploymentutil.RevisionAnnotation).
const revisionAnnotation = "deployment.kubernetes.io/revision"

// workload is the scale target with what hangs on it. A target that is no
// Deployment has pods only.
type workload struct {
	deployment  *appsv1.Deployment
	replicaSets []*appsv1.ReplicaSet // newest revision first
	pods        []*corev1.Pod
}

// workload reads the scale target of this pass, unrecorded.
func (s *State) workload(ctx context.Context) (workload, error) {
	ref := s.pass.hpa.Spec.ScaleTargetRef
	if ref.Kind == "Deployment" {
		return readDeployment(ctx, s.observer(), s.Namespace, ref.Name)
	}
	var w workload
	if s.pass.scale == nil || s.pass.scale.Status.Selector == "" {
		return w, nil
	}
	list, err := s.observer().Kube.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: s.pass.scale.Status.Selector})
	if err != nil {
		return w, err
	}
	for i := range list.Items {
		w.pods = append(w.pods, &list.Items[i])
	}
	return w, nil
}

// readDeployment reads a Deployment, its ReplicaSets and their pods.
func readDeployment(ctx context.Context, c Clients, namespace, name string) (workload, error) {
	var w workload
	d, err := c.Kube.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return w, err
	}
	w.deployment = d
	selector := metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector)}
	sets, err := c.Kube.AppsV1().ReplicaSets(namespace).List(ctx, selector)
	if err != nil {
		return w, err
	}
	owners := map[types.UID]bool{}
	for i := range sets.Items {
		if rs := &sets.Items[i]; metav1.IsControlledBy(rs, d) {
			w.replicaSets = append(w.replicaSets, rs)
			owners[rs.UID] = true
		}
	}
	sortByRevision(w.replicaSets)
	pods, err := c.Kube.CoreV1().Pods(namespace).List(ctx, selector)
	if err != nil {
		return w, err
	}
	for i := range pods.Items {
		if owner := metav1.GetControllerOf(&pods.Items[i]); owner != nil && owners[owner.UID] {
			w.pods = append(w.pods, &pods.Items[i])
		}
	}
	return w, nil
}

// sortByRevision puts the newest ReplicaSet first.
func sortByRevision(sets []*appsv1.ReplicaSet) {
	revision := func(rs *appsv1.ReplicaSet) int {
		n, _ := strconv.Atoi(rs.Annotations[revisionAnnotation]) // 0 when it has none yet
		return n
	}
	sort.SliceStable(sets, func(i, j int) bool { return revision(sets[i]) > revision(sets[j]) })
}

func replicasOf(rs *appsv1.ReplicaSet) int32 {
	if rs.Spec.Replicas == nil {
		return 1
	}
	return *rs.Spec.Replicas
}

// replicas is the number that the Deployment asks for.
func (w workload) replicas() int32 {
	if w.deployment.Spec.Replicas == nil {
		return 1
	}
	return *w.deployment.Spec.Replicas
}

func (w workload) newest() *appsv1.ReplicaSet {
	if len(w.replicaSets) == 0 {
		return nil
	}
	return w.replicaSets[0]
}

// rolling reports a rolling update in progress: more than one ReplicaSet has pods.
func (w workload) rolling() bool {
	sets := 0
	for _, rs := range w.replicaSets {
		if replicasOf(rs) > 0 || rs.Status.Replicas > 0 {
			sets++
		}
	}
	return sets > 1
}

// wanted is the number of pods that the ReplicaSets ask for.
func (w workload) wanted(fallback int32) int {
	if w.deployment == nil {
		return int(fallback)
	}
	var sum int32
	for _, rs := range w.replicaSets {
		sum += replicasOf(rs)
	}
	return int(sum)
}

// active are the pods that count as replicas, as upstream's FilterActivePods.
func (w workload) active() []*corev1.Pod {
	var pods []*corev1.Pod
	for _, p := range w.pods {
		if p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			pods = append(pods, p)
		}
	}
	return pods
}

func (w workload) terminating() int {
	n := 0
	for _, p := range w.pods {
		if p.DeletionTimestamp != nil {
			n++
		}
	}
	return n
}

// bound counts the active pods on a node, and those that the scheduler gave up on.
func (w workload) bound() (bound, unschedulable int) {
	for _, p := range w.active() {
		switch {
		case p.Spec.NodeName != "":
			bound++
		case isUnschedulable(p):
			unschedulable++
		}
	}
	return bound, unschedulable
}

func isUnschedulable(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled {
			return c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable
		}
	}
	return false
}

func (w workload) ready() int {
	n := 0
	for _, p := range w.active() {
		if isReady(p) {
			n++
		}
	}
	return n
}

// reported reports whether the status of the Deployment has caught up with
// its pods.
func (w workload) reported() bool {
	d := w.deployment
	if d == nil {
		return true
	}
	return d.Status.ObservedGeneration >= d.Generation && int(d.Status.ReadyReplicas) == w.ready() &&
		int(d.Status.Replicas) == len(w.active())
}

func objectName(kind, name string) string {
	return fmt.Sprintf("%s/%s", strings.ToLower(kind), name)
}
