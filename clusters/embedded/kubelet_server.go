package embedded

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

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
