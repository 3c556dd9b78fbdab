package embedded

import (
	"context"
	"fmt"

	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/kubernetes/pkg/controller/disruption"
)

const actorDisruption = "disruption-controller"

// startDisruptionController starts the controller that tells in the status of
// every PodDisruptionBudget how many pods may be evicted; the API server's
// eviction refuses all until it has. The gate does not hold it: it moves no pod.
// The wiring is cmd/kube-controller-manager/app/policy.go.
func (c *Cluster) startDisruptionController(ctx context.Context, shared *sharedInformers) error {
	cfg := c.recorded(actorDisruption, controllerUser("disruption-controller"))
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	cached := memory.NewMemCacheClient(shared.reader.Discovery())
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cached)
	scales, err := scale.NewForConfig(cfg, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(cached))
	if err != nil {
		return fmt.Errorf("disruption controller: %w", err)
	}
	core, apps := shared.typed.Core().V1(), shared.typed.Apps().V1()
	dc := disruption.NewDisruptionController(ctx, core.Pods(), shared.typed.Policy().V1().PodDisruptionBudgets(),
		core.ReplicationControllers(), apps.ReplicaSets(), apps.Deployments(), apps.StatefulSets(), client, mapper, scales, cached)
	c.goRun(func() { dc.Run(ctx, workers) })
	return nil
}
