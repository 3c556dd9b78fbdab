package embedded

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// Usage is what a pod uses: millicores, and bytes of working set. Its
// containers use the same share each. Memory 0 says that the model has none.
type Usage struct{ CPU, Memory int64 }

// Load says what the pods of a namespace use.
type Load interface {
	// Usage returns what each pod uses, by name, elapsed after the load began.
	Usage(elapsed time.Duration, pods []*corev1.Pod, now time.Time) map[string]Usage
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
	clock   *virtualClock
	client  kubernetes.Interface
	kubelet kubernetes.Interface

	mu      sync.Mutex
	loads   map[string]load
	cgroups map[cgroupKey]*cgroup
	nodes   map[string]float64 // CPU seconds of every container that a node ever ran
	born    time.Time
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

func newUsage(clock *virtualClock, client, kubelet kubernetes.Interface) *usage {
	return &usage{
		clock: clock, client: client, kubelet: kubelet, born: clock.Now().Add(-time.Minute),
		loads: map[string]load{}, cgroups: map[cgroupKey]*cgroup{}, nodes: map[string]float64{},
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

// use is what the pods of every namespace with a load use now, by name. Containers
// over their limit are killed.
func (u *usage) use(ctx context.Context, running map[string][]*corev1.Pod) (map[string]map[string]Usage, error) {
	u.mu.Lock()
	loads := maps.Clone(u.loads)
	u.mu.Unlock()
	now := u.clock.Now()
	all := map[string]map[string]Usage{}
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
func (u *usage) flow(running map[string][]*corev1.Pod, use map[string]map[string]Usage, slice time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for ns, of := range use {
		for _, pod := range running[ns] {
			each := share(pod, of[pod.Name])
			for _, c := range pod.Spec.Containers {
				g := u.cgroup(pod, c.Name)
				seconds := each.cores * slice.Seconds()
				g.cpu += seconds
				g.memory = each.memory
				u.nodes[pod.Spec.NodeName] += seconds
			}
		}
	}
	u.clock.advance(slice)
}

type containerUsage struct {
	cores  float64
	memory int64
}

// share is one container's part of what its pod uses.
func share(pod *corev1.Pod, use Usage) containerUsage {
	n := len(pod.Spec.Containers)
	each := containerUsage{cores: float64(use.CPU) / 1000 / float64(n), memory: use.Memory / int64(n)}
	if use.Memory == 0 {
		each.memory = podMemory
	}
	return each
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
	for _, cs := range pod.Status.ContainerStatuses {
		if cs.Name == container && cs.State.Running != nil {
			return cs.State.Running.StartedAt.Time
		}
	}
	if pod.Status.StartTime != nil {
		return pod.Status.StartTime.Time
	}
	return time.Time{}
}

// runningPods reads the API server and no cache: a step that has just seen a
// pod become Ready must find it here.
func (u *usage) runningPods(ctx context.Context) (map[string][]*corev1.Pod, error) {
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

// expose writes one node's metrics in the format of the kubelet's
// /metrics/resource, with the virtual time as their timestamps.
func (u *usage) expose(ctx context.Context, w io.Writer, node string) error {
	running, err := u.runningPods(ctx)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.clock.Now()
	stamp := now.UnixMilli()
	nodeCPU := nodeIdleCores*now.Sub(u.born).Seconds() + u.nodes[node]
	var cpu, mem, start strings.Builder
	for _, pods := range running {
		for _, p := range pods {
			if p.Spec.NodeName != node || p.Status.StartTime == nil {
				continue
			}
			for _, c := range p.Spec.Containers {
				g := u.cgroup(p, c.Name)
				l := fmt.Sprintf(`{container=%q,namespace=%q,pod=%q}`, c.Name, p.Namespace, p.Name)
				fmt.Fprintf(&cpu, "container_cpu_usage_seconds_total%s %.9f %d\n", l, g.cpu, stamp)
				fmt.Fprintf(&mem, "container_memory_working_set_bytes%s %d %d\n", l, g.memory, stamp)
				fmt.Fprintf(&start, "container_start_time_seconds%s %d\n", l, g.started.Unix())
			}
		}
	}
	_, err = fmt.Fprintf(w, "%s%s%snode_cpu_usage_seconds_total %.9f %d\nnode_memory_working_set_bytes %d %d\n",
		cpu.String(), mem.String(), start.String(), nodeCPU, stamp, 1<<30, stamp)
	return err
}

// serveKubelets serves /metrics/resource of every simulated kubelet, each on a
// loopback port of its own, to clients with a certificate of the cluster's
// authority only.
func (c *Cluster) serveKubelets(ctx context.Context) error {
	pool := x509.NewCertPool()
	ca, err := os.ReadFile(c.pki.cert("ca"))
	if err != nil {
		return err
	}
	pool.AppendCertsFromPEM(ca)
	pair, err := tls.LoadX509KeyPair(c.pki.cert("kubelet"), c.pki.keyFile("kubelet"))
	if err != nil {
		return err
	}
	for i, listener := range c.kubelets {
		server := &http.Server{
			Handler:           c.kubeletHandler(nodeName(i)),
			ReadHeaderTimeout: 10 * time.Second,
			ErrorLog:          log.New(io.Discard, "", 0), // of handshakes that were refused
			TLSConfig: &tls.Config{
				MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair},
				ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
			},
		}
		c.goRun(func() { _ = server.ServeTLS(listener, "", "") })
		context.AfterFunc(ctx, func() { _ = server.Close() })
	}
	return nil
}

func (c *Cluster) kubeletHandler(node string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics/resource", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		if err := c.usage.expose(r.Context(), w, node); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return mux
}
