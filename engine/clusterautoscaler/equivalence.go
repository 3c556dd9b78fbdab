package clusterautoscaler

import corev1 "k8s.io/api/core/v1"

// PodGroup are pods that are the same for scheduling, so that one answers for all
// (core/scaleup/equivalence/groups.go PodGroup).
type PodGroup struct {
	Pods []*corev1.Pod
	// Refused are the reasons of the node groups on which they do not fit. Those on which they
	// do are in Fits.
	Refused map[string]*Refusal
	Fits    []string
}

// sample is the pod that is asked for all of them.
func (g *PodGroup) sample() *corev1.Pod { return g.Pods[0] }

// Equivalence sorts the pods that need help into groups: one controller, equal labels, equal
// spec; at most ten kinds for one controller, and pods without a controller on their own
// (core/scaleup/equivalence/groups.go BuildPodGroups). Groups are in the order of their
// first pods; upstream's are in none.
func (u *ScaleUp) Equivalence() {
	known := kinds[*PodGroup]{}
	for _, p := range u.Help {
		if g, ok := known.find(p); ok {
			g.Pods = append(g.Pods, p)
			continue
		}
		g := &PodGroup{Pods: []*corev1.Pod{p}, Refused: map[string]*Refusal{}}
		known.keep(p, g)
		u.Kinds = append(u.Kinds, g)
	}
}
