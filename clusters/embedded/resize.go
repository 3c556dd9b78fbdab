package embedded

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// activePods are those that a kubelet counts on its node.
var activePods = fields.AndSelectors(
	fields.OneTermNotEqualSelector("status.phase", string(corev1.PodSucceeded)),
	fields.OneTermNotEqualSelector("status.phase", string(corev1.PodFailed)),
)

// resizer is the part of a kubelet that KWOK does not play: it changes the
// resources of running containers as their specs say, where the node allows it.
// The reference is k8s.io/kubernetes/pkg/kubelet/allocation.
type resizer struct {
	client kubernetes.Interface
	clock  *virtualClock
	pods   corelisters.PodLister
	latest cache.MutationCache // of pods: a watch tells of our own write after its answer
	nodes  corelisters.NodeLister
	queue  workqueue.TypedRateLimitingInterface[string]

	mu      sync.Mutex
	granted map[types.UID]corev1.ResourceList // requests, from the decision on: the gate may hold the report of it for long
}

// startResizer starts the resizer of all nodes with a client that the gate
// holds, like KWOK's.
func (c *Cluster) startResizer(ctx context.Context, client kubernetes.Interface) error {
	nodes := informers.NewSharedInformerFactory(client, 0)
	pods := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTweakListOptions(func(o *metav1.ListOptions) {
		o.FieldSelector = activePods.String()
	}))
	informer := pods.Core().V1().Pods().Informer()
	r := &resizer{
		client: client, clock: c.clock, granted: map[types.UID]corev1.ResourceList{},
		latest: cache.NewIntegerResourceVersionMutationCacheWithOptions(klog.FromContext(ctx), informer.GetStore(), cache.MutationCacheOptions{
			MaxCacheSize: playParallel, TTL: time.Minute,
		}),
		pods: pods.Core().V1().Pods().Lister(), nodes: nodes.Core().V1().Nodes().Lister(),
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](pollEvery, time.Second)),
	}
	if _, err := informer.AddEventHandler(r.handler()); err != nil {
		return fmt.Errorf("resizer: %w", err)
	}
	nodes.Start(ctx.Done())
	pods.Start(ctx.Done())
	nodes.WaitForCacheSync(ctx.Done())
	for range playParallel { // a pod whose patch is held keeps its worker
		c.goRun(func() {
			for r.next(ctx) {
			}
		})
	}
	context.AfterFunc(ctx, r.queue.ShutDown)
	return nil
}

func (r *resizer) handler() cache.ResourceEventHandler {
	enqueue := func(obj any) {
		if pod, ok := obj.(*corev1.Pod); ok && wantsResize(pod) {
			r.queue.Add(cache.MetaObjectToName(pod).String())
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, obj any) { enqueue(obj) },
		DeleteFunc: func(obj any) {
			if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = gone.Obj
			}
			if pod, ok := obj.(*corev1.Pod); ok {
				r.forget(pod.UID)
				r.retryDeferred()
			}
		},
	}
}

// retryDeferred looks again at the resizes that had no room, after some became free.
func (r *resizer) retryDeferred() {
	pods, _ := r.pods.List(labels.Everything()) // a cache gives no error
	for _, pod := range pods {
		if c := pendingResize(&pod.Status); c != nil && c.Reason == corev1.PodReasonDeferred {
			r.queue.Add(cache.MetaObjectToName(pod).String())
		}
	}
}

// next handles one pod. A failed write is tried again: most fail because the
// pod has changed since the cache saw it.
func (r *resizer) next(ctx context.Context) bool {
	key, stop := r.queue.Get()
	if stop {
		return false
	}
	defer r.queue.Done(key)
	if err := r.resize(ctx, key); err != nil && ctx.Err() == nil {
		r.queue.AddRateLimited(key)
		return true
	}
	r.queue.Forget(key)
	return true
}

func (r *resizer) resize(ctx context.Context, key string) error {
	obj, exists, err := r.latest.GetByKey(key)
	if err != nil || !exists {
		return err // or it has gone
	}
	pod, ok := obj.(*corev1.Pod)
	if !ok || !wantsResize(pod) {
		return nil // it was done for an earlier event
	}
	reason, message, err := r.decide(pod)
	if err != nil {
		return err
	}
	now := metav1.NewTime(r.clock.Now())
	change := func(s *corev1.PodStatus) { actuate(s, pod, now) }
	if reason != "" {
		change = func(s *corev1.PodStatus) { refuse(s, pod, reason, message, now) }
	}
	after := pod.Status.DeepCopy()
	if change(after); equality.Semantic.DeepEqual(*after, pod.Status) {
		return nil
	}
	patched, err := patchPodStatus(ctx, r.client, pod, change)
	if err != nil {
		return err
	}
	r.latest.Mutation(patched)
	if reason == "" {
		r.retryDeferred()
	}
	return nil
}

// decide says why the pod's resize cannot be done, and nothing when it can.
func (r *resizer) decide(pod *corev1.Pod) (reason, message string, err error) {
	node, err := r.nodes.Get(pod.Spec.NodeName)
	if err != nil {
		return "", "", err
	}
	pods, err := r.pods.List(labels.Everything())
	if err != nil {
		return "", "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	used := corev1.ResourceList{}
	for _, p := range pods {
		if p.Spec.NodeName == node.Name && p.UID != pod.UID {
			addRequests(used, r.allocated(p))
		}
	}
	requests := podRequests(pod)
	if differs(pod) { // and not a resize that was taken back
		reason, message = fit(requests, used, node.Status.Allocatable)
	}
	if reason == "" {
		r.granted[pod.UID] = requests
	} else {
		delete(r.granted, pod.UID)
	}
	return reason, message, nil
}

// allocated is what the node has set aside for a pod, which the spec exceeds
// while the pod's own resize waits.
func (r *resizer) allocated(pod *corev1.Pod) corev1.ResourceList {
	if granted, ok := r.granted[pod.UID]; ok {
		return granted
	}
	return podRequests(withReportedResources(pod))
}

func (r *resizer) forget(uid types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.granted, uid)
}
