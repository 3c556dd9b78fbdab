package embedded_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/clusters/embedded"
)

// serve lets another "process" reach the test cluster over a socket.
func serve(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sock") // t.TempDir is too long for a unix socket
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- embedded.Serve(ctx, cluster, socket, func(b []byte) (embedded.Load, error) {
			if string(b) == "bad" {
				return nil, errors.New("bad load")
			}
			return flat(100), nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	eventually(t, "socket", func(context.Context) bool { _, err := os.Stat(socket); return err == nil })
	return socket
}

func dial(t *testing.T, socket string) *embedded.Remote {
	t.Helper()
	r, err := embedded.Dial(socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Disconnect() })
	return r
}

func TestRemoteDrivesClockAndReadsInfo(t *testing.T) {
	r := dial(t, serve(t))
	if err := r.Attach(); err != nil {
		t.Fatal(err)
	}
	info, err := r.Info()
	if err != nil || info.Name != "embedded" || !info.Disposable || info.Kubeconfig == "" || !strings.HasPrefix(info.Version, "v1.37") {
		t.Errorf("info %+v, %v", info, err)
	}
	if err := cluster.Advance(t.Context(), time.Minute); err != nil { // what other tests' pods owe the clock
		t.Fatal(err)
	}
	before := cluster.Now()
	if !r.Now().Equal(before) {
		t.Errorf("remote clock %s, want %s", r.Now(), before)
	}
	if err := r.Advance(t.Context(), 15*time.Second); err != nil {
		t.Fatal(err)
	}
	if got := cluster.Now().Sub(before); got != 15*time.Second {
		t.Errorf("clock moved by %s, want 15s", got)
	}
	if err := r.SetLoad("x", []byte("bad")); err == nil || !strings.Contains(err.Error(), "bad load") {
		t.Errorf("a bad load gave %v", err)
	}
	if server, err := client.Discovery().ServerVersion(); err != nil || server.GitVersion != info.Version {
		t.Errorf("the API server says %v, %v; want %s", server, err, info.Version)
	}
	watches, err := r.Watches(t.Context())
	if err != nil || len(watches) == 0 {
		t.Errorf("%d watches, %v", len(watches), err)
	}
}

func TestOneSeatAndItIsGivenBack(t *testing.T) {
	socket := serve(t)
	first, second := dial(t, socket), dial(t, socket)
	if err := first.Attach(); err != nil {
		t.Fatal(err)
	}
	if err := second.Attach(); !errors.Is(err, embedded.ErrBusy) {
		t.Fatalf("second session: %v, want ErrBusy", err)
	}
	ns := newNamespace(t)
	if err := first.Hold(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	_ = first.Disconnect() // as a killed process would
	eventually(t, "seat free", func(context.Context) bool { return second.Attach() == nil })
	newDeployment(t, ns, 1) // its gate was released with the session
	eventually(t, "pod ready", func(context.Context) bool { return readyPods(t, ns) == 1 })
}

func TestKubeconfigIsPrivate(t *testing.T) {
	info, err := os.Stat(cluster.Info().Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode %o, want 600", got)
	}
}
