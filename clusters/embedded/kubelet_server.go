package embedded

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// kubelets serve /metrics/resource, that of every simulated node on a loopback port of its
// own, to clients with a certificate of the cluster's authority only.
type kubelets struct {
	usage *usage
	tls   *tls.Config
	run   func(func()) // in the background

	mu     sync.Mutex
	open   map[string]kubeletServer // by node
	closed bool
}

type kubeletServer struct {
	*http.Server
	address net.Addr
}

// newKubelets listen until ctx is done.
func (c *Cluster) newKubelets(ctx context.Context) (*kubelets, error) {
	pool := x509.NewCertPool()
	ca, err := os.ReadFile(c.pki.cert("ca"))
	if err != nil {
		return nil, err
	}
	pool.AppendCertsFromPEM(ca)
	pair, err := tls.LoadX509KeyPair(c.pki.cert("kubelet"), c.pki.keyFile("kubelet"))
	if err != nil {
		return nil, err
	}
	k := &kubelets{usage: c.usage, run: c.goRun, open: map[string]kubeletServer{}, tls: &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
	}}
	context.AfterFunc(ctx, k.closeAll)
	return k, nil
}

// listen begins to serve a node's metrics and returns the port.
func (k *kubelets) listen(node string) (port int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.open[node]; ok || k.closed {
		return 0, fmt.Errorf("kubelet of node %s: it is there already, or the cluster ends", node)
	}
	listener, err := listenLoopback()
	if err != nil {
		return 0, err
	}
	server := &http.Server{
		Handler:           k.handler(node),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // of handshakes that were refused
		TLSConfig:         k.tls.Clone(),
	}
	k.open[node] = kubeletServer{server, listener.Addr()}
	k.run(func() { _ = server.ServeTLS(listener, "", "") })
	return portOf(listener), nil
}

// address is where a node's kubelet listens; false where there is none.
func (k *kubelets) address(node string) (string, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	server, ok := k.open[node]
	if !ok {
		return "", false
	}
	return server.address.String(), true
}

// close ends a node's kubelet; that there is none is no error.
func (k *kubelets) close(node string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if server, ok := k.open[node]; ok {
		_ = server.Close()
		delete(k.open, node)
	}
}

func (k *kubelets) closeAll() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	for _, server := range k.open {
		_ = server.Close()
	}
}

func (k *kubelets) handler(node string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics/resource", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		if err := k.usage.expose(r.Context(), w, node); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return mux
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
			for _, c := range containersOf(p) {
				if _, ended := inBackOff(p, c.Name); ended { // there is no cgroup
					continue
				}
				g, stamp := u.told(p, c.Name, stamp)
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
