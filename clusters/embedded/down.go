package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

const (
	stopTimeout  = 10 * time.Second // for everything that serves and controls
	closeTimeout = 5 * time.Second  // for the store after it
	settleTime   = 2 * time.Second  // for the API server's hooks before it
)

// ErrLate is returned by Down when something has not stopped in its time. It
// ends with the process.
var ErrLate = errors.New("did not stop in time")

// watch tells the owner when the running cluster has come to an end by itself.
func (c *Cluster) watch() {
	if c.opts.Failed == nil {
		return
	}
	c.stopListening = upstream.listen(c.opts.Failed)
	served, stored, serving := c.api.done, c.etcd.Err(), c.serving
	c.goRun(func() {
		what := "kube-apiserver"
		var err error
		select {
		case err = <-served:
		case err = <-stored:
			what = "etcd"
		case <-serving:
		}
		select {
		case <-serving: // it was told to
		default:
			c.opts.Failed(fmt.Errorf("%s stopped: %w", what, cmp.Or(err, upstream.why())))
		}
	})
}

// Down stops every component and removes the run directory. It ends in its time,
// with ErrLate where something else does not.
func (c *Cluster) Down(ctx context.Context) error {
	if c.api != nil {
		c.settle(context.WithoutCancel(ctx))
	}
	return c.end()
}

// settle lets the hooks of the API server end that Up did not wait for: one whose API
// server goes away would have ended the process half a minute later.
func (c *Cluster) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	if err := c.api.waitReady(ctx, nil); err != nil {
		upstream.mute(c.api)
	}
}

func (c *Cluster) end() error {
	if c.dir == nil {
		return nil
	}
	c.gate.update(func() { clear(c.gate.namespaces) }) // let held writes go, or nothing would end
	if c.stopListening != nil {
		c.stopListening()
	}
	if c.stopActors != nil {
		c.stopActors()
		c.stopServers()
	}
	api := c.api // the wait for it may outlive this call
	err := within(stopTimeout, "the control plane", func() {
		if api != nil {
			for range api.done { // until it is closed
			}
		}
		c.running.Wait()
	})
	if c.etcd != nil {
		err = errors.Join(err, within(closeTimeout, "etcd", c.etcd.Close))
	}
	for _, l := range []net.Listener{c.apiListener, c.metricsListener} {
		if l != nil {
			_ = l.Close() // closed already where a server has used it
		}
	}
	err = errors.Join(err, c.dir.remove())
	c.dir, c.admin, c.api, c.etcd, c.kubelets, c.apiListener, c.metricsListener, c.metrics, c.adapter = nil, nil, nil, nil, nil, nil, nil, nil, nil
	c.lifecycle.Store(nil)
	return err
}

// within waits for f no longer than it may take.
func within(limit time.Duration, what string, f func()) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f()
	}()
	select {
	case <-ended:
		return nil
	case <-time.After(limit):
		return fmt.Errorf("%s: %w", what, ErrLate)
	}
}
