package karpenter

import (
	"context"
	"flag"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/karpenter/pkg/controllers/dynamicresources/deviceallocation"
	"sigs.k8s.io/karpenter/pkg/controllers/nodeclaim/lifecycle"
	"sigs.k8s.io/karpenter/pkg/controllers/nodepool/readiness"
	"sigs.k8s.io/karpenter/pkg/controllers/nodepool/validation"
	"sigs.k8s.io/karpenter/pkg/controllers/provisioning"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/controllers/state/informer"
	"sigs.k8s.io/karpenter/pkg/operator/options"
	"sigs.k8s.io/karpenter/pkg/state/cost"
	"sigs.k8s.io/karpenter/pkg/state/nodepoolhealth"
	"sigs.k8s.io/karpenter/pkg/state/virtualpods"
)

// parts are upstream's controllers, which nobody but a step calls: there is no manager,
// no queue and no goroutine.
type parts struct {
	kube  *direct
	cloud *cloud
	said  *recorder

	cluster   *state.Cluster
	provision *provisioning.Provisioner
	lifecycle *lifecycle.Controller
	valid     *validation.Controller
	ready     *readiness.Controller
	watch     watches
	disrupt   disrupter
}

func newParts(ctx context.Context, kube *direct, clk clock.Clock) *parts {
	p := &parts{kube: kube, cloud: newCloud(), said: &recorder{}}
	p.cluster = state.NewCluster(clk, kube, p.cloud)
	p.provision = provisioning.NewProvisioner(kube, p.said, p.cloud, p.cluster, clk, deviceallocation.NewController(kube), virtualpods.NewVirtualPodCache(kube))
	p.lifecycle = lifecycle.NewController(clk, kube, p.cloud, p.said, nodepoolhealth.NewState(), nil)
	p.valid, p.ready = validation.NewController(clk, kube, p.cloud), readiness.NewController(clk, kube, p.cloud)
	costs := cost.NewClusterCost(ctx, p.cloud, kube)
	p.disrupt = p.newDisrupter(clk, costs)
	p.watch = watches{
		nodes: informer.NewNodeController(kube, p.cluster), pods: informer.NewPodController(kube, p.cluster),
		claims: informer.NewNodeClaimController(kube, p.cloud, p.cluster, costs), pools: informer.NewNodePoolController(kube, p.cloud, p.cluster, costs),
		known: map[string]keys{},
	}
	return p
}

// withOptions has upstream's flags at their defaults, without which its code does not run.
func withOptions(ctx context.Context) (context.Context, error) {
	o := &options.Options{}
	flags := &options.FlagSet{FlagSet: flag.NewFlagSet("karpenter", flag.ContinueOnError)}
	o.AddFlags(flags)
	if err := o.Parse(flags); err != nil {
		return nil, err
	}
	return log.IntoContext(options.ToContext(ctx, o), logr.Discard()), nil // upstream writes to standard error otherwise
}
