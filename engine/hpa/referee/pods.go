package referee

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	coreinformers "k8s.io/client-go/informers/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// orderedPods gives upstream's lister the order of SetPods. By itself it has none, and
// of several pods without a request the controller would name any.
type orderedPods struct {
	coreinformers.PodInformer
	u *Upstream
}

func (o orderedPods) Lister() corelisters.PodLister {
	return orderedLister{o.PodInformer.Lister(), o.u}
}

type orderedLister struct {
	corelisters.PodLister
	u *Upstream
}

func (o orderedLister) Pods(namespace string) corelisters.PodNamespaceLister {
	return orderedNamespace{o.PodLister.Pods(namespace), o.u}
}

type orderedNamespace struct {
	corelisters.PodNamespaceLister
	u *Upstream
}

func (o orderedNamespace) List(selector labels.Selector) ([]*corev1.Pod, error) {
	pods, err := o.PodNamespaceLister.List(selector)
	o.u.mu.Lock()
	defer o.u.mu.Unlock()
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(o.u.pods[a.Name].at, o.u.pods[b.Name].at) })
	return pods, err
}
