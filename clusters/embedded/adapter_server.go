package embedded

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/client-go/kubernetes"
	"k8s.io/metrics/pkg/apis/custom_metrics"
	"k8s.io/metrics/pkg/apis/external_metrics"
	"sigs.k8s.io/custom-metrics-apiserver/pkg/apiserver"
)

const adapterService = "metrics-adapter"

// adapterAPIs are the versions that upstream's HPA controller prefers.
var adapterAPIs = []schema.GroupVersion{
	{Group: custom_metrics.GroupName, Version: "v1beta2"},
	{Group: external_metrics.GroupName, Version: "v1beta1"},
}

// adapterServer is the adapter while it runs.
type adapterServer struct {
	stop       context.CancelFunc
	ended      chan struct{}
	namespaces map[string]bool // whose metrics it answers
}

// startAdapter serves the adapter's API for a namespace and has it aggregated, unless it
// is already. It returns when a client that asks which APIs there are is told of it.
func (c *Cluster) startAdapter(ctx context.Context, namespace string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.adapter != nil {
		c.adapter.namespaces[namespace] = true
		return nil
	}
	serve, err := c.newAdapter()
	if err != nil {
		return err
	}
	life, stop := context.WithCancel(c.actors)
	a := &adapterServer{stop: stop, ended: make(chan struct{}), namespaces: map[string]bool{namespace: true}}
	c.adapter = a
	c.goRun(func() {
		defer close(a.ended)
		_ = serve(life)
	})
	err = c.aggregate(ctx, adapterService, adapterAPIs...)
	if err == nil {
		err = c.discovered(ctx)
	}
	return err
}

// newAdapter builds upstream's server of an adapter on a listener of its own.
func (c *Cluster) newAdapter() (serve func(context.Context) error, err error) {
	listener, err := listenLoopback()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = listener.Close()
		}
	}()
	c.services.add(adapterService, listener)
	config := genericapiserver.NewConfig(apiserver.Codecs)
	secure := genericoptions.NewSecureServingOptions()
	authn, authz := genericoptions.NewDelegatingAuthenticationOptions(), genericoptions.NewDelegatingAuthorizationOptions()
	c.delegate(authn, authz)
	if err := authn.ApplyTo(&config.Authentication, config.SecureServing, nil); err != nil {
		return nil, err
	}
	if err := authz.ApplyTo(&config.Authorization); err != nil {
		return nil, err
	}
	if err := c.serveOn(listener, adapterService, config, secure, authn); err != nil {
		return nil, err
	}
	answers := adapter{c.usage}
	server, err := (&apiserver.Config{GenericConfig: config}).Complete(nil).New(adapterService, answers, answers)
	if err != nil {
		return nil, err
	}
	return server.GenericAPIServer.PrepareRun().RunWithContext, nil
}

// discovered waits until discovery tells of the adapter's APIs: a client that had looked
// before would say that nobody serves them.
func (c *Cluster) discovered(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, pollEvery, startTimeout, true, func(context.Context) (bool, error) {
		groups, err := client.Discovery().ServerGroups()
		if err != nil {
			return false, err
		}
		told := 0
		for _, g := range groups.Groups {
			for _, v := range adapterAPIs {
				if g.Name == v.Group {
					told++
				}
			}
		}
		return told == len(adapterAPIs), nil
	})
}

// stopAdapter takes the adapter's APIs away, and ends it, when nobody else's metrics are
// left: the next lesson finds a cluster without one.
func (c *Cluster) stopAdapter(ctx context.Context, namespace string) error {
	a := c.lastOf(namespace)
	if a == nil {
		return nil
	}
	err := c.disaggregate(ctx, adapterService, adapterAPIs...)
	a.stop()
	select {
	case <-a.ended:
		return err
	case <-ctx.Done():
		return errors.Join(err, ctx.Err())
	}
}

// lastOf forgets the namespace, and returns the adapter if it was the last.
func (c *Cluster) lastOf(namespace string) (a *adapterServer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.adapter == nil {
		return nil
	}
	if delete(c.adapter.namespaces, namespace); len(c.adapter.namespaces) > 0 {
		return nil
	}
	a, c.adapter = c.adapter, nil
	return a
}
