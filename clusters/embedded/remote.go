package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"sync"
	"time"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/engine/trace"
)

// ErrBusy is returned to a second session: the clock and the gate are one.
var ErrBusy = errors.New("another session drives this cluster")

const rpcName = "Cluster"

// Serve lets other processes of this user drive the cluster over a unix socket
// (mode 0600) until ctx is done or one of them asks to stop. parse turns the
// description of a load into its model.
func Serve(ctx context.Context, c *Cluster, socket string, parse func([]byte) (Load, error)) error {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("control socket %s: %w", socket, err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false) // the socket goes when the cluster is down, not before
	defer func() { _ = listener.Close() }()
	if err := os.Chmod(socket, 0o600); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	var seat sync.Mutex
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		go serveConn(conn, &Control{cluster: c, parse: parse, seat: &seat, stop: stop})
	}
}

func serveConn(conn net.Conn, control *Control) {
	server := rpc.NewServer()
	if err := server.RegisterName(rpcName, control); err != nil {
		_ = conn.Close()
		return
	}
	server.ServeConn(conn) // returns when the other side is gone, also after a kill
	control.leave()
}

// Control is the cluster as net/rpc shows it to one connection.
type Control struct {
	cluster *Cluster
	parse   func([]byte) (Load, error)
	seat    *sync.Mutex // held by the session that drives
	stop    context.CancelFunc

	mu     sync.Mutex
	seated bool
	held   map[string]bool // namespaces to release when the session is gone
}

// None is the argument or reply of a method that has none.
type None struct{}

// LoadArgs are the arguments of SetLoad.
type LoadArgs struct {
	Namespace string
	Spec      []byte
}

func (s *Control) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ns := range s.held {
		_ = s.cluster.Release(context.Background(), ns)
	}
	if s.seated {
		s.seated = false
		s.seat.Unlock()
	}
}

// Attach takes the one seat, until the connection closes.
func (s *Control) Attach(None, *None) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seated {
		return nil
	}
	if !s.seat.TryLock() {
		return ErrBusy
	}
	s.seated, s.held = true, map[string]bool{}
	_, err := s.cluster.Calls(context.Background()) // those of the session before
	return err
}

func (s *Control) Info(_ None, reply *clusters.Info) error { *reply = s.cluster.Info(); return nil }
func (s *Control) Now(_ None, reply *time.Time) error      { *reply = s.cluster.Now(); return nil }
func (s *Control) Stop(None, *None) error                  { s.stop(); return nil }

func (s *Control) Advance(d time.Duration, _ *None) error {
	return s.cluster.Advance(context.Background(), d)
}
func (s *Control) Scrape(None, *None) error { return s.cluster.Scrape(context.Background()) }

func (s *Control) KubeletMetrics(node string, reply *string) (err error) {
	*reply, err = s.cluster.KubeletMetrics(context.Background(), node)
	return err
}

func (s *Control) SetLoad(args LoadArgs, _ *None) error {
	model, err := s.parse(args.Spec)
	if err != nil {
		return err
	}
	return s.cluster.SetLoad(args.Namespace, model)
}

func (s *Control) Hold(namespace string, _ *None) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		return errors.New("attach first")
	}
	s.held[namespace] = true
	return s.cluster.Hold(context.Background(), namespace)
}

func (s *Control) Release(namespace string, _ *None) error {
	return s.cluster.Release(context.Background(), namespace)
}
func (s *Control) Open(actor string, _ *None) error {
	return s.cluster.Open(context.Background(), actor)
}
func (s *Control) Close(actor string, _ *None) error {
	return s.cluster.Close(context.Background(), actor)
}

func (s *Control) Waiting(_ None, reply *[]trace.Waiting) (err error) {
	*reply, err = s.cluster.Waiting(context.Background())
	return err
}

func (s *Control) Calls(_ None, reply *[]trace.Call) (err error) {
	*reply, err = s.cluster.Calls(context.Background())
	return err
}

func (s *Control) Watches(_ None, reply *[]trace.Watch) (err error) {
	*reply, err = s.cluster.Watches(context.Background())
	return err
}

// Remote is a cluster that another process runs. Its methods are Cluster's.
type Remote struct{ client *rpc.Client }

// Dial connects to the cluster behind the socket.
func Dial(socket string) (*Remote, error) {
	conn, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return nil, err
	}
	return &Remote{client: rpc.NewClient(conn)}, nil
}

// Disconnect gives the seat back; the cluster goes on.
func (r *Remote) Disconnect() error { return r.client.Close() }

// Attach takes the one seat. The error is ErrBusy when it is taken.
func (r *Remote) Attach() error {
	err := call(r, "Attach", None{}, &None{})
	if err != nil && err.Error() == ErrBusy.Error() {
		return ErrBusy
	}
	return err
}

// Stop ends the cluster.
func (r *Remote) Stop() error { return call(r, "Stop", None{}, &None{}) }

func (r *Remote) Info() (info clusters.Info, err error) {
	err = call(r, "Info", None{}, &info)
	return info, err
}

// Now returns the virtual time, and the zero time when the cluster is gone.
func (r *Remote) Now() (now time.Time) {
	_ = call(r, "Now", None{}, &now)
	return now
}

// Since satisfies k8s.io/utils/clock.PassiveClock.
func (r *Remote) Since(t time.Time) time.Duration { return r.Now().Sub(t) }

func (r *Remote) Advance(_ context.Context, d time.Duration) error {
	return call(r, "Advance", d, &None{})
}
func (r *Remote) Scrape(context.Context) error { return call(r, "Scrape", None{}, &None{}) }

// KubeletMetrics is Cluster.KubeletMetrics.
func (r *Remote) KubeletMetrics(_ context.Context, node string) (body string, err error) {
	err = call(r, "KubeletMetrics", node, &body)
	return body, err
}

// SetLoad sends the description of a load; the other process parses it.
func (r *Remote) SetLoad(namespace string, spec []byte) error {
	return call(r, "SetLoad", LoadArgs{Namespace: namespace, Spec: spec}, &None{})
}
func (r *Remote) Hold(_ context.Context, ns string) error { return call(r, "Hold", ns, &None{}) }
func (r *Remote) Release(_ context.Context, ns string) error {
	return call(r, "Release", ns, &None{})
}
func (r *Remote) Open(_ context.Context, actor string) error { return call(r, "Open", actor, &None{}) }
func (r *Remote) Close(_ context.Context, actor string) error {
	return call(r, "Close", actor, &None{})
}

func (r *Remote) Waiting(context.Context) (waiting []trace.Waiting, err error) {
	err = call(r, "Waiting", None{}, &waiting)
	return waiting, err
}

func (r *Remote) Calls(context.Context) (calls []trace.Call, err error) {
	err = call(r, "Calls", None{}, &calls)
	return calls, err
}

func (r *Remote) Watches(context.Context) (watches []trace.Watch, err error) {
	err = call(r, "Watches", None{}, &watches)
	return watches, err
}

func call[A, R any](r *Remote, method string, args A, reply *R) error {
	err := r.client.Call(rpcName+"."+method, args, reply)
	if errors.Is(err, rpc.ErrShutdown) {
		return fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	return err
}
