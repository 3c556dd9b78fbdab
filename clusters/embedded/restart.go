package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

var errWatched = errors.New("whoever listens for failures would hear of one")

// RestartAPI stops the API server, leaves its port alone for that time, and starts it again
// there, above the same store: what clients see while somebody upgrades a control plane.
// Everything that was written is still there, and tokens are as good as before.
func (c *Cluster) RestartAPI(ctx context.Context, away time.Duration) error {
	if c.api == nil {
		return ErrNotRunning
	}
	if c.opts.Failed != nil {
		return errWatched
	}
	c.settle(ctx)
	c.stopAPI()
	err := within(stopTimeout, "kube-apiserver", func() { c.connections.cutUntil(c.api.done) })
	if err != nil {
		return err
	}
	select {
	case <-time.After(away):
	case <-ctx.Done():
		return ctx.Err()
	}
	listener, err := net.Listen("tcp4", c.apiListener.Addr().String())
	if err != nil {
		return fmt.Errorf("the API server's port: %w", err)
	}
	c.apiListener = listener
	return c.serveAPI(ctx, c.servers)
}

// connections are those of the API server that are open.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]bool
}

// cutUntil ends them all, in the midst of whatever they are at, until the server has stopped:
// upstream waits a minute for those who watch, and takes newcomers as long as it waits.
func (c *connections) cutUntil(stopped <-chan error) {
	for again := time.NewTicker(pollEvery); ; {
		c.mu.Lock()
		for conn := range c.open {
			_ = conn.Close()
		}
		clear(c.open)
		c.mu.Unlock()
		select {
		case _, ok := <-stopped:
			if !ok {
				again.Stop()
				return
			}
		case <-again.C:
		}
	}
}

// through notes the connections that a listener takes.
func (c *connections) through(l net.Listener) net.Listener { return noting{l, c} }

type noting struct {
	net.Listener
	in *connections
}

// Accept notes the connection until it is closed.
func (n noting) Accept() (net.Conn, error) {
	conn, err := n.Listener.Accept()
	if err != nil {
		return nil, err
	}
	n.in.mu.Lock()
	defer n.in.mu.Unlock()
	if n.in.open == nil {
		n.in.open = map[net.Conn]bool{}
	}
	n.in.open[conn] = true
	return noted{conn, n.in}, nil
}

type noted struct {
	net.Conn
	in *connections
}

// Close forgets the connection.
func (n noted) Close() error {
	n.in.mu.Lock()
	delete(n.in.open, n.Conn)
	n.in.mu.Unlock()
	return n.Conn.Close()
}
