package karpenter

import (
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// What others write in a step, because what they do follows at once from what its actor did.
var (
	// Nobody has a step for the controller that taints nodes and takes the taints off.
	tainted = []engine.Aside{{Actor: trace.ActorNodeLifecycle, Write: "PATCH nodes"}}
	facts   = world.Facts.With(engine.Facts{
		engine.Count: {"deploymentReplicas", "deletedPods", "markedPods", "pendingPods", "existingNodes", "placedPods", "noPlacePods", "plannedNodes", "plannedPods", "typesOffered", "typesLeft",
			"createdClaims", "launchedNodes", "joinedNodes", "registeredNodes", "readyNodes", "initializedNodes", "podsOnNode",
			"consolidatableNodes", "candidates", "budget", "movedPods", "movedTo", "simulatedNodes", "deletedClaims", "evictedPods", "goneNodes"},
		engine.Amount:   {"podRequest", "nodeFree", "plannedRequest", "limit", "limitLeft", "candidateUsed"},
		engine.Ratio:    {"price", "cheapestPrice", "candidatePrice", "priceNow", "savings"},
		engine.Duration: {"interval", "batchIdle", "batchMax", "bootTime", "bootLeft", "networkTime", "consolidateAfter", "sincePodEvent", "validationDelay", "drainTime"},
		engine.Text: {"unschedulableReason", "podOrder", "whyNot", "typeOut", "cheapestType", "claim", "claimRequirement", "instanceType", "zone", "taints", "event",
			"noPlace", "simulatedWithout", "decision", "invalid"},
		engine.Bool: {"podsMayBind", "stillValid"},
	})
)

// Loop is one reaction of Karpenter to pods that have no place: from the scheduler's
// mark to the pods running on a new node.
func Loop() engine.Defined[State] {
	return define("karpenter", []engine.Step[State]{
		{ID: "karpenter/1-pending/scale", Actor: trace.ActorDeployment, Do: scale, Changes: true,
			Ref:   "deployment/sync.go: scale",
			Tells: []string{"interval", "deploymentReplicas", "replicaSetReplicas"}},
		{ID: "karpenter/1-pending/create", Actor: trace.ActorReplicaSet, Do: create, Changes: true,
			Ref:   "replicaset/replica_set.go: manageReplicas",
			Tells: []string{"createdPods", "podsTotal"}},
		{ID: "karpenter/1-pending/mark", Actor: trace.ActorScheduler, Do: mark,
			Ref:   "scheduler/schedule_one.go: handleSchedulingFailure",
			Tells: []string{"boundPods", "markedPods", "unschedulableReason"}},
		{ID: "karpenter/1-pending/batch", Actor: ActorKarpenter, Do: batch,
			Ref:   "karpenter controllers/provisioning/batcher.go: Wait",
			Tells: []string{"pendingPods", "batchIdle", "batchMax"}},
		{ID: "karpenter/2-schedule/pods", Actor: ActorKarpenter, Do: orderPods,
			Ref:   "karpenter controllers/provisioning: GetPendingPods, scheduling/queue.go: NewQueue",
			Tells: []string{"pendingPods", "podOrder", "podRequest/<pod>"}},
		{ID: "karpenter/2-schedule/existing", Actor: ActorKarpenter, Do: showExisting,
			Ref:   "karpenter scheduling/existingnode.go: CanAdd",
			Tells: []string{"existingNodes", "placedPods", "nodeFree/<node>", "whyNot/<node>"}},
		{ID: "karpenter/2-schedule/types", Actor: ActorKarpenter, Do: showTypes,
			Ref:   "karpenter scheduling/nodeclaim.go: CanAdd, filterInstanceTypesByRequirements",
			Tells: []string{"plannedNodes", "plannedPods/<node>", "plannedRequest/<node>", "typesOffered/<node>", "typesLeft/<node>", "typeOut/<type>", "noPlacePods"}},
		{ID: "karpenter/2-schedule/limits", Actor: ActorKarpenter, Do: showLimits,
			Ref:   "karpenter scheduling/scheduler.go: addToNewNodeClaim, subtractMax",
			Tells: []string{"limit/<pool>", "limitLeft/<pool>"}},
		{ID: "karpenter/2-schedule/price", Actor: ActorKarpenter, Do: showPrices,
			Ref:   "karpenter cloudprovider/types.go: OrderByPrice",
			Tells: []string{"price/<type>", "cheapestType", "cheapestPrice"}},
		{ID: "karpenter/3-nodeclaim/create", Actor: ActorKarpenter, Do: createClaims,
			Ref:   "karpenter controllers/provisioning: CreateNodeClaims",
			Tells: []string{"createdClaims", "claim", "claimRequirement"}},
		{ID: "karpenter/4-node/launch", Actor: ActorKarpenter, Do: launch,
			Ref:   "karpenter controllers/nodeclaim/lifecycle/launch.go; the cloud is simulated",
			Tells: []string{"launchedNodes", "instanceType", "price/<type>", "zone/<claim>", "condition/<type>"}},
		{ID: "karpenter/4-node/join", Actor: trace.ActorKubelet, Do: join, Asides: tainted,
			Ref:   "kubelet/kubelet_node_status.go: registerWithAPIServer; the machine is simulated",
			Tells: []string{"bootTime", "bootLeft/<node>", "joinedNodes", "taints/<node>"}},
		{ID: "karpenter/4-node/register", Actor: ActorKarpenter, Do: register, Asides: tainted,
			Ref:   "karpenter controllers/nodeclaim/lifecycle/registration.go",
			Tells: []string{"registeredNodes", "taints/<node>", "podsMayBind", "condition/<type>"}},
		{ID: "karpenter/4-node/ready", Actor: trace.ActorKubelet, Do: ready, Asides: tainted,
			Ref:   "kubelet/nodestatus/setters.go: ReadyCondition",
			Tells: []string{"networkTime", "readyNodes", "taints/<node>", "podsMayBind"}},
		{ID: "karpenter/4-node/initialize", Actor: ActorKarpenter, Do: initialize,
			Ref:   "karpenter controllers/nodeclaim/lifecycle/initialization.go",
			Tells: []string{"initializedNodes", "podsOnNode/<node>", "condition/<type>"}},
		{ID: "karpenter/5-pods/bind", Actor: trace.ActorScheduler, Do: bind,
			Ref:   "scheduler/schedule_one.go: bindingCycle",
			Tells: []string{"boundPods"}},
		{ID: "karpenter/5-pods/run", Actor: trace.ActorKubelet, Do: run,
			Ref:   "kubelet/kubelet.go: SyncPod",
			Tells: []string{"readyPods", "action"}},
	})
}

func define(name string, table []engine.Step[State]) engine.Defined[State] {
	return engine.Define(engine.Definition{Name: name, Facts: facts, Needs: []string{engine.NeedsKarpenter}}, world.Framed(worldOf, table), (*State).subject, (*State).now)
}
