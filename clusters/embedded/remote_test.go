package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/engine/trace"
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
	go func() { done <- embedded.Serve(ctx, cluster, socket, parse) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(socket); err == nil {
			t.Error("the socket is left behind")
		}
		_ = os.RemoveAll(dir)
	})
	eventually(t, "server", func(ctx context.Context) bool {
		s, err := embedded.NewRemote(socket).Status(ctx)
		return err == nil && s.State == embedded.Ready
	})
	return socket
}

var errBad = errors.New("line 3 is bad")

func parse(b []byte) (embedded.Load, error) {
	switch string(b) {
	case "bad":
		return nil, errBad
	case "slow":
		return slow, nil
	}
	return flat(100), nil
}

// slowLoad takes its time, and says when it was asked first.
type slowLoad struct {
	once  sync.Once
	begun chan struct{}
}

var slow = &slowLoad{begun: make(chan struct{})}

func (s *slowLoad) Usage(time.Duration, []*corev1.Pod, time.Time) map[string]map[string]embedded.Usage {
	s.once.Do(func() { close(s.begun) })
	time.Sleep(10 * time.Millisecond)
	return nil
}

func dial(t *testing.T, socket string) *embedded.Remote {
	t.Helper()
	r := embedded.NewRemote(socket)
	t.Cleanup(func() { _ = r.Disconnect() })
	return r
}

func attached(t *testing.T, socket string) *embedded.Remote {
	t.Helper()
	r := dial(t, socket)
	if err := r.Attach(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRemoteDrivesClockAndReadsInfo(t *testing.T) {
	r := attached(t, serve(t))
	status, err := r.Status(t.Context())
	if err != nil || status.Info == nil {
		t.Fatalf("status %+v, %v", status, err)
	}
	info := *status.Info
	if info.Name != "embedded" || !info.Disposable || info.Kubeconfig == "" || !strings.HasPrefix(info.Version, "v1.37") {
		t.Errorf("info %+v", info)
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
	if server, err := client.Discovery().ServerVersion(); err != nil || server.GitVersion != info.Version {
		t.Errorf("the API server says %v, %v; want %s", server, err, info.Version)
	}
	watches, err := r.Watches(t.Context())
	if err != nil || len(watches) == 0 {
		t.Errorf("%d watches, %v", len(watches), err)
	}
	if body, err := r.KubeletMetrics(t.Context(), "sim-node-1"); err != nil || !strings.Contains(body, "node_cpu") {
		t.Errorf("metrics %q, %v", body, err)
	}
}

// TestErrorsKeepTheirKind on their way through the socket.
func TestErrorsKeepTheirKind(t *testing.T) {
	socket := serve(t)
	r := attached(t, socket)
	other := dial(t, socket)
	for name, c := range map[string]struct {
		err, want error
		says      string
	}{
		"second session": {other.Attach(t.Context()), embedded.ErrBusy, ""},
		"no session":     {other.Advance(t.Context(), time.Second), embedded.ErrNoSession, ""},
		"bad load":       {r.SetLoad(t.Context(), "x", []byte("bad")), embedded.ErrBadLoad, errBad.Error()},
		"large load":     {r.SetLoad(t.Context(), "x", make([]byte, 5<<20)), nil, "too large"},
		"back in time":   {r.Advance(t.Context(), -time.Second), nil, "time does not go back"},
		"nobody there":   {dial(t, socket+"x").Scrape(t.Context()), embedded.ErrNotRunning, ""},
	} {
		if c.err == nil || c.want != nil && !errors.Is(c.err, c.want) || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("%s: %v, want %v %q", name, c.err, c.want, c.says)
		}
	}
}

// TestCancelEndsTheCallOnTheOtherSide: Ctrl-C in a lesson is a cancelled context.
func TestCancelEndsTheCallOnTheOtherSide(t *testing.T) {
	r := attached(t, serve(t))
	ns := newNamespace(t)
	if err := r.SetLoad(t.Context(), ns, []byte("slow")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.SetLoad(context.Background(), ns, flat(0)) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-slow.begun
		cancel()
	}()
	before := cluster.Now()
	const far = time.Hour
	if err := r.Advance(ctx, far); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled Advance says %v", err)
	}
	if err := r.Advance(t.Context(), 0); err != nil { // waits for its turn, and finds the session alive
		t.Fatal(err)
	}
	if moved := cluster.Now().Sub(before); moved >= far {
		t.Errorf("the other side went on for %s", moved)
	}
}

func TestOneSeatAndItIsGivenBack(t *testing.T) {
	socket := serve(t)
	first, second := attached(t, socket), dial(t, socket)
	if err := second.Attach(t.Context()); !errors.Is(err, embedded.ErrBusy) {
		t.Fatalf("second session: %v, want ErrBusy", err)
	}
	ns := newNamespace(t)
	if err := first.Hold(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	if err := first.Disconnect(); err != nil {
		t.Fatal(err)
	}
	if err := second.Attach(t.Context()); err != nil { // at once: it was put back when Disconnect came back
		t.Fatal(err)
	}
	newDeployment(t, ns, 1) // its gate was released with the session
	eventually(t, "pod ready", func(context.Context) bool { return readyPods(t, ns) == 1 })
}

// TestKilledSessionGivesItsSeatBack drives from a process that is killed.
func TestKilledSessionGivesItsSeatBack(t *testing.T) {
	socket := serve(t)
	ns := newNamespace(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killedSocket+"="+socket, killedNamespace+"="+ns)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "holding\n" {
		t.Fatalf("the session says %q, %v", line, err)
	}
	r := dial(t, socket)
	if err := r.Attach(t.Context()); !errors.Is(err, embedded.ErrBusy) {
		t.Errorf("beside a living session: %v, want ErrBusy", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventually(t, "seat free", func(ctx context.Context) bool { return r.Attach(ctx) == nil })
	newDeployment(t, ns, 1) // is not held any more
	eventually(t, "pod ready", func(context.Context) bool { return readyPods(t, ns) == 1 })
	if err := r.Hold(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "alone"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web"}}}}
	if _, err := client.CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "scheduler not open any more", func(ctx context.Context) bool {
		held, err := r.Waiting(ctx)
		return err == nil && slices.ContainsFunc(held, func(h trace.Waiting) bool {
			return h.Actor == trace.ActorScheduler && strings.Contains(h.Path, "/pods/alone/binding")
		})
	})
}

const (
	killedSocket    = "TEST_SOCKET"
	killedNamespace = "TEST_NAMESPACE"
)

// killed is a session that is killed: it holds a namespace, opens an actor, and waits.
func killed(socket string) int {
	ctx := context.Background()
	r := embedded.NewRemote(socket)
	err := errors.Join(r.Attach(ctx), r.Hold(ctx, os.Getenv(killedNamespace)), r.Open(ctx, trace.ActorScheduler))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("holding")
	_, _ = io.Copy(io.Discard, os.Stdin) // for ever
	return 0
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
