package karpenter

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/awslabs/operatorpkg/status"
	corev1 "k8s.io/api/core/v1"
	kwokv1 "sigs.k8s.io/karpenter/kwok/apis/v1alpha1"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/scheduling"

	"github.com/stepscale/stepscale/engine/instances"
)

// cloud is a CloudProvider whose instances are launched at once and become nodes when a
// step says so. A real one is the AWS provider with EC2 behind it.
type cloud struct {
	types []*cloudprovider.InstanceType

	mu       sync.Mutex
	launched []*instance
}

// instance is a machine that is rented.
type instance struct {
	claim    *karpv1.NodeClaim // as Create returned it
	typ      instances.Type
	offering *cloudprovider.Offering
	name     string    // of the node that it becomes
	launched time.Time // in loop time
	gone     bool
}

func newCloud() *cloud { return &cloud{types: instanceTypes(instances.All())} }

// instanceTypes are the types as upstream's scheduler wants them: for rent in every zone,
// on demand and as spot.
func instanceTypes(table []instances.Type) []*cloudprovider.InstanceType {
	all := make([]*cloudprovider.InstanceType, len(table))
	for i, t := range table {
		one := scheduling.NewRequirement
		offered := &cloudprovider.InstanceType{
			Name: t.Name, Capacity: t.Capacity(), Overhead: &cloudprovider.InstanceTypeOverhead{KubeReserved: t.Reserved()},
			Requirements: scheduling.NewRequirements(
				one(corev1.LabelInstanceTypeStable, corev1.NodeSelectorOpIn, t.Name),
				one(corev1.LabelArchStable, corev1.NodeSelectorOpIn, t.Arch),
				one(corev1.LabelOSStable, corev1.NodeSelectorOpIn, "linux"),
				one(corev1.LabelTopologyZone, corev1.NodeSelectorOpIn, instances.Zones...),
				one(karpv1.CapacityTypeLabelKey, corev1.NodeSelectorOpIn, instances.OnDemand, instances.Spot)),
		}
		for _, capacity := range []string{instances.OnDemand, instances.Spot} {
			for _, zone := range instances.Zones {
				offered.Offerings = append(offered.Offerings, &cloudprovider.Offering{Price: t.PriceAs(capacity), Available: true,
					Requirements: scheduling.NewRequirements(
						one(karpv1.CapacityTypeLabelKey, corev1.NodeSelectorOpIn, capacity), one(corev1.LabelTopologyZone, corev1.NodeSelectorOpIn, zone))})
			}
		}
		all[i] = offered
	}
	return all
}

// Create rents the cheapest offering that the claim allows; of equals the first of the
// table, in the first zone.
func (c *cloud) Create(_ context.Context, claim *karpv1.NodeClaim) (*karpv1.NodeClaim, error) {
	wanted := scheduling.NewNodeSelectorRequirementsWithMinValues(claim.Spec.Requirements...)
	var bought *cloudprovider.InstanceType
	var offering *cloudprovider.Offering
	for _, t := range c.types {
		if t.Requirements.Intersects(wanted) != nil {
			continue
		}
		for _, o := range t.Offerings.Available().Compatible(wanted) {
			if offering == nil || o.Price < offering.Price {
				bought, offering = t, o
			}
		}
	}
	if bought == nil {
		return nil, cloudprovider.NewInsufficientCapacityError(fmt.Errorf("no offering for %s", claim.Name))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	size, _ := instances.Find(bought.Name)
	in := &instance{typ: size, offering: offering, name: fmt.Sprintf("karpenter-node-%d", len(c.launched)+1)}
	in.claim = claim.DeepCopy()
	in.claim.Labels = labelsOf(bought, offering)
	in.claim.Status.ProviderID = instances.ProviderID(offering.Zone(), in.name)
	in.claim.Status.Capacity, in.claim.Status.Allocatable = bought.Capacity, bought.Allocatable()
	c.launched = append(c.launched, in)
	return in.claim.DeepCopy(), nil
}

// labelsOf are what is certain of a machine.
func labelsOf(t *cloudprovider.InstanceType, o *cloudprovider.Offering) map[string]string {
	labels := map[string]string{}
	for _, of := range []scheduling.Requirements{t.Requirements, o.Requirements} {
		for key, r := range of {
			if r.Operator() == corev1.NodeSelectorOpIn && r.Len() == 1 {
				labels[key] = r.Any()
			}
		}
	}
	return labels
}

// node is what the instance's kubelet registers: Karpenter has told it through the
// machine's user data to come with a taint.
func (in *instance) node() *corev1.Node {
	n := in.typ.Node(in.name, instances.Placement{Zone: in.offering.Zone()})
	n.Spec.Taints = []corev1.Taint{karpv1.UnregisteredNoExecuteTaint}
	return n
}

// find is the rented machine with that provider ID; nil where there is none.
func (c *cloud) find(providerID string) *instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.launched, func(in *instance) bool { return in.claim.Status.ProviderID == providerID && !in.gone })
	if i < 0 {
		return nil
	}
	return c.launched[i]
}

// Delete gives a machine back, which is gone at once; asked again it does not know it.
func (c *cloud) Delete(_ context.Context, claim *karpv1.NodeClaim) error {
	in := c.find(claim.Status.ProviderID)
	if in == nil {
		return notFound(claim.Status.ProviderID)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	in.gone = true
	return nil
}

// Get is what Create returned of the machine with that provider ID.
func (c *cloud) Get(_ context.Context, providerID string) (*karpv1.NodeClaim, error) {
	in := c.find(providerID)
	if in == nil {
		return nil, notFound(providerID)
	}
	return in.claim.DeepCopy(), nil
}

func notFound(providerID string) error {
	return cloudprovider.NewNodeClaimNotFoundError(fmt.Errorf("no instance %s", strings.TrimPrefix(providerID, "sim:///")))
}

// List are all machines that are rented now.
func (c *cloud) List(context.Context) (claims []*karpv1.NodeClaim, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, in := range c.launched {
		if !in.gone {
			claims = append(claims, in.claim.DeepCopy())
		}
	}
	return claims, nil
}

// GetInstanceTypes are the same for every NodePool.
func (c *cloud) GetInstanceTypes(context.Context, *karpv1.NodePool) ([]*cloudprovider.InstanceType, error) {
	return c.types, nil
}

// IsDrifted finds nothing: machines stay as they were rented.
func (c *cloud) IsDrifted(context.Context, *karpv1.NodeClaim) (cloudprovider.DriftReason, error) {
	return "", nil
}

// RepairPolicies are none.
func (c *cloud) RepairPolicies() []cloudprovider.RepairPolicy { return nil }

// Name is the provider's.
func (c *cloud) Name() string { return "stepscale" }

// GetSupportedNodeClasses is the class of upstream's own simulated provider, which stands
// where EC2NodeClass stands on AWS.
func (c *cloud) GetSupportedNodeClasses() []status.Object {
	return []status.Object{&kwokv1.KWOKNodeClass{}}
}
