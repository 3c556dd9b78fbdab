package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/engine/trace"
)

// ErrNotRunning is returned by everything that needs a running cluster.
var ErrNotRunning = clusters.ErrNotRunning

// startupDelay is the virtual time from the moment a pod waits to be bound to
// its containers' start. The next scrape then finds it 12 s old, old enough for
// the Metrics Server to give it a value (storage/pod.go,
// freshContainerMinMetricsResolution). It passes before the binding and not
// after it, because KWOK writes the start time into its patch when it sees the
// bound pod, before the gate holds that patch.
const startupDelay = 3 * time.Second

// Now returns the virtual time.
func (c *Cluster) Now() time.Time { return c.clock.Now() }

// Advance moves the virtual clock by d and lets the load flow meanwhile. What
// starting pods took since the last Advance is part of d, so that a caller who
// advances by the sync period stays on its grid.
func (c *Cluster) Advance(ctx context.Context, d time.Duration) error {
	if c.usage == nil {
		return ErrNotRunning
	}
	if d < 0 {
		return fmt.Errorf("time does not go back: %s", d)
	}
	c.mu.Lock()
	spent := min(c.spent, d)
	c.spent -= spent
	c.mu.Unlock()
	return c.usage.advance(ctx, d-spent)
}

// Since satisfies k8s.io/utils/clock.PassiveClock.
func (c *Cluster) Since(t time.Time) time.Duration { return c.clock.Since(t) }

// Scrape lets the Metrics Server scrape every kubelet once.
func (c *Cluster) Scrape(ctx context.Context) error {
	if c.metrics == nil {
		return ErrNotRunning
	}
	if c.metrics.away.Load() {
		return ctx.Err()
	}
	if err := c.metrics.scrape(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// KubeletMetrics reads /metrics/resource of a node's kubelet over HTTPS. The
// API server's node proxy cannot: it refuses loopback addresses.
func (c *Cluster) KubeletMetrics(ctx context.Context, node string) (string, error) {
	if c.admin == nil {
		return "", ErrNotRunning
	}
	address, ok := c.kubelets.address(node)
	if !ok {
		return "", fmt.Errorf("no kubelet on node %s", node)
	}
	return c.readKubelet(ctx, "https://"+address+"/metrics/resource")
}

func (c *Cluster) readKubelet(ctx context.Context, url string) (string, error) {
	client, err := rest.HTTPClientFor(c.toKubelets(c.recorded(trace.ActorLearner, rest.ImpersonationConfig{})))
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("kubelet answered %s", resp.Status)
	}
	return string(body), err
}

// SetLoad lets the pods of a namespace use CPU as the model says, from now on, and an
// adapter serve its metrics where it is Metered. That ends with Release.
func (c *Cluster) SetLoad(ctx context.Context, namespace string, model Load) error {
	if c.usage == nil {
		return ErrNotRunning
	}
	if _, ok := model.(Metered); ok {
		if err := c.startAdapter(ctx, namespace); err != nil {
			return fmt.Errorf("metrics adapter: %w", err)
		}
	}
	c.usage.set(namespace, model)
	return nil
}

// Hold makes the gate keep back every actor's writes to the namespace.
func (c *Cluster) Hold(_ context.Context, namespace string) error {
	c.gate.update(func() { c.gate.namespaces[namespace] = true })
	return nil
}

// Release ends what Hold began, and what disturbed the cluster meanwhile. What pods took
// to start there is nobody's debt any more: the next caller begins a grid of its own.
func (c *Cluster) Release(ctx context.Context, namespace string) error {
	c.mu.Lock()
	c.spent = 0
	c.mu.Unlock()
	c.gate.update(func() { delete(c.gate.namespaces, namespace) })
	return errors.Join(c.calm(ctx), c.stopAdapter(ctx, namespace))
}

// Open lets one actor write. Opening the scheduler while a pod waits for it lets
// the virtual startup time pass first.
func (c *Cluster) Open(ctx context.Context, actor string) error {
	if actor == trace.ActorScheduler && slices.ContainsFunc(c.gate.list(), bindsPod) {
		if c.usage == nil {
			return ErrNotRunning
		}
		if err := c.usage.advance(ctx, startupDelay); err != nil {
			return err
		}
		c.mu.Lock()
		c.spent += startupDelay
		c.mu.Unlock()
	}
	c.gate.update(func() { c.gate.open[actor] = true })
	return nil
}

func bindsPod(h trace.Waiting) bool {
	return h.Actor == trace.ActorScheduler && strings.HasSuffix(h.Path, "/binding")
}

// Close makes the gate hold the actor's writes again.
func (c *Cluster) Close(_ context.Context, actor string) error {
	c.gate.update(func() { delete(c.gate.open, actor) })
	return nil
}

// Waiting returns the writes that the gate keeps back now.
func (c *Cluster) Waiting(context.Context) ([]trace.Waiting, error) { return c.gate.list(), nil }

// Flying counts the actor's writes that the gate has let through and that are not answered.
func (c *Cluster) Flying(_ context.Context, actor string) (int, error) {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	return c.gate.flying[actor], nil
}

// Calls returns what the actors sent since the last call of Calls.
func (c *Cluster) Calls(context.Context) ([]trace.Call, error) { return c.recorder.Take(), nil }

// Watches returns the watches that the actors hold open now.
func (c *Cluster) Watches(context.Context) ([]trace.Watch, error) {
	return c.recorder.Watches(), nil
}
