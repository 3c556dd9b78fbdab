package attached

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	enforceLabel = "pod-security.kubernetes.io/enforce"
	restricted   = "restricted"
	vpaCount     = corev1.ResourceName("count/verticalpodautoscalers.autoscaling.k8s.io")
)

// Fence is what keeps those who work in a namespace from the rest of the cluster.
type Fence struct {
	Missing []string // as "ResourceQuota"
	Unseen  []string // the caller may not look
}

// fence looks at the namespace that somebody made for the learner.
func (r *Report) fence(ctx context.Context, kube kubernetes.Interface, needs Needs) error {
	if needs.Namespace == "" || r.NoNamespace {
		return nil
	}
	r.Fence = &Fence{}
	for _, part := range []struct {
		name  string
		there func() (bool, error)
	}{
		{enforceLabel + "=" + restricted, func() (bool, error) {
			ns, err := kube.CoreV1().Namespaces().Get(ctx, needs.Namespace, metav1.GetOptions{})
			return err == nil && ns.Labels[enforceLabel] == restricted, err
		}},
		{"ResourceQuota", func() (bool, error) { return quotaFor(ctx, kube, needs.Namespace, corev1.ResourcePods) }},
		{"ResourceQuota " + string(vpaCount), func() (bool, error) { return quotaFor(ctx, kube, needs.Namespace, vpaCount) }},
		{"LimitRange", func() (bool, error) {
			list, err := kube.CoreV1().LimitRanges(needs.Namespace).List(ctx, metav1.ListOptions{})
			return err == nil && len(list.Items) > 0, err
		}},
		{"NetworkPolicy", func() (bool, error) {
			list, err := kube.NetworkingV1().NetworkPolicies(needs.Namespace).List(ctx, metav1.ListOptions{})
			return err == nil && len(list.Items) > 0, err
		}},
	} {
		there, err := part.there()
		switch {
		case apierrors.IsForbidden(err):
			r.Fence.Unseen = append(r.Fence.Unseen, part.name)
		case err != nil:
			return err
		case !there:
			r.Fence.Missing = append(r.Fence.Missing, part.name)
		}
	}
	return nil
}

// quotaFor tells whether a quota of the namespace limits something.
func quotaFor(ctx context.Context, kube kubernetes.Interface, namespace string, what corev1.ResourceName) (bool, error) {
	list, err := kube.CoreV1().ResourceQuotas(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, err
	}
	for _, q := range list.Items {
		if _, ok := q.Spec.Hard[what]; ok {
			return true, nil
		}
	}
	return false, nil
}
