package hpa

import (
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/world"
)

// facts are all that a step of the HPA's loops may tell.
var facts = world.Facts.With(engine.Facts{
	engine.Count: {
		"currentReplicas", "desiredReplicas", "minReplicas", "maxReplicas", "deploymentReplicas", "scaleReplicas",
		"unreadyPods", "missingPods", "ignoredPods", "deletedPods", "keptPods",
		"proposal", "metricDesiredReplicas", "stabilizedReplicas", "recommendationMax", "recommendationMin", "scaleUpLimit", "scaleDownLimit",
		"ourReplicas", "actualReplicas", "replicaSets", "revision", "servedAutoscalers",
	},
	engine.Percent: {"currentUtilization", "currentUtilizationRebalanced", "targetUtilization", "utilization"},
	engine.Ratio:   {"usageRatio", "usageRatioRebalanced", "toleranceLow", "toleranceHigh"},
	engine.Amount: {
		"totalUsage", "totalUsageRebalanced", "totalRequests", "totalRequestsRebalanced", "averageValue", "averageValueRebalanced",
		"targetAverageValue", "metricValue", "targetValue", "assumed", "usagePerReadyPod", "requestsPerPod", "currentRequest", "desiredRequest",
		"metricsServerRate", "metricsAPI",
	},
	engine.Bool: {"withinTolerance", "scalingLimited", "agrees", "served"},
	engine.Duration: {
		"syncPeriod", "stabilizationWindow", "recommendationAge", "podWindow", "window", "metricsAPIWindow", "kubelet1CPUSeconds", "kubelet2CPUSeconds",
	},
	engine.Clock: {"metricsAPITimestamp", "kubelet1Time", "kubelet2Time"},
	engine.Text: {
		"metricName", "statusAverage", "rescaleReason", "rescaleError", "statusError", "event", "cause", "hpaMode", "desiredStatus", "eventKept", "difference",
		"acts", "owner", "scaleTarget", "scalePath", "scaleSelector", "podTemplateHash", "pod", "node", "watchEvent",
		"kubelet1Line", "kubelet2Line", "kubeletError",
	},
})
