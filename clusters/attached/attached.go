// Package attached attaches to a cluster that somebody else made and runs: any context of
// a kubeconfig, or what another Source finds. It never creates, changes or deletes a
// cluster; what a lesson makes in it is the lesson's to remove.
package attached

import (
	"cmp"
	"context"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/clock"

	"github.com/stepscale/stepscale/clusters"
)

// Source knows where a cluster is.
type Source interface {
	Find(context.Context) (Found, error)
	// ReasonOf finds the cause in an error of Find or of a client; empty when there is
	// no known one.
	ReasonOf(error) Reason
}

// Found is where a cluster is.
type Found struct {
	Name      string
	Config    *rest.Config // of its API server
	Namespace string       // "default" when empty
}

// Options say which context of a kubeconfig.
type Options struct {
	Context    string // the kubeconfig's current one when empty
	Kubeconfig string // path; kubectl's own rules when empty

	Clock clock.PassiveClock // compared with the API server's; the wall clock when nil
}

// Cluster is a cluster that somebody else runs. It satisfies clusters.Provider.
type Cluster struct {
	source     Source
	clock      clock.PassiveClock
	kubeconfig string
	rest       *rest.Config
	found      Found
	version    string
}

// New returns the cluster of a context, not attached yet.
func New(opts Options) *Cluster {
	c := From(kubeContext{opts}, opts.Clock)
	c.kubeconfig = opts.Kubeconfig
	return c
}

// From returns the cluster that a source will find. The wall clock counts when the
// clock is nil.
func From(s Source, c clock.PassiveClock) *Cluster {
	if c == nil {
		c = clock.RealClock{}
	}
	return &Cluster{source: s, clock: c}
}

// Namespace is that of the kubeconfig's context, as kubectl takes it; "default"
// where there is none. It is known after Up.
func (c *Cluster) Namespace() string { return cmp.Or(c.found.Namespace, metav1.NamespaceDefault) }

// Info describes the cluster. Name and version are known after Up.
func (c *Cluster) Info() clusters.Info {
	return clusters.Info{Name: c.found.Name, Version: c.version, Kubeconfig: c.kubeconfig}
}

// Up finds the cluster and asks its API server for the version, which also shows
// whether it lets us in. Errors are *Error where the cause is known.
func (c *Cluster) Up(ctx context.Context) (*rest.Config, error) {
	if c.rest != nil {
		return rest.CopyConfig(c.rest), nil
	}
	found, err := c.source.Find(ctx)
	if err != nil {
		return nil, c.explain(err)
	}
	cfg := found.Config
	cfg.Wrap(beCareful)
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	body, err := kube.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return nil, c.explainTimed(ctx, cfg, err)
	}
	var v version.Info
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, c.explain(err)
	}
	c.rest, c.found, c.version = cfg, found, v.GitVersion
	return rest.CopyConfig(cfg), nil
}

// Down forgets the connection. The cluster is not ours to remove.
func (c *Cluster) Down(context.Context) error {
	c.rest = nil
	return nil
}

// kubeContext is a context of a kubeconfig, whose own plugin makes the tokens.
type kubeContext struct{ opts Options }

func (k kubeContext) Find(context.Context) (Found, error) {
	config, err := Kubeconfig(k.opts.Kubeconfig)
	if err != nil {
		return Found{}, err
	}
	if err := contextIn(config, k.opts.Context); err != nil {
		return Found{}, err
	}
	name := cmp.Or(k.opts.Context, config.CurrentContext)
	loader := clientcmd.NewNonInteractiveClientConfig(*config, name, &clientcmd.ConfigOverrides{}, nil)
	cfg, err := loader.ClientConfig()
	if err == nil {
		_, err = rest.HTTPClientFor(cfg) // reads the keys
	}
	var namespace string
	if err == nil {
		namespace, _, err = loader.Namespace()
	}
	if err != nil {
		return Found{}, &Error{Reason: BadKubeconfig, Err: err}
	}
	return Found{Name: name, Config: cfg, Namespace: namespace}, nil
}

func (kubeContext) ReasonOf(err error) Reason { return ReasonOf(err) }
