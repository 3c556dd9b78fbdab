package clusterautoscaler

import (
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/world"
)

// facts are all that a step of the two loops may tell.
var facts = world.Facts.With(engine.Facts{
	engine.Count: {
		"deploymentReplicas", "deletedPods", "clusterNodes", "waitingPods", "groupSize", "upcomingNodes", "expendablePods", "fittingPods", "helpPods",
		"podKinds", "podKind", "validGroups", "groupFits", "nodesNeeded", "podsHelped", "groupTarget", "orderedNodes", "newNodes", "startedNodes",
		"candidateNodes", "emptyNodes", "eligibleNodes", "blockedNodes", "removableNodes", "unneededNodes", "softTainted", "nodesToDelete", "heldNodes",
		"taintedNodes", "evictedPods", "terminatingPods", "deletedNodes",
	},
	engine.Ratio:    {"groupScore", "nodeUtilization", "utilizationThreshold"},
	engine.Duration: {"interval", "oldestPodAge", "backoffLeft", "bootLeft", "unneededFor", "unneededLeft", "cooldownLeft", "taintDelay"},
	engine.Bool:     {"clusterHealthy", "inCooldown"},
	engine.Text: {
		"unplacedReason", "groupLimits", "fitsOn", "scaleUpVerdict", "groupSkipped", "groupRefused", "notTriggered", "bin", "expander", "bestGroup", "capped",
		"orderEvent", "nodeTaints", "nodeOrder", "nodeExcluded", "ineligible", "blockingPod", "podMove", "homelessPod", "nodeKept", "evictionRefused",
	},
})
