package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/vpa"
)

// pool keeps clusters from one test to the next: to start one takes as much as many
// tests do. A test has a cluster to itself, because its time is; so there are as many
// as tests run at once, and each test leaves its own as it found it.
type pool struct {
	mu         sync.Mutex
	idle, made []*pooled
}

// pooled is a cluster of the pool.
type pooled struct {
	*embedded.Cluster
	dir    string
	config *rest.Config
	broken atomic.Bool
	seen   map[string]bool // tests: a second run of one finds nothing of the first
}

// Time goes by on its own on the clusters of live, and where the tests' own steps say
// so on the others.
var simulated, live pool

// take is for a test until it ends. Who gets a cluster after a test that failed gets
// another one.
func (p *pool) take(t testing.TB) *pooled {
	t.Helper()
	c, err := p.find(t.Context(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() || c.broken.Load() {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.idle = append(p.idle, c)
	})
	return c
}

// find starts a cluster where none is idle.
func (p *pool) find(ctx context.Context, test string) (*pooled, error) {
	if c := p.pick(test); c != nil {
		return c, nil
	}
	c, err := start(ctx)
	if err != nil {
		return nil, err
	}
	c.seen[test] = true
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made = append(p.made, c)
	return c, nil
}

func start(ctx context.Context) (*pooled, error) {
	starting.Lock()
	defer starting.Unlock()
	dir, err := os.MkdirTemp("", "pool") // short: unix sockets live below it
	if err != nil {
		return nil, err
	}
	c := &pooled{dir: dir, seen: map[string]bool{}}
	c.Cluster = embedded.New(embedded.Options{Dir: dir, Failed: func(error) { c.broken.Store(true) }})
	if c.config, err = c.Up(context.WithoutCancel(ctx)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

// appFor is an app with a cluster for a loop: who makes nodes looks at every pod there is,
// and so has one that nobody has used.
func appFor(t *testing.T, loop string) *app {
	t.Helper()
	if !slices.ContainsFunc(loops[loop].Needs, func(n string) bool { return n == engine.NeedsKarpenter || n == engine.NeedsGroups }) {
		return simulatedApp(t)
	}
	a := testApp(t)
	a.found(unused(t))
	return a
}

// unused is a cluster that nobody has used, and nobody will.
func unused(t *testing.T) *pooled {
	t.Helper()
	c, err := start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Down(context.Background()), os.RemoveAll(c.dir)); err != nil {
			t.Error(err)
		}
	})
	return c
}

// starting is one cluster at a time, as in every process but this.
var starting sync.Mutex

// pick finds an idle cluster that has not seen the test.
func (p *pool) pick(test string) *pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.idle, func(c *pooled) bool { return !c.seen[test] })
	if i < 0 {
		return nil
	}
	c := p.idle[i]
	p.idle, c.seen[test] = slices.Delete(p.idle, i, i+1), true
	return c
}

// close takes every cluster down, side by side.
func (p *pool) close() {
	var group sync.WaitGroup
	for _, c := range p.made {
		group.Go(func() {
			if err := errors.Join(c.Down(context.Background()), os.RemoveAll(c.dir)); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		})
	}
	group.Wait()
}

// simulatedApp is an app whose sessions find a cluster of the pool, as they find the one
// in the background.
func simulatedApp(t *testing.T) *app {
	t.Helper()
	a := testApp(t)
	a.found(simulated.take(t))
	return a
}

func (a *app) found(c *pooled) {
	a.opener = func(d deps, t target, scenarios fs.FS) opener {
		s := newSession(d, t, scenarios).(*session)
		s.cluster = running{Cluster: c.simulated(), down: func() error { return nil }}
		return s
	}
}

// simulated is a cluster of its own for a lab, whose parts a test may replace.
func (c *pooled) simulated() *lab.Simulated {
	return &lab.Simulated{Simulation: c.Cluster, Loader: localLoad{c.Cluster}, Config: rest.CopyConfig(c.config), Info: c.Info()}
}

// flow lets time go by on its own until the test ends.
func (c *pooled) flow(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_ = errors.Join(c.Advance(ctx, 15*time.Second), c.Scrape(ctx))
			time.Sleep(120 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { stop(); <-ended })
}

// dismiss removes what a class is prepared with when the test ends, and the resource
// types also where a lesson that was played on the cluster before has left its own.
func (c *pooled) dismiss(t *testing.T) {
	t.Cleanup(func() {
		ctx := context.Background()
		class, err := vpa.NewClass(c.config)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := class.Remove(ctx); err != nil {
			t.Error(err)
		}
		crds := dynamic.NewForConfigOrDie(c.config).Resource(apiextensionsv1.SchemeGroupVersion.WithResource("customresourcedefinitions"))
		kube := kubernetes.NewForConfigOrDie(c.config)
		within(t, time.Minute, "the types are not served any more", func() bool {
			for _, kind := range []string{"verticalpodautoscalers", "verticalpodautoscalercheckpoints"} {
				if err := crds.Delete(ctx, kind+".autoscaling.k8s.io", metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
					t.Error(err)
				}
			}
			_, err := kube.Discovery().ServerResourcesForGroupVersion("autoscaling.k8s.io/v1")
			return apierrors.IsNotFound(err)
		})
	})
}

var issued atomic.Int64

// unique is a name that no other test has.
func unique(name string) string { return fmt.Sprintf("%s-%d", name, issued.Add(1)) }
