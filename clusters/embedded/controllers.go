package embedded

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"

	"github.com/stepscale/stepscale/engine/trace"
)

const (
	workers     = 4
	burstPods   = 500 // upstream's default of --replicaset burst
	gcSyncEvery = 5 * time.Second
)

// startControllers starts the part of kube-controller-manager that a lesson
// needs. Every controller has its own identity, so that RBAC is upstream's. Those that
// a lesson tells of have their own informers, so that the watches they hold are their own.
func (c *Cluster) startControllers(ctx context.Context) error {
	shared, err := c.sharedInformers()
	if err != nil {
		return err
	}
	for _, start := range []func(context.Context) error{
		c.startDeploymentController, c.startReplicaSetController,
	} {
		if err := start(ctx); err != nil {
			return err
		}
	}
	for _, start := range []func(context.Context, *sharedInformers) error{
		c.startServiceAccounts, c.startNamespaceController, c.startGarbageCollector, c.startDisruptionController, c.startQuotaController,
	} {
		if err := start(ctx, shared); err != nil {
			return err
		}
	}
	shared.Start(ctx.Done())
	close(shared.started)
	return nil
}

// sharedInformers are those of the controllers that no lesson tells of, and that watch
// nearly everything. As in kube-controller-manager, one watch serves all of them, under
// another name than theirs: not every role of a controller may list what it needs.
type sharedInformers struct {
	informerfactory.InformerFactory
	reader  kubernetes.Interface
	typed   informers.SharedInformerFactory
	started chan struct{}
}

func (c *Cluster) sharedInformers() (*sharedInformers, error) {
	client, meta, err := clientsFor(c.as(rest.ImpersonationConfig{UserName: "system:kube-controller-manager"}))
	if err != nil {
		return nil, err
	}
	typed := informers.NewSharedInformerFactory(client, 0)
	either := informerfactory.NewInformerFactory(typed, metadatainformer.NewSharedInformerFactory(meta, 0))
	return &sharedInformers{InformerFactory: either, reader: client, typed: typed, started: make(chan struct{})}, nil
}

func (c *Cluster) startDeploymentController(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.gated(trace.ActorDeployment, controllerUser("deployment-controller")))
	if err != nil {
		return err
	}
	f := informers.NewSharedInformerFactory(client, 0)
	dc, err := deployment.NewDeploymentController(ctx, f.Apps().V1().Deployments(), f.Apps().V1().ReplicaSets(), f.Core().V1().Pods(), client)
	if err != nil {
		return fmt.Errorf("deployment controller: %w", err)
	}
	f.Start(ctx.Done())
	c.goRun(func() { dc.Run(ctx, workers) })
	return nil
}

func (c *Cluster) startReplicaSetController(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.gated(trace.ActorReplicaSet, controllerUser("replicaset-controller")))
	if err != nil {
		return err
	}
	f := informers.NewSharedInformerFactory(client, 0)
	rsc := replicaset.NewReplicaSetController(ctx, f.Apps().V1().ReplicaSets(), f.Core().V1().Pods(), client, burstPods)
	f.Start(ctx.Done())
	c.goRun(func() { rsc.Run(ctx, workers) })
	return nil
}

func (c *Cluster) startServiceAccounts(ctx context.Context, shared *sharedInformers) error {
	client, err := kubernetes.NewForConfig(c.as(controllerUser("service-account-controller")))
	if err != nil {
		return err
	}
	core := shared.typed.Core().V1()
	sac, err := serviceaccount.NewServiceAccountsController(klog.FromContext(ctx), core.ServiceAccounts(), core.Namespaces(),
		client, serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return fmt.Errorf("service account controller: %w", err)
	}
	c.goRun(func() { sac.Run(ctx, 1) })
	return nil
}

func (c *Cluster) startNamespaceController(ctx context.Context, shared *sharedInformers) error {
	client, meta, err := clientsFor(c.as(controllerUser("namespace-controller")))
	if err != nil {
		return err
	}
	nc := namespace.NewNamespaceController(ctx, client, meta, client.Discovery().ServerPreferredNamespacedResources,
		shared.typed.Core().V1().Namespaces(), 5*time.Minute, corev1.FinalizerKubernetes)
	c.goRun(func() { nc.Run(ctx, workers) })
	return nil
}

func (c *Cluster) startGarbageCollector(ctx context.Context, shared *sharedInformers) error {
	client, meta, err := clientsFor(c.as(controllerUser("generic-garbage-collector")))
	if err != nil {
		return err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	gc, err := garbagecollector.NewGarbageCollector(ctx, client, meta, mapper, garbagecollector.DefaultIgnoredResources(), shared, shared.started)
	if err != nil {
		return fmt.Errorf("garbage collector: %w", err)
	}
	c.goRun(func() { gc.Run(ctx, workers, gcSyncEvery) })
	c.goRun(func() { gc.Sync(ctx, client.Discovery(), gcSyncEvery) })
	return nil
}

// clientsFor are the clients of one identity: of whole objects, and of their metadata
// alone where any kind will do.
func clientsFor(cfg *rest.Config) (kubernetes.Interface, metadata.Interface, error) {
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, nil, err
	}
	meta, err := metadata.NewForConfig(cfg)
	return client, meta, err
}

// controllerUser is the identity that kube-controller-manager's controllers
// use; the API server's bootstrap policy binds a role to each.
func controllerUser(name string) rest.ImpersonationConfig {
	return rest.ImpersonationConfig{
		UserName: "system:serviceaccount:kube-system:" + name,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"},
	}
}
