package embedded

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/flowcontrol"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"
)

// Usage is what a container uses: millicores, and bytes of working set. Memory 0
// says that the model has none.
type Usage struct {
	CPU    float64
	Memory int64
}

// Load says what the pods of a namespace use.
type Load interface {
	// Usage returns what each container uses, by its pod and its name, elapsed after
	// the load began.
	Usage(elapsed time.Duration, pods []*corev1.Pod, now time.Time) map[string]map[string]Usage
}

const (
	loadSlice     = time.Second // usage is integrated in slices of this length
	longAdvance   = time.Hour   // and in as many longer ones beyond it
	maxSlice      = time.Minute
	podMemory     = 48 << 20 // bytes of working set of a container when the model has none
	nodeIdleCores = 0.05
	startCPU      = 2e-9 // CPU seconds of a container that has just started; a zero counter is dropped by the Metrics Server (client/resource/decode.go)
)

// usage keeps what a kubelet reads of its containers' cgroups, and serves it
// in the kubelet's exposition format.
type usage struct {
	clock    *virtualClock
	client   kubernetes.Interface
	kubelet  kubernetes.Interface
	revision func(context.Context) (int64, error)           // of the store
	passed   func(ctx context.Context, now time.Time) error // called when time has moved

	mu      sync.Mutex
	listed  listing
	loads   map[string]load
	cgroups map[cgroupKey]*cgroup
	backoff *flowcontrol.Backoff // of containers that have ended
	frozen  map[types.UID]frozen
	nodes   map[string]float64 // CPU seconds of every container that a node ever ran
	born    time.Time
}

// listing is what runs, and the store's revision before it was asked.
type listing struct {
	revision int64
	pods     map[string][]*corev1.Pod // by namespace
}

type load struct {
	model Load
	since time.Time
}

type cgroupKey struct {
	pod       types.UID
	container string
}

type cgroup struct {
	started time.Time
	cpu     float64 // seconds since then
	memory  int64   // bytes of working set
}

func newUsage(clock *virtualClock, client, kubelet kubernetes.Interface, revision func(context.Context) (int64, error)) *usage {
	return &usage{
		clock: clock, client: client, kubelet: kubelet, revision: revision, passed: func(context.Context, time.Time) error { return nil }, born: clock.Now().Add(-time.Minute),
		backoff: newBackOff(clock), loads: map[string]load{}, cgroups: map[cgroupKey]*cgroup{}, frozen: map[types.UID]frozen{}, nodes: map[string]float64{},
	}
}

func (u *usage) set(namespace string, model Load) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.loads[namespace] = load{model: model, since: u.clock.Now()}
}

// advance moves the clock by d and lets the load flow meanwhile. The mutex is held
// over arithmetic only: an API server that answers slowly keeps nobody from reading.
func (u *usage) advance(ctx context.Context, d time.Duration) error {
	running, err := u.runningPods(ctx)
	if err != nil {
		return err
	}
	for left := d; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		slice := min(left, sliceOf(d))
		use, err := u.use(ctx, running)
		if err != nil {
			return err
		}
		u.flow(running, use, slice)
		left -= slice
		if err := u.passed(ctx, u.clock.Now()); err != nil {
			return err
		}
		if err := u.probeAll(ctx, running); err != nil {
			return err
		}
	}
	return nil
}

// probeAll lets the containers start again whose back-off is over, and the pods become
// ready whose probes have succeeded by now.
func (u *usage) probeAll(ctx context.Context, running map[string][]*corev1.Pod) error {
	now := u.clock.Now()
	for ns, pods := range running {
		u.mu.Lock()
		model := u.loads[ns].model
		u.mu.Unlock()
		if err := u.startAgain(ctx, pods, now); err != nil {
			return err
		}
		if err := u.probe(ctx, pods, model, now); err != nil {
			return err
		}
	}
	return nil
}

// sliceOf bounds the number of slices: days pass in as many steps as an hour.
func sliceOf(d time.Duration) time.Duration {
	if d <= longAdvance {
		return loadSlice
	}
	return min((d / (longAdvance / loadSlice)).Truncate(time.Second), maxSlice)
}

// inUse is what the containers of a namespace use, by pod and by name.
type inUse map[string]map[string]Usage

// use is what the containers of every namespace with a load use now. Those over
// their limit are killed.
func (u *usage) use(ctx context.Context, running map[string][]*corev1.Pod) (map[string]inUse, error) {
	u.mu.Lock()
	loads := maps.Clone(u.loads)
	u.mu.Unlock()
	now := u.clock.Now()
	all := map[string]inUse{}
	for ns, l := range loads {
		pods := running[ns]
		use := l.model.Usage(now.Sub(l.since), pods, now)
		killed, err := u.killOverLimit(ctx, pods, use, now)
		if err != nil {
			return nil, err
		}
		if killed { // what has just restarted uses what a young container does
			use = l.model.Usage(now.Sub(l.since), pods, now)
		}
		all[ns] = use
	}
	return all, nil
}

// flow charges the containers for one slice of time, which is over then.
func (u *usage) flow(running map[string][]*corev1.Pod, use map[string]inUse, slice time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for ns, of := range use {
		for _, pod := range running[ns] {
			for _, c := range containersOf(pod) {
				if _, ended := inBackOff(pod, c.Name); ended {
					continue
				}
				one := of[pod.Name][c.Name]
				g := u.cgroup(pod, c.Name)
				seconds := one.CPU / 1000 * slice.Seconds()
				g.cpu += seconds
				g.memory = cmp.Or(one.Memory, podMemory)
				u.nodes[pod.Spec.NodeName] += seconds
			}
		}
	}
	u.clock.advance(slice)
}

// containersOf are those that run as long as their pod does: native sidecars too. They
// are the pod's own, to be read: time passes in many slices, and each asks for them.
func containersOf(pod *corev1.Pod) []corev1.Container {
	list := slices.Clip(pod.Spec.Containers)
	for _, c := range pod.Spec.InitContainers {
		if podutil.IsRestartableInitContainer(&c) {
			list = append(list, c)
		}
	}
	return list
}

// statusesOf are those of a pod's containers, to be read or changed.
func statusesOf(s *corev1.PodStatus) iter.Seq[*corev1.ContainerStatus] {
	return func(yield func(*corev1.ContainerStatus) bool) {
		for _, list := range [][]corev1.ContainerStatus{s.ContainerStatuses, s.InitContainerStatuses} {
			for i := range list {
				if !yield(&list[i]) {
					return
				}
			}
		}
	}
}

// cgroup returns a container's, which is new after every start.
func (u *usage) cgroup(pod *corev1.Pod, container string) *cgroup {
	key, started := cgroupKey{pod.UID, container}, startOf(pod, container)
	g := u.cgroups[key]
	if g == nil || !g.started.Equal(started) {
		g = &cgroup{started: started, cpu: startCPU, memory: podMemory}
		u.cgroups[key] = g
	}
	return g
}

func startOf(pod *corev1.Pod, container string) time.Time {
	for cs := range statusesOf(&pod.Status) {
		if cs.Name == container && cs.State.Running != nil {
			return cs.State.Running.StartedAt.Time
		}
	}
	if pod.Status.StartTime != nil {
		return pod.Status.StartTime.Time
	}
	return time.Time{}
}

// runningPods reads the API server, and no cache that may be behind: a step that has
// just seen a pod become Ready must find it here. While the store takes no write, one
// answer serves all. Only the lists in it are the caller's own.
func (u *usage) runningPods(ctx context.Context) (map[string][]*corev1.Pod, error) {
	revision, err := u.revision(ctx)
	if err != nil {
		return nil, err
	}
	u.mu.Lock()
	listed := u.listed
	u.mu.Unlock()
	if listed.pods == nil || listed.revision != revision {
		pods, err := u.listRunning(ctx)
		if err != nil {
			return nil, err
		}
		listed = listing{revision, pods}
		u.mu.Lock()
		u.listed = listed
		u.mu.Unlock()
	}
	own := make(map[string][]*corev1.Pod, len(listed.pods))
	for ns, pods := range listed.pods {
		own[ns] = slices.Clone(pods)
	}
	return own, nil
}

func (u *usage) listRunning(ctx context.Context) (map[string][]*corev1.Pod, error) {
	pods, err := u.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: "status.phase=Running"})
	if err != nil {
		return nil, fmt.Errorf("list running pods: %w", err)
	}
	running := map[string][]*corev1.Pod{}
	for i := range pods.Items {
		if p := &pods.Items[i]; p.DeletionTimestamp == nil {
			running[p.Namespace] = append(running[p.Namespace], p)
		}
	}
	return running, nil
}
