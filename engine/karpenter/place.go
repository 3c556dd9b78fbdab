package karpenter

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/awslabs/operatorpkg/serrors"
	"go.uber.org/multierr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	kscheduling "sigs.k8s.io/karpenter/pkg/controllers/provisioning/scheduling"
	"sigs.k8s.io/karpenter/pkg/scheduling"
	"sigs.k8s.io/karpenter/pkg/utils/resources"
)

// add finds a place for a pod: on a node that there is, on one that is planned, the
// emptiest first, or on a new one (Scheduler.add).
func (s *solver) add(ctx context.Context, pod *corev1.Pod) error {
	volumes, err := scheduling.GetVolumes(ctx, s.parts.kube, pod)
	if err != nil {
		return err
	}
	for _, node := range s.existing {
		requirements, _, err := node.CanAdd(ctx, pod, s.data[pod.UID], volumes, nil)
		s.told(try{pod: pod, node: node.Name(), why: err})
		if err == nil {
			node.Add(ctx, pod, s.data[pod.UID], requirements, volumes, nil)
			return nil
		}
	}
	sort.Slice(s.open, func(a, b int) bool { return len(s.open[a].Pods) < len(s.open[b].Pods) })
	for _, claim := range s.open {
		requirements, types, offerings, _, err := claim.CanAdd(ctx, pod, s.data[pod.UID], false, nil)
		s.told(try{pod: pod, planned: claim, left: len(types), why: err})
		if err == nil {
			claim.Add(ctx, pod, s.data[pod.UID], requirements, types, offerings, nil, nil)
			return nil
		}
	}
	if len(s.templates) == 0 {
		return fmt.Errorf("nodepool requirements filtered out all available instance types")
	}
	var all error
	for _, template := range s.templates {
		err := s.addNew(ctx, pod, template)
		if err == nil {
			return nil
		}
		if all = multierr.Append(all, err); kscheduling.IsReservedOfferingError(err) {
			break // a pool of less weight is no way out
		}
	}
	return all
}

// addNew plans a new node of the pool for the pod (addToNewNodeClaim).
func (s *solver) addNew(ctx context.Context, pod *corev1.Pod, template *kscheduling.NodeClaimTemplate) error {
	pool := template.NodePoolName
	from := opening{allowed: template.InstanceTypeOptions, within: template.InstanceTypeOptions, limits: s.plan.left[pool]}
	refuse := func(err error) error {
		s.told(try{pod: pod, pool: pool, why: err})
		return err
	}
	if nodes, ok := from.limits[resources.Node]; ok && nodes.IsZero() {
		return refuse(serrors.Wrap(fmt.Errorf("node limits have been exhausted for nodepool"), "NodePool", klog.KRef("", pool)))
	}
	if from.within = withinLimits(from.allowed, from.limits); len(from.within) == 0 {
		return refuse(serrors.Wrap(fmt.Errorf("all available instance types exceed limits for nodepool"), "NodePool", klog.KRef("", pool)))
	}
	overhead := []kscheduling.DaemonOverheadGroup{{InstanceTypes: from.allowed, HostPortUsage: scheduling.NewHostPortUsage()}}
	claim := kscheduling.NewNodeClaim(template, s.topology, overhead, from.within, s.reservations, kscheduling.ReservedOfferingModeStrict)
	requirements, types, offerings, _, err := claim.CanAdd(ctx, pod, s.data[pod.UID], false, nil)
	if err != nil {
		return refuse(err)
	}
	claim.Annotations[karpv1.NodeClaimMinValuesRelaxedAnnotationKey] = "false"
	claim.Add(ctx, pod, s.data[pod.UID], requirements, types, offerings, nil, nil)
	s.open = append(s.open, claim)
	s.plan.opened[claim] = from
	s.plan.left[pool] = subtractLargest(from.limits, types)
	s.told(try{pod: pod, planned: claim, pool: pool, left: len(types)})
	return nil
}

// knows tells whether the pod was there when the plan was made.
func (p *plan) knows(pod types.UID) bool {
	return slices.ContainsFunc(p.pods, func(of *corev1.Pod) bool { return of.UID == pod })
}

func (s *solver) told(t try) { s.plan.tries = append(s.plan.tries, t) }

// suitable are the types that meet the requirements, are for rent so, and have room for
// the requests (filterInstanceTypesByRequirements). None is, where there are not as many
// as minValues wants.
func suitable(types []*cloudprovider.InstanceType, requirements scheduling.Requirements, requests corev1.ResourceList) (kept cloudprovider.InstanceTypes) {
	for _, t := range types {
		if t.Requirements.Intersects(requirements) == nil && resources.Fits(requests, t.Allocatable()) && offered(t, requirements) {
			kept = append(kept, t)
		}
	}
	if _, _, err := kept.SatisfiesMinValues(requirements); err != nil {
		return nil
	}
	return kept
}

// offered tells whether a type can be rented so.
func offered(t *cloudprovider.InstanceType, requirements scheduling.Requirements) bool {
	for _, o := range t.Offerings.Available() {
		if requirements.IsCompatible(o.Requirements, scheduling.AllowUndefinedWellKnownLabels) {
			return true
		}
	}
	return false
}

// withinLimits are the types of which one more may be rented (filterByRemainingResources).
func withinLimits(types []*cloudprovider.InstanceType, left corev1.ResourceList) (kept []*cloudprovider.InstanceType) {
	for _, t := range types {
		if exceeds(t, left) == "" {
			kept = append(kept, t)
		}
	}
	return kept
}

// exceeds is the resource of which a type has more than is left; empty where none is.
func exceeds(t *cloudprovider.InstanceType, left corev1.ResourceList) corev1.ResourceName {
	for name, q := range left {
		if resources.Cmp(t.Capacity[name], q) > 0 {
			return name
		}
	}
	return ""
}

// subtractLargest takes the largest of the types from the limits: which of them will be
// rented is not known yet (subtractMax).
func subtractLargest(left corev1.ResourceList, types []*cloudprovider.InstanceType) corev1.ResourceList {
	var sizes []corev1.ResourceList
	for _, t := range types {
		sizes = append(sizes, t.Capacity)
	}
	largest, after := resources.MaxResources(sizes...), corev1.ResourceList{}
	for name, q := range left {
		rest := q.DeepCopy()
		rest.Sub(largest[name])
		after[name] = rest
	}
	return after
}
