package hpa

import "github.com/stepscale/stepscale/engine/trace"

// factNames are the facts that a lesson may ask about, by step. The golden
// traces prove that they occur.
var factNames = map[trace.StepID][]string{
	"hpa/1-metrics/scrape":              {"scrapedPods", "syncPeriod"},
	"hpa/1-metrics/query":               {"currentReplicas", "podsListed", "podMetric/<pod>", "metricValue"},
	"hpa/2-replicas/group":              {"readyPods", "unreadyPods", "missingPods", "ignoredPods"},
	"hpa/2-replicas/ratio":              {"totalUsage", "totalRequests", "currentUtilization", "targetUtilization", "averageValue", "targetAverageValue", "metricValue", "targetValue", "usageRatio"},
	"hpa/2-replicas/tolerance":          {"toleranceLow", "toleranceHigh", "withinTolerance"},
	"hpa/2-replicas/proposal":           {"proposal", "metricDesiredReplicas"},
	"hpa/2-replicas/stabilize":          {"stabilizedReplicas", "stabilizationWindow", "recommendationMax", "recommendationMin"},
	"hpa/2-replicas/limit":              {"minReplicas", "maxReplicas", "scaleUpLimit", "scaleDownLimit", "scalingLimited", "desiredReplicas"},
	"hpa/3-scale/update":                {"action", "desiredReplicas", "deploymentReplicas", "replicaSetReplicas"},
	"hpa/4-deployment/replicaset":       {"replicaSetReplicas"},
	"hpa/5-pods/create":                 {"createdPods", "deletedPods", "podsTotal", "replicaFailure"},
	"hpa/5-pods/bind":                   {"boundPods", "unschedulablePods"},
	"hpa/5-pods/run":                    {"readyPods", "loadPerPod"},
	"hpa-observe/1-metrics/query":       {"currentReplicas", "podsListed", "podMetric/<pod>"},
	"hpa-observe/2-replicas/ratio":      {"totalUsage", "totalRequests", "currentUtilization", "targetUtilization", "usageRatio"},
	"hpa-observe/2-replicas/limit":      {"minReplicas", "maxReplicas", "desiredReplicas"},
	"hpa-observe/3-scale/actual":        {"currentReplicas", "ourReplicas", "actualReplicas", "agrees"},
	"hpa-architecture/1-replicaset":     {"podsTotal", "replicaSetReplicas"},
	"hpa-architecture/2-deployment":     {"scaleReplicas", "replicaSets", "revision"},
	"hpa-architecture/3-metrics":        {"request", "targetUtilization", "utilization"},
	"hpa-architecture/4-watch":          {"watches"},
	"hpa-architecture/5-metrics-server": {"metricsServerRate", "metricsAPI", "window"},
	"intro/1-horizontal":                {"currentReplicas", "desiredReplicas", "readyPods", "createdPods", "deletedPods", "keptPods", "totalRequests"},
	"intro/2-vertical":                  {"currentRequest", "desiredRequest", "readyPods", "createdPods", "deletedPods", "keptPods", "totalRequests"},
	"intro/3-autoscalers":               {"servedAutoscalers"},
}

// FactNames lists the facts of a step that a lesson may ask about; nil for a
// step of no loop. "podMetric/<pod>" stands for one fact for every pod.
func FactNames(step trace.StepID) []string { return factNames[step] }
