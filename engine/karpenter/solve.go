package karpenter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/awslabs/operatorpkg/status"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/controllers/provisioning"
	kscheduling "sigs.k8s.io/karpenter/pkg/controllers/provisioning/scheduling"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/scheduling"
	"sigs.k8s.io/karpenter/pkg/utils/nodepool"
	"sigs.k8s.io/karpenter/pkg/utils/resources"
)

// ErrDaemonSets tells that nodes would carry more than the pods that wait: what DaemonSets
// put on every node is not reckoned here yet, and a wrong plan is worse than none.
var ErrDaemonSets = errors.New("DaemonSets are not reckoned in Karpenter's plan")

// plan is what Provisioner.Schedule decides, with what led to it.
type plan struct {
	kscheduling.Results
	pods   []*corev1.Pod // in the order in which they were tried first
	tries  []try
	opened map[*kscheduling.NodeClaim]opening
	left   map[string]corev1.ResourceList // of the limits of each NodePool, by its name
	pools  []*karpv1.NodePool             // by weight
}

// try is one pod at one place: an existing node, a node that is planned already, or a new
// one of a NodePool.
type try struct {
	pod     *corev1.Pod
	node    string // of an existing node
	planned *kscheduling.NodeClaim
	pool    string
	left    int   // instance types of a planned node that are big enough still
	why     error // nil where the pod is placed
}

// opening is how a new node came to be planned.
type opening struct {
	allowed []*cloudprovider.InstanceType // by the NodePool
	within  []*cloudprovider.InstanceType // its limits, of these
	limits  corev1.ResourceList           // that were left
}

// solver is upstream's Scheduler.Solve with its loops turned outside: every decision is
// upstream's (CanAdd, Add, Topology, Preferences, Queue), and every answer is kept. The
// test holds it against upstream's whole.
type solver struct {
	parts        *parts
	data         map[types.UID]*kscheduling.PodData
	volumes      map[types.UID][]scheduling.Requirements
	topology     *kscheduling.Topology
	existing     []*kscheduling.ExistingNode
	open         []*kscheduling.NodeClaim
	templates    []*kscheduling.NodeClaimTemplate
	reservations *kscheduling.ReservationManager
	preferences  *kscheduling.Preferences
	plan         *plan
}

// schedule plans for the pods as Provisioner.Schedule does after it has found them. It
// fails with provisioning.ErrNodePoolsNotFound where no NodePool is ready.
func (p *parts) schedule(ctx context.Context, pods []*corev1.Pod, nodes state.StateNodes) (*plan, error) {
	s, err := p.newSolver(ctx, pods, nodes)
	if err != nil {
		return nil, err
	}
	failed := map[*corev1.Pod]error{}
	for _, pod := range pods {
		s.note(pod)
	}
	queue := kscheduling.NewQueue(pods, s.data)
	s.plan.pods = slices.Clone(queue.List())
	for {
		pod, ok := queue.Pop()
		if !ok {
			break
		}
		if err := s.relaxed(ctx, pod.DeepCopy()); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			failed[pod] = err
			if err := s.topology.Update(ctx, pod); err != nil {
				return nil, err
			}
			s.note(pod)
			queue.Push(pod)
			continue
		}
		delete(failed, pod)
	}
	for _, claim := range s.open {
		claim.FinalizeScheduling()
	}
	s.plan.Results = kscheduling.Results{NewNodeClaims: s.open, ExistingNodes: s.existing, PodErrors: failed}.TruncateInstanceTypes(ctx, kscheduling.MaxInstanceTypes)
	return s.plan, nil
}

// newSolver mirrors Provisioner.NewScheduler and scheduling.NewScheduler.
func (p *parts) newSolver(ctx context.Context, pods []*corev1.Pod, nodes state.StateNodes) (*solver, error) {
	pools, err := p.readyPools(ctx)
	if err != nil {
		return nil, err
	}
	var daemons appsv1.DaemonSetList
	if err := p.kube.List(ctx, &daemons); err != nil {
		return nil, err
	}
	if len(daemons.Items) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrDaemonSets, daemons.Items[0].Name)
	}
	s := &solver{parts: p, data: map[types.UID]*kscheduling.PodData{}, volumes: map[types.UID][]scheduling.Requirements{}, preferences: &kscheduling.Preferences{},
		plan: &plan{opened: map[*kscheduling.NodeClaim]opening{}, left: map[string]corev1.ResourceList{}, pools: pools}}
	offered := map[string][]*cloudprovider.InstanceType{}
	for _, pool := range pools {
		if offered[pool.Name], err = p.cloud.GetInstanceTypes(ctx, pool); err != nil {
			return nil, err
		}
		s.addPool(pool, offered[pool.Name])
	}
	volumes := kscheduling.NewVolumeTopology(p.kube)
	for _, pod := range pods {
		if s.volumes[pod.UID], err = volumes.GetRequirements(ctx, pod); err != nil {
			return nil, err
		}
	}
	if s.topology, err = kscheduling.NewTopology(ctx, p.kube, p.cluster, nodes, pools, offered, pods, kscheduling.DisableReservedCapacityFallback); err != nil {
		return nil, err
	}
	s.reservations = kscheduling.NewReservationManager(offered)
	s.addNodes(nodes)
	return s, nil
}

// readyPools are those from which nodes may come, by weight.
func (p *parts) readyPools(ctx context.Context) ([]*karpv1.NodePool, error) {
	all, err := nodepool.ListManaged(ctx, p.kube, p.cloud)
	if err != nil {
		return nil, err
	}
	pools := slices.DeleteFunc(all, func(np *karpv1.NodePool) bool {
		return nodepool.IsStatic(np) || !np.StatusConditions().IsTrue(status.ConditionReady) || np.DeletionTimestamp != nil
	})
	if len(pools) == 0 {
		return nil, provisioning.ErrNodePoolsNotFound
	}
	nodepool.OrderByWeight(pools)
	return pools, nil
}

// addPool makes the pattern of a pool's new nodes, unless no instance type is allowed.
func (s *solver) addPool(pool *karpv1.NodePool, offered []*cloudprovider.InstanceType) {
	s.plan.left[pool.Name] = corev1.ResourceList(pool.Spec.Limits)
	for _, taint := range pool.Spec.Template.Spec.Taints {
		if taint.Effect == corev1.TaintEffectPreferNoSchedule {
			s.preferences.ToleratePreferNoSchedule = true
		}
	}
	template := kscheduling.NewNodeClaimTemplate(pool)
	if template.InstanceTypeOptions = suitable(offered, template.Requirements, nil); len(template.InstanceTypeOptions) > 0 {
		s.templates = append(s.templates, template)
	}
}

// addNodes takes what nodes there are, those that have come to life first, and what they
// take of the limits (calculateExistingNodeClaims).
func (s *solver) addNodes(nodes state.StateNodes) {
	for _, n := range nodes {
		s.existing = append(s.existing, kscheduling.NewExistingNode(n, s.topology, n.Taints(), corev1.ResourceList{}, nil, false))
		pool := n.Labels()[karpv1.NodePoolLabelKey]
		if left, ok := s.plan.left[pool]; ok {
			s.plan.left[pool] = resources.Subtract(left, n.Capacity())
		}
	}
	sort.SliceStable(s.existing, func(i, j int) bool {
		a, b := s.existing[i], s.existing[j]
		if a.Initialized() != b.Initialized() {
			return a.Initialized()
		}
		return a.Name() < b.Name()
	})
}

// note computes what placing a pod goes by (updateCachedPodData).
func (s *solver) note(pod *corev1.Pod) {
	d := &kscheduling.PodData{Requests: resources.RequestsForPods(pod), Requirements: scheduling.NewPodRequirements(pod), VolumeRequirements: s.volumes[pod.UID]}
	d.StrictRequirements = d.Requirements
	if scheduling.HasPreferredNodeAffinity(pod) {
		d.StrictRequirements = scheduling.NewStrictPodRequirements(pod)
	}
	s.data[pod.UID] = d
}

// relaxed places a pod, giving up one of its preferences after the other (trySchedule).
func (s *solver) relaxed(ctx context.Context, pod *corev1.Pod) error {
	for {
		err := s.add(ctx, pod)
		if err == nil || ctx.Err() != nil || kscheduling.IsReservedOfferingError(err) || !s.preferences.Relax(ctx, pod) {
			return err
		}
		if err := s.topology.Update(ctx, pod); err != nil {
			return err
		}
		s.note(pod)
	}
}
