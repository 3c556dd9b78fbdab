package embedded

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apiserver/pkg/quota/v1/generic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubernetes/pkg/controller"
	"k8s.io/kubernetes/pkg/controller/resourcequota"
	"k8s.io/kubernetes/pkg/quota/v1/install"
)

// How often the quota controller counts anew, which is upstream's default, and looks
// for new resource types: a VPA is refused under a quota on VPAs until it has.
const (
	quotaResync    = 5 * time.Minute
	quotaSyncEvery = 5 * time.Second
)

// startQuotaController counts what quotas limit: the API server's admission lets
// nothing pass that a quota names and nobody has counted.
func (c *Cluster) startQuotaController(ctx context.Context, shared *sharedInformers) error {
	client, err := kubernetes.NewForConfig(c.as(controllerUser("resourcequota-controller")))
	if err != nil {
		return err
	}
	counted, err := install.NewQuotaConfigurationForControllers(generic.ListerFuncForResourceFunc(shared.typed.ForResource), shared.typed)
	if err != nil {
		return fmt.Errorf("quota controller: %w", err)
	}
	discover := client.Discovery().ServerPreferredNamespacedResources
	qc, err := resourcequota.NewController(ctx, &resourcequota.ControllerOptions{
		QuotaClient: client.CoreV1(), ResourceQuotaInformer: shared.typed.Core().V1().ResourceQuotas(),
		ResyncPeriod: controller.StaticResyncPeriodFunc(quotaResync), ReplenishmentResyncPeriod: controller.NoResyncPeriodFunc,
		InformerFactory: shared, InformersStarted: shared.started, DiscoveryFunc: discover, IgnoredResourcesFunc: counted.IgnoredResources,
		Registry: generic.NewRegistry(counted.Evaluators()), UpdateFilter: install.DefaultUpdateFilter(),
	})
	if err != nil {
		return fmt.Errorf("quota controller: %w", err)
	}
	c.goRun(func() { qc.Run(ctx, workers) })
	c.goRun(func() { qc.Sync(ctx, discover, quotaSyncEvery) })
	return nil
}
