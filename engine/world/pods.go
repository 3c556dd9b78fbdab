package world

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/stepscale/stepscale/engine/trace"
)

// Fingerprint is how a pod looked before an actor moved.
type Fingerprint struct {
	Name     string
	Node     string
	Ready    bool
	Deleting bool
}

// FingerprintOf notes how a pod looks now.
func FingerprintOf(p *corev1.Pod) Fingerprint {
	return Fingerprint{Name: p.Name, Node: p.Spec.NodeName, Ready: IsReady(p), Deleting: p.DeletionTimestamp != nil}
}

// DiffPods compares the pods with how the controller saw them, adds a change
// for each difference and returns the names.
func DiffPods(known map[types.UID]Fingerprint, w Workload, f *trace.Frame) (created, deleted []string) {
	live := map[types.UID]bool{}
	for _, p := range w.Pods {
		live[p.UID] = true
		was, ok := known[p.UID]
		switch {
		case !ok && p.DeletionTimestamp == nil:
			created = append(created, p.Name)
			f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "metadata.name", To: p.Name})
		case ok && p.DeletionTimestamp != nil && !was.Deleting:
			deleted = append(deleted, p.Name)
			f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "metadata.deletionTimestamp", To: "찍힘"})
		}
	}
	var gone []string
	for uid, was := range known {
		if !live[uid] && !was.Deleting {
			gone = append(gone, was.Name)
		}
	}
	addGone(f, gone)
	return created, append(deleted, gone...)
}

// Fingerprints notes how the pods look now.
func Fingerprints(pods []*corev1.Pod) map[types.UID]Fingerprint {
	known := make(map[types.UID]Fingerprint, len(pods))
	for _, p := range pods {
		known[p.UID] = FingerprintOf(p)
	}
	return known
}

// AddBound tells which pods have got a node and how many cannot have one, and counts
// the former.
func AddBound(known map[types.UID]Fingerprint, w Workload, f *trace.Frame) int {
	bound := 0
	for _, p := range w.Active() {
		if p.Spec.NodeName != "" && known[p.UID].Node == "" {
			f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "spec.nodeName", To: p.Spec.NodeName})
			bound++
		}
	}
	f.Add("boundPods", strconv.Itoa(bound), "")
	if _, n := w.Bound(); n > 0 {
		f.Add("unschedulablePods", strconv.Itoa(n), "")
	}
	return bound
}

// AddRun adds a change for each pod that the kubelets have started or ended.
func AddRun(known map[types.UID]Fingerprint, w Workload, f *trace.Frame) {
	for _, p := range startedPods(known, w) {
		f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "status.conditions[Ready]", From: "False", To: "True"})
	}
	var gone []string
	for _, was := range gonePods(known, w) {
		gone = append(gone, was.Name)
	}
	addGone(f, gone)
}

func startedPods(known map[types.UID]Fingerprint, w Workload) []*corev1.Pod {
	return slices.DeleteFunc(w.Active(), func(p *corev1.Pod) bool { return !IsReady(p) || known[p.UID].Ready })
}

func gonePods(known map[types.UID]Fingerprint, w Workload) (gone []Fingerprint) {
	live := Fingerprints(w.Pods)
	for uid, was := range known {
		if _, ok := live[uid]; !ok {
			gone = append(gone, was)
		}
	}
	return gone
}

func addGone(f *trace.Frame, names []string) {
	slices.Sort(names)
	for _, name := range names {
		f.Changes = append(f.Changes, trace.Change{Object: "pod/" + name, Field: "metadata.name", From: name})
	}
}
