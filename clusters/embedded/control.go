package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// control is the cluster as other processes see it.
type control struct {
	cluster *Cluster
	parse   func([]byte) (Load, error)
	stop    context.CancelFunc
	calls   sync.WaitGroup // of every client; none begins when it is not ready

	mu      sync.Mutex
	state   State
	phases  []Phase
	session *session // the one that drives; may be nil
}

func (c *control) listen(ctx context.Context, socket string) (end func() error, err error) {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w", socket, err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		_ = listener.Close()
		return nil, err
	}
	c.setState(Starting)
	server := &http.Server{
		Handler: c.handler(), ReadHeaderTimeout: answerWithin,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() { _ = server.Serve(listener) }() // until it is closed, which removes the socket
	return server.Close, nil
}

func (c *control) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+statusPath, func(w http.ResponseWriter, _ *http.Request) { answer(w, c.status(), nil) })
	mux.HandleFunc("POST "+stopPath, func(w http.ResponseWriter, _ *http.Request) {
		c.stop()
		answer(w, none{}, nil)
	})
	mux.HandleFunc("POST "+methodPath+"attach", c.attach)
	for name, m := range c.methods() {
		mux.HandleFunc("POST "+methodPath+name, c.serve(m))
	}
	return mux
}

// method is one of the cluster's; those that drive are for the session alone.
type method struct {
	drives bool
	do     func(ctx context.Context, args []byte) (any, error)
}

// asks is a method that returns something, and tells one that does not.
func asks[A, R any](do func(context.Context, A) (R, error)) func(context.Context, []byte) (any, error) {
	return func(ctx context.Context, body []byte) (any, error) {
		var args A
		if err := json.Unmarshal(body, &args); err != nil {
			return nil, fmt.Errorf("%w: %w", errBadRequest, err)
		}
		return do(ctx, args)
	}
}

func tells[A any](do func(context.Context, A) error) func(context.Context, []byte) (any, error) {
	return asks(func(ctx context.Context, args A) (none, error) { return none{}, do(ctx, args) })
}

func (c *control) methods() map[string]method {
	const drives, reads = true, false
	cluster := c.cluster
	return map[string]method{
		"now":      {reads, asks(func(context.Context, none) (time.Time, error) { return cluster.Now(), nil })},
		"waiting":  {reads, asks(func(ctx context.Context, _ none) ([]trace.Waiting, error) { return cluster.Waiting(ctx) })},
		"flying":   {reads, asks(cluster.Flying)},
		"watches":  {reads, asks(func(ctx context.Context, _ none) ([]trace.Watch, error) { return cluster.Watches(ctx) })},
		"beats":    {reads, asks(cluster.Beats)},
		"revision": {reads, asks(func(ctx context.Context, _ none) (int64, error) { return cluster.Revision(ctx) })},
		"newest":   {reads, asks(cluster.Newest)},
		"kubelet":  {reads, asks(cluster.KubeletMetrics)},
		"calls":    {drives, asks(func(ctx context.Context, _ none) ([]trace.Call, error) { return cluster.Calls(ctx) })},
		"advance":  {drives, tells(cluster.Advance)},
		"disturb":  {drives, tells(cluster.Disturb)},
		"nodes":    {drives, tells(cluster.SetNodes)},
		"join":     {drives, tells(cluster.Join)},
		"leave":    {drives, tells(cluster.Leave)},
		"scrape":   {drives, tells(func(ctx context.Context, _ none) error { return cluster.Scrape(ctx) })},
		"load":     {drives, tells(c.setLoad)},
		"hold":     {drives, tells(c.noting(func(s *session) map[string]bool { return s.held }, cluster.Hold))},
		"release":  {drives, tells(cluster.Release)},
		"open":     {drives, tells(c.noting(func(s *session) map[string]bool { return s.opened }, cluster.Open))},
		"close":    {drives, tells(cluster.Close)},
		"detach":   {drives, tells(func(context.Context, none) error { c.current().cancel(); return nil })},
	}
}

func (c *control) setLoad(ctx context.Context, args loadArgs) error {
	model, err := c.parse(args.Spec)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadLoad, err)
	}
	return c.cluster.SetLoad(ctx, args.Namespace, model)
}

// noting remembers what has to be put back when the session is gone.
func (c *control) noting(list func(*session) map[string]bool, do func(context.Context, string) error) func(context.Context, string) error {
	return func(ctx context.Context, name string) error {
		c.mu.Lock()
		list(c.session)[name] = true
		c.mu.Unlock()
		return do(ctx, name)
	}
}

// serve reads the whole body first: only then does the server see that the other side
// has gone, and cancel the context.
func (c *control) serve(m method) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxRequest))
		if err != nil {
			answer(w, nil, fmt.Errorf("%w: %w", errBadRequest, err))
			return
		}
		ctx, leave, err := c.enter(req, m.drives)
		if err != nil {
			answer(w, nil, err)
			return
		}
		defer leave()
		reply, err := m.do(ctx, body)
		answer(w, reply, err)
	}
}

// enter begins a call. One that drives ends with its session.
func (c *control) enter(req *http.Request, drives bool) (context.Context, func(), error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.session
	switch {
	case c.state != Ready:
		return nil, nil, fmt.Errorf("%w: it is %s", ErrNotRunning, c.state)
	case drives && (s == nil || s.ended || s.token != req.Header.Get(sessionHeader)):
		return nil, nil, ErrNoSession
	}
	c.calls.Add(1)
	if !drives {
		return req.Context(), c.calls.Done, nil
	}
	ctx, cancel := context.WithCancel(req.Context())
	unbind := context.AfterFunc(s.ctx, cancel)
	s.calls.Add(1)
	return ctx, func() {
		unbind()
		cancel()
		s.calls.Done()
		c.calls.Done()
	}, nil
}

// drain refuses new calls and waits for those that run. Their context has ended.
func (c *control) drain() {
	c.setState(Stopping)
	if s := c.current(); s != nil {
		<-s.gone
	}
	c.calls.Wait()
}

func (c *control) ready() { c.setState(Ready) }

func (c *control) setState(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = s
}

func (c *control) current() *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

func (c *control) phase(name string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phases = append(c.phases, Phase{name, took})
}

func (c *control) status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Status{Protocol: protocol, State: c.state, Phases: c.phases}
	if c.state == Ready {
		info := c.cluster.Info()
		s.Info = &info
	}
	return s
}
