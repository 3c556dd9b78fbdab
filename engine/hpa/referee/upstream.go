// Package referee runs upstream's HPA controller, unchanged, beside ours:
// podautoscaler.HorizontalController of k8s.io/kubernetes, in virtual time, with
// in-memory clients around it. It has no API server; what it reads comes from a
// World, and what it writes is kept for comparison.
package referee

import (
	"context"
	"fmt"
	"maps"
	goruntime "runtime"
	"slices"
	"sync"
	"testing/synctest"

	"github.com/go-logr/logr"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"

	"github.com/stepscale/stepscale/engine/hpa"
)

// World answers what the controller asks. Its methods are called from the
// controller's goroutine.
type World interface {
	Scale() *autoscalingv1.Scale
	SetScale(replicas int32) error // the error is what the API server would answer
	Metric(Question) hpa.MetricData
}

// Question names a metric as the controller asks for it.
type Question struct {
	Type      autoscalingv2.MetricSourceType
	Name      string
	Container string                                    // of a ContainerResource metric
	Object    autoscalingv2.CrossVersionObjectReference // what an Object metric describes
	Selector  string                                    // of a Pods, Object or External metric
}

// Outcome is what the controller did about one HPA since Take was last called.
type Outcome struct {
	Writes []int32 // replicas written to the scale, refused writes left out
	Events []hpa.Event
	Status *autoscalingv2.HorizontalPodAutoscalerStatus // nil: it wrote none

	syncs int // how often it has looked
}

// Upstream is a running controller.
type Upstream struct {
	world  World
	hpa    string // name of the HPA that is watched
	client *fake.Clientset
	rivals map[string]bool

	mu      sync.Mutex
	pods    map[string]shown
	did     Outcome
	crashed any // what one of the controller's goroutines panicked with
}

// shown is a pod that the controller sees, and where it stands in the list.
type shown struct {
	at  int
	pod *corev1.Pod
}

// Start runs the controller until ctx ends; stop waits for it. It belongs into a
// bubble of testing/synctest, as all calls of the result do. The HPA that is
// compared comes with SetHPA.
func Start(ctx context.Context, p hpa.Params, world World, target autoscalingv2.CrossVersionObjectReference) (u *Upstream, stop func()) {
	u = &Upstream{world: world, pods: map[string]shown{}, rivals: map[string]bool{}}
	u.client = fake.NewSimpleClientset() // NewClientset keeps managed fields, at twenty times the cost
	u.client.PrependReactor("update", "horizontalpodautoscalers", u.keepStatus)
	inf := informers.NewSharedInformerFactory(u.client, 0)
	logged := context.WithValue(klog.NewContext(ctx, logr.Discard()), crashing{}, u)
	c := podautoscaler.NewHorizontalController(logged, eventsOf{u: u}, u.scales(), u.client.AutoscalingV2(),
		mapperFor(target), metricsOf{world}, inf.Autoscaling().V2().HorizontalPodAutoscalers(), orderedPods{inf.Core().V1().Pods(), u},
		p.SyncPeriod, p.DownscaleStabilization, p.Tolerance, p.CPUInitializationPeriod, p.InitialReadinessDelay)
	inf.Start(ctx.Done())
	inf.WaitForCacheSync(ctx.Done())
	done := make(chan struct{})
	go func() { c.Run(logged, 1); close(done) }()
	return u, func() { <-done; inf.Shutdown() }
}

// Take returns what the controller did, and forgets it.
func (u *Upstream) Take() Outcome {
	u.mu.Lock()
	defer u.mu.Unlock()
	did := u.did
	u.did = Outcome{}
	return did
}

// SetHPA creates or replaces the HPA. A new one, or one with another generation,
// is reconciled at once (the HPAGeneration gate, on since v1.37), and again after
// every sync period.
func (u *Upstream) SetHPA(object *autoscalingv2.HorizontalPodAutoscaler) error {
	tracker, gvr := u.client.Tracker(), autoscalingv2.SchemeGroupVersion.WithResource("horizontalpodautoscalers")
	if u.hpa == object.Name {
		return tracker.Update(gvr, object.DeepCopy(), object.Namespace)
	}
	u.hpa = object.Name
	return tracker.Create(gvr, object.DeepCopy(), object.Namespace)
}

// watchBuffer is less than what an in-memory watch holds before it panics
// (apimachinery, watch.DefaultChanSize).
const watchBuffer = 50

// SetPods makes the pods those that the controller lists, in this order. A pod that it
// was given before, the same object, has not changed, as in client-go's caches.
func (u *Upstream) SetPods(namespace string, pods []*corev1.Pod) error {
	tracker, gvr := u.client.Tracker(), corev1.SchemeGroupVersion.WithResource("pods")
	before, after := u.pods, make(map[string]shown, len(pods))
	for i, p := range pods {
		after[p.Name] = shown{i, p}
	}
	u.mu.Lock()
	u.pods = after
	u.mu.Unlock()
	for i, p := range pods {
		if i%watchBuffer == 0 {
			synctest.Wait()
		}
		var err error
		if old, known := before[p.Name]; known && old.pod == p {
			continue
		} else if known {
			err = tracker.Update(gvr, p.DeepCopy(), namespace)
		} else {
			err = tracker.Create(gvr, p.DeepCopy(), namespace)
		}
		if err != nil {
			return err
		}
	}
	gone := slices.DeleteFunc(slices.Collect(maps.Keys(before)), func(name string) bool { _, stays := after[name]; return stays })
	for i, name := range gone {
		if i%watchBuffer == 0 {
			synctest.Wait()
		}
		if err := tracker.Delete(gvr, namespace, name); err != nil {
			return err
		}
	}
	return nil
}

func (u *Upstream) keepStatus(a clienttesting.Action) (bool, runtime.Object, error) {
	object := a.(clienttesting.UpdateAction).GetObject().(*autoscalingv2.HorizontalPodAutoscaler)
	if object.Name == u.hpa {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.did.Status = object.Status.DeepCopy()
	}
	return false, nil, nil
}

func (u *Upstream) scales() *scalefake.FakeScaleClient {
	scales := &scalefake.FakeScaleClient{}
	scales.AddReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		u.mu.Lock()
		u.did.syncs++
		u.mu.Unlock()
		return true, u.world.Scale(), nil
	})
	scales.AddReactor("update", "*", func(a clienttesting.Action) (bool, runtime.Object, error) {
		scale := a.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
		if err := u.world.SetScale(scale.Spec.Replicas); err != nil {
			return true, nil, err
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		u.did.Writes = append(u.did.Writes, scale.Spec.Replicas)
		return true, scale, nil
	})
	return scales
}

// mapperFor knows the kind of the target and no other.
func mapperFor(ref autoscalingv2.CrossVersionObjectReference) meta.RESTMapper {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return meta.NewDefaultRESTMapper(nil)
	}
	m := meta.NewDefaultRESTMapper([]schema.GroupVersion{gv})
	m.Add(gv.WithKind(ref.Kind), meta.RESTScopeNamespace)
	return m
}

// eventsOf notes what upstream's recorder sends: new events, and the same event
// again, which it sends as a patch.
type eventsOf struct {
	typedcorev1.EventInterface // the recorder calls the methods below only
	u                          *Upstream
}

func (e eventsOf) Events(string) typedcorev1.EventInterface { return e }

func (e eventsOf) CreateWithEventNamespace(event *corev1.Event) (*corev1.Event, error) {
	if event.InvolvedObject.Name == e.u.hpa {
		e.u.mu.Lock()
		defer e.u.mu.Unlock()
		e.u.did.Events = append(e.u.did.Events, hpa.Event{Type: event.Type, Reason: event.Reason, Message: event.Message})
	}
	return event, nil
}

func (e eventsOf) PatchWithEventNamespace(event *corev1.Event, _ []byte) (*corev1.Event, error) {
	return e.CreateWithEventNamespace(event)
}

// EventsDropped tells whether client-go's recorder may have begun to drop or to
// combine events of an HPA that has had these (tools/record/events_cache.go: 25
// in all, 10 similar ones).
func EventsDropped(byReason map[string]int) bool {
	all := 0
	for _, n := range byReason {
		if all += n; n >= 10 {
			return true
		}
	}
	return all >= 25
}

// crashing is the key of the Upstream in the context of its controller.
type crashing struct{}

// stopped is the error of a controller that has panicked.
func (u *Upstream) stopped() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.crashed == nil {
		return nil
	}
	return fmt.Errorf("%w: %v", ErrStopped, u.crashed)
}

// endCrashed ends a goroutine of the referee's controller that has panicked, and no
// other: nobody else can recover in there, and upstream would end the process.
func endCrashed(ctx context.Context, panicked any) {
	u, ours := ctx.Value(crashing{}).(*Upstream)
	if !ours {
		return
	}
	u.mu.Lock()
	u.crashed = panicked
	u.mu.Unlock()
	goruntime.Goexit()
}

// Quiet makes upstream's code fit to run in a bubble; call it before anything of
// upstream's runs. It takes out the handler that makes upstream wait after an error: in
// a bubble, where the time of the last one is decades away, it would wait for as long.
// It silences upstream's log, and lets a panic of the referee's controller end that
// controller only.
var Quiet = sync.OnceFunc(func() {
	utilruntime.ErrorHandlers = utilruntime.ErrorHandlers[:1]
	utilruntime.PanicHandlers = append(utilruntime.PanicHandlers, endCrashed)
	klog.SetLogger(logr.Discard())
})
