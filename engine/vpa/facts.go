package vpa

import (
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/world"
)

// facts are all that a step of the VPA's loops may tell.
var facts = world.Facts.With(engine.Facts{
	engine.Count: {
		"scrapes", "vpas", "matchedPods", "newSamples", "samples", "samplesBefore", "oomKilled", "checkpoints",
		"livePods", "controlledPods", "podsToUpdate", "evictedPods", "resizedPods", "restarts", "absentPods", "terminatingPods",
		"admissionReviews", "patches", "updatedPods", "servedBefore", "servedResources", "timeoutSeconds",
	},
	engine.Percent: {"bucket", "usageOfRequest"},
	engine.Ratio:   {"confidence", "resourceDiff", "upperOverTarget"},
	engine.Amount: {
		"lowerBoundPercentile", "targetPercentile", "upperBoundPercentile", "lowerBoundMargin", "targetMargin", "upperBoundMargin",
		"lowerBoundConfident", "targetConfident", "upperBoundConfident", "lowerBoundMinimum", "targetMinimum", "upperBoundMinimum",
		"lowerBoundRounded", "targetRounded", "upperBoundRounded", "lowerBound", "target", "upperBound", "uncappedTarget", "oomBump",
		"requestBefore", "limitBefore", "requestAdded", "proportionalLimit", "newRequest", "newLimit", "dryRunRequest", "dryRunLimit",
		"usage", "series",
	},
	engine.Bool:     {"admissionAlive", "admissionLeft", "inBounds", "update", "hasRecommendation", "recommendationChanged"},
	engine.Duration: {"interval", "skippedTime", "historyLength", "history", "halfLife", "podAge"},
	engine.Text: {
		"updateMode", "targetRef", "verdict", "evictionHeld", "resizeHeld", "evictionRefused", "resizeRefused", "resizePending",
		"admissionBy", "admissionReview", "reviewUser", "matchedVPA", "webhookLate", "patch", "dryRunRefused", "before", "after",
		"runsAs", "reads", "writes", "webhook", "webhookURL", "webhookRule", "failurePolicy", "lease",
	},
})
