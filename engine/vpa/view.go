package vpa

import (
	"context"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	vpainformers "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/client/informers/externalversions"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/target"
	controllerfetcher "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/target/controller_fetcher"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/stepscale/stepscale/engine/world"
)

// view is what a component sees of the API: informers, as upstream's binaries
// have them, in the lesson's namespace only (--vpa-object-namespace).
type view struct {
	clients
	workloads   informers.SharedInformerFactory
	pods        informers.SharedInformerFactory
	vpas        vpainformers.SharedInformerFactory
	selectors   target.VpaTargetSelectorFetcher
	controllers controllerfetcher.ControllerFetcher
	podFields   string // the field selector with which the component watches pods; empty: it does not

	done chan struct{}
	once sync.Once
}

// newView prepares the informers; start runs them.
func newView(cfg *rest.Config, namespace, podFields string) (*view, error) {
	c, err := newClients(cfg)
	if err != nil {
		return nil, err
	}
	v := &view{
		clients: c, podFields: podFields, done: make(chan struct{}),
		workloads: informers.NewSharedInformerFactoryWithOptions(c.kube, 0, informers.WithNamespace(namespace)),
		pods: informers.NewSharedInformerFactoryWithOptions(c.kube, 0, informers.WithNamespace(namespace),
			informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.FieldSelector = podFields })),
		vpas: vpainformers.NewSharedInformerFactoryWithOptions(c.vpa, 0, vpainformers.WithNamespace(namespace)),
	}
	if podFields != "" {
		v.pods.Core().V1().Pods().Informer()
	}
	err = v.vpas.Autoscaling().V1().VerticalPodAutoscalers().Informer().AddIndexers(cache.Indexers{vpautil.TargetRefIndex: vpautil.TargetRefIndexFunc})
	v.selectors = target.NewVpaTargetSelectorFetcher(c.config, c.kube, v.workloads, v.done)
	v.controllers = controllerfetcher.NewControllerFetcher(c.config, c.kube, v.workloads, 0, 0, 0, v.done)
	return v, err
}

func (v *view) start(ctx context.Context) error {
	v.workloads.Start(v.done)
	v.pods.Start(v.done)
	v.vpas.Start(v.done)
	ctx, cancel := context.WithTimeout(ctx, startTimeout) // an informer that may not watch tries for ever
	defer cancel()
	err := errors.Join(
		v.workloads.WaitForCacheSyncWithContext(ctx).AsError(),
		v.pods.WaitForCacheSyncWithContext(ctx).AsError(),
		v.vpas.WaitForCacheSyncWithContext(ctx).AsError(),
	)
	if err != nil {
		return fmt.Errorf("VPA의 컴포넌트가 %s 안에 watch를 열지 못했습니다. API 서버의 상태와 권한을 확인하십시오: %w", startTimeout, err)
	}
	return nil
}

func (v *view) stop() { v.once.Do(func() { close(v.done) }) }

// sync waits until the informers have seen what the API server holds now. In a
// cluster the loops are a minute apart and a stale cache heals by itself; a
// step must show what the step before it wrote.
func (v *view) sync(ctx context.Context, w *world.World, observer clients) error {
	err := w.Poll(ctx, startTimeout, func(ctx context.Context) (bool, error) {
		of, err := w.Fresh(ctx, "pods", metav1.ListOptions{FieldSelector: v.podFields})
		if err != nil {
			return false, err
		}
		pods, err := observer.kube.CoreV1().Pods(w.Namespace).List(ctx, of)
		if err != nil {
			return false, err
		}
		if of, err = w.Fresh(ctx, "verticalpodautoscalers", metav1.ListOptions{}); err != nil {
			return false, err
		}
		vpas, err := observer.vpa.AutoscalingV1().VerticalPodAutoscalers(w.Namespace).List(ctx, of)
		if err != nil {
			return false, err
		}
		if of, err = w.Fresh(ctx, "replicasets", metav1.ListOptions{}); err != nil {
			return false, err
		}
		sets, err := observer.kube.AppsV1().ReplicaSets(w.Namespace).List(ctx, of)
		if err != nil {
			return false, err
		}
		return (v.podFields == "" || current(v.pods.Core().V1().Pods().Informer(), pods)) &&
			current(v.vpas.Autoscaling().V1().VerticalPodAutoscalers().Informer(), vpas) &&
			current(v.workloads.Apps().V1().ReplicaSets().Informer(), sets), nil
	})
	if errors.Is(err, world.ErrStuck) {
		return fmt.Errorf("%w: 컴포넌트의 캐시가 API 서버를 따라오지 못했습니다", err)
	}
	return err
}

// current compares the cache with a list, by resource versions.
func current(informer cache.SharedIndexInformer, list runtime.Object) bool {
	n := 0
	err := meta.EachListItem(list, func(o runtime.Object) error {
		n++
		live, err := meta.Accessor(o)
		if err != nil {
			return err
		}
		cached, ok, err := informer.GetStore().GetByKey(live.GetNamespace() + "/" + live.GetName())
		if err != nil || !ok {
			return errStale
		}
		if c, err := meta.Accessor(cached); err != nil || c.GetResourceVersion() != live.GetResourceVersion() {
			return errStale
		}
		return nil
	})
	return err == nil && n == len(informer.GetStore().ListKeys())
}

var errStale = errors.New("stale")

// livePods are the pods of the namespace that are not being deleted.
func (v *view) livePods() ([]*corev1.Pod, error) {
	list, err := v.pods.Core().V1().Pods().Lister().List(labels.Everything())
	var live []*corev1.Pod
	for _, p := range list {
		if p.DeletionTimestamp == nil {
			live = append(live, p)
		}
	}
	sortPods(live)
	return live, err
}
