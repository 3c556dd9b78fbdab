package clusterautoscaler

import (
	"slices"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

// unregistered is who deletes the Node of a machine that is gone, and who takes the taint off
// one that stays after all.
var unregistered = append([]engine.Aside{{Actor: trace.ActorCloud, Write: "DELETE nodes"}}, tainted...)

// RunOnce is both halves as upstream has them in one loop (core/static_autoscaler.go
// RunOnce): the half that removes nodes follows the half that adds them at the same moment.
// What that has ordered, or waits for, keeps this from removing anything. State is Whole.
func RunOnce() engine.Defined[State] {
	up := Loop()
	return engine.Define(engine.Definition{Name: "cluster-autoscaler-once", Facts: up.Facts, Needs: up.Needs},
		slices.Concat(up.Table, Down().Table), up.Subject, up.Now)
}

// Down is one look of Cluster Autoscaler for nodes that nobody needs, and what comes of it:
// the half of RunOnce that removes nodes.
func Down() engine.Defined[State] {
	return define("cluster-autoscaler-down", []engine.Step[State]{
		{ID: "cluster-autoscaler-down/1-candidates/order", Actor: Actor, Do: order,
			Ref:   "processors/scaledowncandidates: emptycandidates, previouscandidates",
			Tells: []string{"interval", "clusterNodes", "candidateNodes", "emptyNodes", "nodeOrder", "nodeExcluded/<node>"}},
		{ID: "cluster-autoscaler-down/2-eligible/utilization", Actor: Actor, Do: eligible,
			Ref:   "core/scaledown/eligibility/eligibility.go: FilterOutUnremovable",
			Tells: []string{"utilizationThreshold", "nodeUtilization/<node>", "ineligible/<node>", "eligibleNodes"}},
		{ID: "cluster-autoscaler-down/3-simulate/rules", Actor: Actor, Do: blockedBy,
			Ref:   "simulator/drainability/rules/rules.go: Drainable",
			Tells: []string{"blockedNodes", "blockingPod/<node>"}},
		{ID: "cluster-autoscaler-down/3-simulate/place", Actor: Actor, Do: placed,
			Ref:   "simulator/cluster.go: SimulateNodeRemoval, findPlaceFor",
			Tells: []string{"removableNodes", "podMove/<pod>", "homelessPod/<node>"}},
		{ID: "cluster-autoscaler-down/4-unneeded/since", Actor: Actor, Do: since,
			Ref:   "core/scaledown/unneeded/nodes.go: Update",
			Tells: []string{"unneededNodes", "unneededFor/<node>", "unneededLeft/<node>"}},
		{ID: "cluster-autoscaler-down/5-cooldown/check", Actor: Actor, Do: cool,
			Ref:   "core/static_autoscaler.go: isScaleDownInCooldown; actuation/softtaint.go: UpdateSoftDeletionTaints",
			Tells: []string{"inCooldown", "cooldownLeft", "softTainted"}},
		{ID: "cluster-autoscaler-down/6-budget/pick", Actor: Actor, Do: pick,
			Ref:   "core/scaledown/unneeded/nodes.go: RemovableAt; budgets/budgets.go: CropNodes",
			Tells: []string{"action", "nodeKept/<node>", "nodesToDelete", "heldNodes"}},
		{ID: "cluster-autoscaler-down/7-taint/mark", Actor: Actor, Do: taint, Asides: tainted,
			Ref:   "core/scaledown/actuation/actuator.go: taintNodesSync",
			Tells: []string{"taintedNodes", "nodeTaints/<node>"}},
		{ID: "cluster-autoscaler-down/8-drain/evict", Actor: Actor, Do: evict, Changes: true,
			Ref:   "core/scaledown/actuation/drain.go: DrainNode",
			Tells: []string{"taintDelay", "evictedPods"}},
		{ID: "cluster-autoscaler-down/8-drain/end", Actor: trace.ActorKubelet, Do: run,
			Ref:   "kubelet/kubelet.go: SyncTerminatedPod",
			Tells: []string{"readyPods"}},
		{ID: "cluster-autoscaler-down/9-delete/node", Actor: Actor, Do: remove, Asides: unregistered,
			Ref:   "core/scaledown/actuation/delete_in_batch.go: deleteNodesFromCloudProvider; the cloud is simulated",
			Tells: []string{"deletedNodes", "groupTarget/<group>"}},
		{ID: "cluster-autoscaler-down/10-pods/scale", Actor: trace.ActorDeployment, Do: rescale, Changes: true,
			Ref:   "deployment/sync.go: scale",
			Tells: []string{"deploymentReplicas", "replicaSetReplicas"}},
		{ID: "cluster-autoscaler-down/10-pods/recreate", Actor: trace.ActorReplicaSet, Do: create, Changes: true,
			Ref:   "replicaset/replica_set.go: manageReplicas",
			Tells: []string{"createdPods", "podsTotal"}},
		{ID: "cluster-autoscaler-down/10-pods/bind", Actor: trace.ActorScheduler, Do: bind,
			Ref:   "scheduler/schedule_one.go: bindingCycle",
			Tells: []string{"boundPods", "unschedulablePods"}},
		{ID: "cluster-autoscaler-down/10-pods/run", Actor: trace.ActorKubelet, Do: run,
			Ref:   "kubelet/kubelet.go: SyncPod",
			Tells: []string{"readyPods"}},
	})
}
