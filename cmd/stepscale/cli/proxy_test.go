package cli

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
)

// proxy stands between us and a managed cluster's API server, and answers in its
// target with a status code, or not at all.
type proxy struct {
	through http.Handler
	server  *httptest.Server
	fault   atomic.Int32 // the status code; 0 for none
	lose    atomic.Value // a part of a path: the next such request is served, and its answer lost
	ahead   atomic.Int64 // nanoseconds that the learner's clock is ahead of its own
}

const cut = -1 // the connection is gone

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if part, _ := p.lose.Load().(string); part != "" && strings.Contains(r.URL.Path, part) {
		p.lose.Store("")
		p.through.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	switch code := int(p.fault.Load()); code {
	case 0:
		p.through.ServeHTTP(w, r)
	case cut:
		panic(http.ErrAbortHandler)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Date", time.Now().Add(-time.Duration(p.ahead.Load())).UTC().Format(http.TimeFormat))
		w.WriteHeader(code)
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","code":` + strconv.Itoa(code) + `,"reason":"` + strings.ReplaceAll(http.StatusText(code), " ", "") + `","message":"no"}`))
	}
}

// start listens where it listened before, or on any free port.
func (p *proxy) start() error {
	server := httptest.NewUnstartedServer(p)
	if p.server != nil {
		l, err := net.Listen("tcp", p.server.Listener.Addr().String())
		if err != nil {
			return err
		}
		_ = server.Listener.Close()
		server.Listener = l
	}
	server.StartTLS()
	p.server = server
	return nil
}

// stop cuts every connection, those of the watches too, and refuses new ones.
func (p *proxy) stop() {
	_ = p.server.Listener.Close()
	p.server.CloseClientConnections()
	p.server.Close()
}

// behind lets the app attach through a proxy.
func behind(t *testing.T, a *app, m liveCluster) *proxy {
	t.Helper()
	target, err := url.Parse(m.config.Host)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	if through.Transport, err = rest.TransportFor(m.config); err != nil {
		t.Fatal(err)
	}
	through.FlushInterval = -1 // watches
	through.ErrorLog = log.New(io.Discard, "", 0)
	p := &proxy{through: through}
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop() })
	file := filepath.Join(t.TempDir(), "kubeconfig")
	err = clientcmd.WriteToFile(api.Config{
		CurrentContext: "proxy", Contexts: map[string]*api.Context{"proxy": {Cluster: "proxy"}},
		Clusters: map[string]*api.Cluster{"proxy": {Server: p.server.URL, InsecureSkipTLSVerify: true}},
	}, file)
	if err != nil {
		t.Fatal(err)
	}
	a.target.attach = lab.Attachment{Context: "proxy", Kubeconfig: file}
	return p
}
