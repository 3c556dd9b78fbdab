package kind_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/clusters/kind"
	"github.com/stepscale/stepscale/clusters/kind/standin"
)

// TestHost has the node call a server with TLS on this machine.
func TestHost(t *testing.T) {
	c := kind.New(kind.Options{Dir: t.TempDir(), Name: "host"})
	if _, err := c.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Down(context.Background()) })
	for name, at := range map[string]struct{ desktop, listens, reached string }{
		"gateway":               {"", standin.Gateway, standin.Gateway},
		"name of a loopback":    {"127.0.0.1", standin.Gateway, standin.Gateway},
		"name that is not ours": {"192.0.2.1", "127.0.0.1", "192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(standin.EnvHost, at.desktop)
			l, ip, err := c.Listen(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if got := l.Addr().(*net.TCPAddr).IP.String(); got != at.listens || ip.String() != at.reached {
				t.Errorf("listens on %s, reached under %s", got, ip)
			}
		})
	}
	l, ip, err := c.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Listener.Close()
	server.Listener = l
	server.StartTLS()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	url := "https://" + net.JoinHostPort(ip.String(), port)
	if err := c.Reach(t.Context(), url); err != nil {
		t.Error(err)
	}
	server.Close()
	err = c.Reach(t.Context(), url)
	wantReason(t, err, kind.Unreachable)
	var e *kind.Error
	if errors.As(err, &e) && !strings.Contains(e.Output, "refused") || !strings.Contains(err.Error(), url) {
		t.Errorf("it says %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Reach(cancelled, url); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestHostOfNothing has no node to ask.
func TestHostOfNothing(t *testing.T) {
	c := kind.New(kind.Options{Dir: t.TempDir(), Name: "nothing"})
	if _, _, err := c.Listen(t.Context()); err == nil {
		t.Error("listens for a cluster that is not there")
	}
	if err := c.Reach(t.Context(), "http://127.0.0.1:1"); err == nil {
		t.Error("reached from a cluster that is not there")
	}
}
