package hpa_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
)

// world is a made-up cluster: an HPA, its pods, and what the metrics API says.
type world struct {
	mu       sync.Mutex // upstream asks from its own goroutine
	shape    shape
	rng      *rand.Rand
	hpa      *autoscalingv2.HorizontalPodAutoscaler
	replicas int32
	pods     map[string]*corev1.Pod
	reread   map[*corev1.Pod]*corev1.Pod // as JSON gives them back
	next     int
	data     map[string]hpa.MetricData
	requests bool
	odd      oddities
}

func key(name corev1.ResourceName, container string) string { return string(name) + "/" + container }

func newWorld(s shape, now time.Time) *world {
	rng := rand.New(rand.NewPCG(s.Seed, 0))
	w := &world{shape: s, rng: rng, pods: map[string]*corev1.Pod{}, reread: map[*corev1.Pod]*corev1.Pod{}, data: map[string]hpa.MetricData{}, replicas: int32(1 + rng.IntN(6)), requests: rng.IntN(12) > 0}
	w.odd = newOddities(s, w.replicas)
	low := int32(1 + rng.IntN(3))
	if rng.IntN(4) == 0 {
		low = 0 // to zero and back, where a metric allows it
	}
	w.hpa = &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "ns", Generation: 1},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			MinReplicas:    ptr.To(low), MaxReplicas: max(low, 1) + int32(rng.IntN(15)),
			Behavior: w.behavior(), Metrics: w.metrics(),
		},
	}
	for range w.replicas {
		w.addPod(now, true)
	}
	w.measure(now)
	return w
}

func (w *world) metrics() []autoscalingv2.MetricSpec {
	var list []autoscalingv2.MetricSpec
	for range 1 + w.rng.IntN(w.shape.Metrics) {
		list = append(list, randomMetric(w.rng))
	}
	return list
}

func (w *world) behavior() *autoscalingv2.HorizontalPodAutoscalerBehavior {
	b := randomBehavior(w.rng)
	if w.shape.Plain {
		return nil
	}
	return b
}

// edit changes the HPA's spec as somebody with kubectl would. It returns false
// when nobody did.
func (w *world) edit() bool {
	if w.rng.IntN(15) > 0 || w.shape.Still {
		return w.editPeriods()
	}
	switch spec := &w.hpa.Spec; w.rng.IntN(4) {
	case 0:
		spec.MaxReplicas = max(*spec.MinReplicas, 1) + int32(w.rng.IntN(15))
	case 1:
		spec.MinReplicas = ptr.To(int32(w.rng.IntN(int(spec.MaxReplicas) + 1)))
	case 2:
		spec.Behavior = w.behavior()
	default:
		spec.Metrics = w.metrics()
	}
	w.hpa.Generation++
	return true
}

func (w *world) addPod(now time.Time, ready bool) {
	w.next++
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("web-%03d", w.next), Namespace: "ns", Labels: map[string]string{"app": "web"}}}
	for _, name := range []string{"app", "side"} {
		c := corev1.Container{Name: name}
		if w.requests {
			c.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("1")}
		}
		p.Spec.Containers = append(p.Spec.Containers, c)
	}
	p.Status.Phase = corev1.PodPending
	if ready {
		setReady(p, corev1.ConditionTrue, now)
	}
	w.odd.shapePod(p)
	w.pods[p.Name] = p
}

func setReady(p *corev1.Pod, status corev1.ConditionStatus, now time.Time) {
	at := metav1.NewTime(now)
	p.Status.Phase = corev1.PodRunning
	if p.Status.StartTime == nil {
		p.Status.StartTime = &at
	}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status, LastTransitionTime: at}}
}

// changed is the pod to change: what was shown to somebody stays as it was.
func (w *world) changed(p *corev1.Pod) *corev1.Pod {
	w.pods[p.Name] = p.DeepCopy()
	return w.pods[p.Name]
}

func (w *world) list() []*corev1.Pod {
	var list []*corev1.Pod
	for _, p := range w.pods {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// keyOf is where the world keeps the answer. Selectors and objects make no
// difference to it.
func keyOf(q referee.Question) string {
	switch q.Type {
	case autoscalingv2.PodsMetricSourceType:
		return "pods/" + q.Name
	case autoscalingv2.ObjectMetricSourceType:
		return "object/" + q.Name
	case autoscalingv2.ExternalMetricSourceType:
		return "external/" + q.Name
	}
	return key(corev1.ResourceName(q.Name), q.Container)
}

// Metric, Scale and SetScale make it the referee's World.
func (w *world) Metric(q referee.Question) hpa.MetricData {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.data[keyOf(q)]
}

func (w *world) Scale() *autoscalingv1.Scale {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "ns"},
		Spec:       autoscalingv1.ScaleSpec{Replicas: w.replicas},
		Status:     autoscalingv1.ScaleStatus{Replicas: w.odd.statusReplicas(w.replicas), Selector: "app=web"},
	}
}

func (w *world) SetScale(int32) error { return nil }

// measure makes the metrics API's answers anew.
func (w *world) measure(now time.Time) {
	level := int64(w.rng.IntN(400))
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		for _, container := range []string{"", "app"} {
			data := hpa.MetricData{Timestamp: now, Pods: map[string]hpa.PodMetric{}}
			if w.rng.IntN(25) == 0 {
				data = hpa.MetricData{Err: errors.New("the metrics API is away")}
			}
			for _, p := range w.list() {
				if data.Err == nil && p.Status.Phase == corev1.PodRunning && w.rng.IntN(12) > 0 {
					data.Pods[p.Name] = hpa.PodMetric{Timestamp: now, Window: time.Duration(10+w.rng.IntN(40)) * time.Second, Value: level + int64(w.rng.IntN(60))}
				}
			}
			w.data[key(name, container)] = data
		}
	}
	w.measureNamed(now, level)
}

// measureNamed makes the answers of custom.metrics.k8s.io and external.metrics.k8s.io.
func (w *world) measureNamed(now time.Time, level int64) {
	for i := range 3 {
		name := fmt.Sprintf("requests-%d", i)
		for _, kind := range []string{"pods", "object", "external"} {
			data := hpa.MetricData{Timestamp: now, Pods: map[string]hpa.PodMetric{}}
			switch w.rng.IntN(25) {
			case 0:
				data = hpa.MetricData{Err: errors.New("the adapter is away")}
			default:
				for _, p := range w.list() {
					if kind == "pods" && p.Status.Phase == corev1.PodRunning && w.rng.IntN(12) > 0 {
						data.Pods[p.Name] = hpa.PodMetric{Timestamp: now, Window: time.Minute, Value: level + int64(w.rng.IntN(60))}
					}
				}
				data.Values = w.series(kind, level)
			}
			w.data[kind+"/"+name] = data
		}
	}
}

// series are the values of an object's or an external metric: zero now and then,
// negative seldom, and sometimes more than fits.
func (w *world) series(kind string, level int64) []int64 {
	n := 1
	if kind == "external" {
		n = w.rng.IntN(4)
	}
	var values []int64
	for range n {
		v := level * int64(w.rng.IntN(10))
		switch w.rng.IntN(40) {
		case 0:
			v = -v
		case 1:
			v = math.MaxInt64 - int64(w.rng.IntN(100))
		}
		values = append(values, v)
	}
	return values
}

// step lets the world move: pods follow the replicas, some get ready, some
// fail, somebody scales by hand.
func (w *world) step(now time.Time) {
	if w.rng.IntN(40) == 0 && !w.shape.Still {
		w.replicas = int32(w.rng.IntN(20))
	}
	list := w.list()
	for _, p := range list {
		switch n := w.rng.IntN(30); {
		case p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodFailed:
			delete(w.pods, p.Name)
		case p.Status.Phase == corev1.PodPending && n < 20, n == 0:
			setReady(w.changed(p), corev1.ConditionTrue, now)
		case n == 1:
			setReady(w.changed(p), corev1.ConditionFalse, now)
		case n == 2:
			w.changed(p).Status.Phase = corev1.PodFailed
		}
	}
	for int32(len(w.pods)) < w.replicas {
		w.addPod(now, w.rng.IntN(2) == 0)
	}
	for _, p := range w.list() {
		if int32(len(w.pods)) <= w.replicas {
			break
		}
		at := metav1.NewTime(now)
		if w.rng.IntN(2) == 0 {
			p = w.changed(p)
			p.DeletionTimestamp = &at
			p.Finalizers = []string{"x/y"}
		}
		if w.rng.IntN(2) == 0 {
			delete(w.pods, p.Name)
		}
	}
	w.stepOddly()
	w.measure(now)
}
