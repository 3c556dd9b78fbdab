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
// needs. Every controller has its own informers, so that the watches it holds
// are its own, and its own identity, so that RBAC is upstream's.
func (c *Cluster) startControllers(ctx context.Context) error {
	for _, start := range []func(context.Context) error{
		c.startDeploymentController, c.startReplicaSetController, c.startServiceAccounts,
		c.startNamespaceController, c.startGarbageCollector, c.startDisruptionController, c.startQuotaController,
	} {
		if err := start(ctx); err != nil {
			return err
		}
	}
	return nil
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

func (c *Cluster) startServiceAccounts(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.as(controllerUser("service-account-controller")))
	if err != nil {
		return err
	}
	// Its role may not list; in kube-controller-manager the shared informers do that as another user.
	reader, err := kubernetes.NewForConfig(c.as(rest.ImpersonationConfig{UserName: "system:kube-controller-manager"}))
	if err != nil {
		return err
	}
	f := informers.NewSharedInformerFactory(reader, 0)
	sac, err := serviceaccount.NewServiceAccountsController(klog.FromContext(ctx), f.Core().V1().ServiceAccounts(),
		f.Core().V1().Namespaces(), client, serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return fmt.Errorf("service account controller: %w", err)
	}
	f.Start(ctx.Done())
	c.goRun(func() { sac.Run(ctx, 1) })
	return nil
}

func (c *Cluster) startNamespaceController(ctx context.Context) error {
	client, meta, err := clientsFor(c.as(controllerUser("namespace-controller")))
	if err != nil {
		return err
	}
	f := informers.NewSharedInformerFactory(client, 0)
	nc := namespace.NewNamespaceController(ctx, client, meta, client.Discovery().ServerPreferredNamespacedResources,
		f.Core().V1().Namespaces(), 5*time.Minute, corev1.FinalizerKubernetes)
	f.Start(ctx.Done())
	c.goRun(func() { nc.Run(ctx, workers) })
	return nil
}

func (c *Cluster) startGarbageCollector(ctx context.Context) error {
	client, meta, err := clientsFor(c.as(controllerUser("generic-garbage-collector")))
	if err != nil {
		return err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	typed := informers.NewSharedInformerFactory(client, 0)
	metadataOnly := metadatainformer.NewSharedInformerFactory(meta, 0)
	started := make(chan struct{})
	factory := informerfactory.NewInformerFactory(typed, metadataOnly)
	gc, err := garbagecollector.NewGarbageCollector(ctx, client, meta, mapper, garbagecollector.DefaultIgnoredResources(), factory, started)
	if err != nil {
		return fmt.Errorf("garbage collector: %w", err)
	}
	factory.Start(ctx.Done())
	close(started)
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
