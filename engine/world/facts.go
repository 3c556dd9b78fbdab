package world

import "github.com/stepscale/stepscale/engine"

// Facts are those that more than one loop tells.
var Facts = engine.Facts{
	engine.Count: {
		"podsTotal", "podsListed", "readyPods", "createdPods", "boundPods", "unschedulablePods", "scrapedPods", "replicaSetReplicas", "watches",
	},
	engine.Amount: {"podMetric", "request"},
	engine.Clock:  {"podTimestamp"},
	engine.Text: {
		"skipped", "action", "condition", "conditionReason", "conditionMessage", "metricError", "replicaFailure", "watch",
	},
}
