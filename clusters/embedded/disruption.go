package embedded

import (
	"context"
	"fmt"

	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/kubernetes/pkg/controller/disruption"
)

const actorDisruption = "disruption-controller"

// startDisruptionController starts the controller that tells in the status of
// every PodDisruptionBudget how many pods may be evicted; the API server's
// eviction refuses all until it has. The gate does not hold it: it moves no pod.
// The wiring is cmd/kube-controller-manager/app/policy.go.
func (c *Cluster) startDisruptionController(ctx context.Context) error {
	cfg := c.recorded(actorDisruption, controllerUser("disruption-controller"))
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	// Its role may not list pods; in kube-controller-manager the shared informers do that as another user.
	reader, err := kubernetes.NewForConfig(c.as(rest.ImpersonationConfig{UserName: "system:kube-controller-manager"}))
	if err != nil {
		return err
	}
	cached := memory.NewMemCacheClient(reader.Discovery())
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cached)
	scales, err := scale.NewForConfig(cfg, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(cached))
	if err != nil {
		return fmt.Errorf("disruption controller: %w", err)
	}
	f := informers.NewSharedInformerFactory(reader, 0)
	dc := disruption.NewDisruptionController(ctx, f.Core().V1().Pods(), f.Policy().V1().PodDisruptionBudgets(),
		f.Core().V1().ReplicationControllers(), f.Apps().V1().ReplicaSets(), f.Apps().V1().Deployments(),
		f.Apps().V1().StatefulSets(), client, mapper, scales, cached)
	f.Start(ctx.Done())
	c.goRun(func() { dc.Run(ctx, workers) })
	return nil
}
