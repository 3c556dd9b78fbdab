package clusterautoscaler

import (
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// pdbTracker counts what the PodDisruptionBudgets allow still, in the simulations of one
// loop (core/scaledown/pdb/basic.go).
type pdbTracker struct{ budgets []*pdb }

type pdb struct {
	name, namespace string
	selector        labels.Selector
	allowed         int32
}

func newPDBTracker(of []*policyv1.PodDisruptionBudget) (*pdbTracker, error) {
	t := &pdbTracker{}
	for _, b := range of {
		selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err != nil {
			return nil, err
		}
		t.budgets = append(t.budgets, &pdb{b.Name, b.Namespace, selector, b.Status.DisruptionsAllowed})
	}
	return t, nil
}

func (b *pdb) matches(p *corev1.Pod) bool {
	return b.namespace == p.Namespace && b.selector.Matches(labels.Set(p.Labels))
}

func (t *pdbTracker) matching(p *corev1.Pod) (of []*pdb) {
	for _, b := range t.budgets {
		if b.matches(p) {
			of = append(of, b)
		}
	}
	return of
}

// exhausted tells that a budget allows the pod no disruption any more.
func (t *pdbTracker) exhausted(p *corev1.Pod) bool {
	for _, b := range t.matching(p) {
		if b.allowed < 1 {
			return true
		}
	}
	return false
}

// atOnce tells whether all the pods may go at the same time (CanRemovePods, inParallel).
func (t *pdbTracker) atOnce(pods []*corev1.Pod) bool {
	for _, b := range t.budgets {
		if n := b.count(pods); n > 0 && n > b.allowed {
			return false
		}
	}
	return true
}

// spend takes the pods from their budgets (RemovePods).
func (t *pdbTracker) spend(pods []*corev1.Pod) {
	for _, b := range t.budgets {
		b.allowed -= b.count(pods)
	}
}

func (b *pdb) count(pods []*corev1.Pod) (n int32) {
	for _, p := range pods {
		if b.matches(p) {
			n++
		}
	}
	return n
}
