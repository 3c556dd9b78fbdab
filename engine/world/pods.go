package world

import (
	"slices"
	"time"

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
			f.Changes = append(f.Changes, trace.Change{Object: "pod/" + p.Name, Field: "metadata.deletionTimestamp", To: p.DeletionTimestamp.UTC().Format(time.RFC3339)})
		}
	}
	var gone []string
	for uid, was := range known {
		if !live[uid] && !was.Deleting {
			gone = append(gone, was.Name)
		}
	}
	slices.Sort(gone)
	for _, name := range gone {
		f.Changes = append(f.Changes, trace.Change{Object: "pod/" + name, Field: "metadata.name", From: name})
	}
	return created, append(deleted, gone...)
}
