package lab

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// maxSightings bounds what a witness keeps between two reads; older ones go first.
const maxSightings = 4096

// witness watches ReplicaSets and pods of a namespace, on clusters where nothing
// holds the actors back until somebody looks.
type witness struct {
	kube      kubernetes.Interface
	namespace string

	mu       sync.Mutex
	seen     []trace.Sighting
	versions map[types.UID]string // of the objects, as the watches told last
}

// syncWithin is how long a watch may take to open: one that is forbidden tries for ever.
const syncWithin = 30 * time.Second

// newWitness watches from now on, until done is closed.
func newWitness(ctx context.Context, done <-chan struct{}, cfg *rest.Config, namespace string) (*witness, error) {
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	w := &witness{kube: kube, namespace: namespace, versions: map[types.UID]string{}}
	factory := informers.NewSharedInformerFactoryWithOptions(kube, 0, informers.WithNamespace(namespace))
	pods, sets := factory.Core().V1().Pods().Informer(), factory.Apps().V1().ReplicaSets().Informer()
	if _, err := pods.AddEventHandler(follower{cache.ResourceEventHandlerDetailedFuncs{AddFunc: w.podAdded, UpdateFunc: w.podChanged, DeleteFunc: w.podGone}, w}); err != nil {
		return nil, err
	}
	if _, err := sets.AddEventHandler(follower{cache.ResourceEventHandlerFuncs{UpdateFunc: w.setChanged}, w}); err != nil {
		return nil, err
	}
	factory.Start(done)
	ctx, cancel := context.WithTimeout(ctx, syncWithin)
	defer cancel()
	return w, factory.WaitForCacheSyncWithContext(ctx).AsError()
}

// Sightings returns what was seen since it was last asked, oldest first.
func (w *witness) Sightings() []trace.Sighting {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

// CaughtUp tells whether the watches have told of all that the API server holds now.
// They are a little later than a read, and many seconds after a connection was cut.
func (w *witness) CaughtUp(ctx context.Context) (bool, error) {
	pods, err := w.kube.CoreV1().Pods(w.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, err
	}
	sets, err := w.kube.AppsV1().ReplicaSets(w.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range pods.Items {
		if w.versions[pods.Items[i].UID] != pods.Items[i].ResourceVersion {
			return false, nil
		}
	}
	for i := range sets.Items {
		if w.versions[sets.Items[i].UID] != sets.Items[i].ResourceVersion {
			return false, nil
		}
	}
	return len(w.versions) == len(pods.Items)+len(sets.Items), nil
}

// follower is a handler that notes, after its own work, which version it was told of.
type follower struct {
	cache.ResourceEventHandler
	w *witness
}

func (f follower) OnAdd(obj any, initial bool) {
	f.ResourceEventHandler.OnAdd(obj, initial)
	f.told(obj, true)
}

func (f follower) OnUpdate(before, after any) {
	f.ResourceEventHandler.OnUpdate(before, after)
	f.told(after, true)
}

func (f follower) OnDelete(obj any) {
	f.ResourceEventHandler.OnDelete(obj)
	if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	f.told(obj, false)
}

func (f follower) told(obj any, there bool) {
	o, err := meta.Accessor(obj)
	if err != nil {
		return
	}
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if delete(f.w.versions, o.GetUID()); there {
		f.w.versions[o.GetUID()] = o.GetResourceVersion()
	}
}

func (w *witness) note(actor, object, what, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, trace.Sighting{Actor: actor, Object: object, What: what, Value: value, At: time.Now()})
	if len(w.seen) > maxSightings {
		w.seen = w.seen[len(w.seen)-maxSightings:]
	}
}

func (w *witness) setChanged(before, after any) {
	old, now := before.(*appsv1.ReplicaSet), after.(*appsv1.ReplicaSet)
	if from, to := *old.Spec.Replicas, *now.Spec.Replicas; from != to {
		w.note(trace.ActorDeployment, "replicaset/"+now.Name, "spec.replicas", fmt.Sprintf("%d → %d", from, to))
	}
}

func (w *witness) podAdded(obj any, before bool) {
	if !before {
		w.note(trace.ActorReplicaSet, "pod/"+obj.(*corev1.Pod).Name, trace.SeenCreated, "")
	}
}

func (w *witness) podChanged(before, after any) {
	old, now := before.(*corev1.Pod), after.(*corev1.Pod)
	name := "pod/" + now.Name
	if old.DeletionTimestamp == nil && now.DeletionTimestamp != nil {
		w.note(trace.ActorReplicaSet, name, trace.SeenDeleting, "")
	}
	if old.Spec.NodeName == "" && now.Spec.NodeName != "" {
		w.note(trace.ActorScheduler, name, trace.SeenBound, now.Spec.NodeName)
	}
	was, _ := world.Unschedulable(old)
	if why, _ := world.Unschedulable(now); why != "" && why != was {
		w.note(trace.ActorScheduler, name, trace.SeenUnschedulable, why)
	}
	if why := waiting(now); why != "" && why != waiting(old) {
		w.note(trace.ActorKubelet, name, trace.SeenWaiting, why)
	}
	if from, to := granted(old), granted(now); from != "" && to != from {
		w.note(trace.ActorKubelet, name, trace.SeenResized, from+" → "+to)
	}
	if !podutil.IsPodReady(old) && podutil.IsPodReady(now) {
		w.note(trace.ActorKubelet, name, trace.SeenReady, "")
	}
}

func (w *witness) podGone(obj any) {
	if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	if pod, ok := obj.(*corev1.Pod); ok {
		w.note(trace.ActorKubelet, "pod/"+pod.Name, trace.SeenGone, "")
	}
}

// granted is what the kubelet has given the running containers, "cpu 300m"; empty
// before it says so.
func granted(p *corev1.Pod) string {
	var sizes []string
	for _, c := range p.Status.ContainerStatuses {
		if c.Resources == nil {
			continue
		}
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			if q, ok := c.Resources.Requests[name]; ok {
				sizes = append(sizes, string(name)+" "+q.String())
			}
		}
	}
	return strings.Join(sizes, ", ")
}

// waiting is why containers do not run yet, "ContainerCreating" as a rule.
func waiting(p *corev1.Pod) string {
	var reasons []string
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Waiting != nil && c.State.Waiting.Reason != "" {
			reasons = append(reasons, c.State.Waiting.Reason)
		}
	}
	return strings.Join(reasons, ", ")
}
