package embedded

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
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

// Load says how much CPU the pods of a namespace use.
type Load interface {
	// Usage returns millicores by pod name, elapsed after the load began.
	Usage(elapsed time.Duration, pods []*corev1.Pod, now time.Time) map[string]int64
}

const (
	loadSlice     = time.Second // usage is integrated in slices of this length
	podMemory     = 48 << 20    // bytes of working set; the load model has CPU only
	nodeIdleCores = 0.05
	startCPU      = 2e-9 // CPU seconds of a container that has just started; a zero counter is dropped by the Metrics Server (client/resource/decode.go)
)

// usage keeps the cumulative CPU seconds of every container, as a kubelet's
// cgroups would, and serves them in the kubelet's exposition format.
type usage struct {
	clock  *virtualClock
	client kubernetes.Interface

	mu    sync.Mutex
	loads map[string]load
	total map[types.UID]float64 // CPU seconds
	born  time.Time
}

type load struct {
	model Load
	since time.Time
}

func newUsage(clock *virtualClock, client kubernetes.Interface) *usage {
	return &usage{clock: clock, client: client, loads: map[string]load{}, total: map[types.UID]float64{}, born: clock.Now().Add(-time.Minute)}
}

func (u *usage) set(namespace string, model Load) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.loads[namespace] = load{model: model, since: u.clock.Now()}
}

// advance moves the clock by d and lets the load flow meanwhile.
func (u *usage) advance(ctx context.Context, d time.Duration) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	byNamespace, err := u.runningPods(ctx)
	if err != nil {
		return err
	}
	for left := d; left > 0; {
		slice := min(left, loadSlice)
		now := u.clock.Now()
		for ns, l := range u.loads {
			millis := l.model.Usage(now.Sub(l.since), byNamespace[ns], now)
			for _, pod := range byNamespace[ns] {
				u.total[pod.UID] += float64(millis[pod.Name]) / 1000 * slice.Seconds()
			}
		}
		u.clock.advance(slice)
		left -= slice
	}
	return nil
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
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.clock.Now()
	stamp := now.UnixMilli()
	running, err := u.runningPods(ctx)
	if err != nil {
		return err
	}
	nodeCPU := nodeIdleCores * now.Sub(u.born).Seconds()
	var cpu, mem, start strings.Builder
	for _, pods := range running {
		for _, p := range pods {
			if p.Spec.NodeName != node || p.Status.StartTime == nil {
				continue
			}
			share := startCPU + u.total[p.UID]/float64(len(p.Spec.Containers))
			nodeCPU += u.total[p.UID]
			for _, c := range p.Spec.Containers {
				l := fmt.Sprintf(`{container=%q,namespace=%q,pod=%q}`, c.Name, p.Namespace, p.Name)
				fmt.Fprintf(&cpu, "container_cpu_usage_seconds_total%s %.9f %d\n", l, share, stamp)
				fmt.Fprintf(&mem, "container_memory_working_set_bytes%s %d %d\n", l, podMemory, stamp)
				fmt.Fprintf(&start, "container_start_time_seconds%s %d\n", l, p.Status.StartTime.Unix())
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
