package vpa

import "github.com/stepscale/stepscale/engine/trace"

// factNames are the facts that a lesson may ask about, by step. The golden
// traces prove that they occur.
var factNames = map[trace.StepID][]string{
	"vpa/1-usage/scrape":         {"interval", "scrapes", "scrapedPods"},
	"vpa/1-usage/objects":        {"vpas", "updateMode", "podsListed", "request/<pod>"},
	"vpa/1-usage/collect":        {"podMetric/<pod>", "matchedPods", "newSamples", "samples"},
	"vpa/2-recommend/histogram":  {"samples/<container>", "history/<container>", "halfLife/<container>", "bucket/<range>"},
	"vpa/2-recommend/percentile": {"lowerBoundPercentile/<container>", "targetPercentile/<container>", "upperBoundPercentile/<container>"},
	"vpa/2-recommend/margin":     {"lowerBoundMargin/<container>", "targetMargin/<container>", "upperBoundMargin/<container>"},
	"vpa/2-recommend/confidence": {"confidence/<container>", "lowerBoundConfident/<container>", "targetConfident/<container>", "upperBoundConfident/<container>"},
	"vpa/2-recommend/minimum":    {"lowerBoundMinimum/<container>", "targetMinimum/<container>", "upperBoundMinimum/<container>", "targetRounded/<container>"},
	"vpa/2-recommend/policy":     {"lowerBound/<container>", "target/<container>", "upperBound/<container>", "uncappedTarget/<container>"},
	"vpa/2-recommend/status":     {"lowerBound/<container>", "target/<container>", "upperBound/<container>", "uncappedTarget/<container>", "condition/<type>", "checkpoints"},
	"vpa/3-compare/read":         {"admissionAlive", "livePods", "controlledPods/<vpa>", "lowerBound/<container>", "target/<container>", "upperBound/<container>", "request/<pod>"},
	"vpa/3-compare/decide":       {"podsToUpdate", "inBounds/<pod>", "resourceDiff/<pod>", "podAge/<pod>", "verdict/<pod>", "update/<pod>"},
	"vpa/4-evict/act":            {"action", "evictedPods"},
	"vpa/5-recreate/create":      {"replicaSetReplicas", "absentPods", "terminatingPods", "admissionReviews"},
	"vpa/6-admission/read":       {"matchedVPA", "requestBefore/<container>", "limitBefore/<container>", "target/<container>"},
	"vpa/7-admit/patch":          {"createdPods", "patches", "newRequest/<container>", "newLimit/<container>", "requestAdded/<container>", "proportionalLimit/<container>"},
	"vpa/7-admit/bind":           {"boundPods"},
	"vpa/7-admit/run":            {"readyPods"},
	"vpa/8-conclusion/compare":   {"action", "podsTotal", "updatedPods", "usage", "usageOfRequest", "before/<container>", "after/<container>"},

	"vpa-history/1-hour":    historyFacts,
	"vpa-history/2-day":     historyFacts,
	"vpa-history/3-week":    historyFacts,
	"vpa-history/4-restart": {"samplesBefore", "samples", "target/<container>", "recommendationChanged/<container>"},

	"vpa-architecture/0-pods":                 {"podsTotal", "requestBefore/<container>", "limitBefore/<container>"},
	"vpa-architecture/0-metrics-server":       {"scrapes", "podMetric/<pod>"},
	"vpa-architecture/1-vpa":                  {"servedBefore", "servedResources", "hasRecommendation"},
	"vpa-architecture/2-recommender":          {"watches", "reads", "writes"},
	"vpa-architecture/3-admission-controller": {"webhook", "failurePolicy", "timeoutSeconds", "watches"},
	"vpa-architecture/4-updater":              {"admissionAlive", "writes", "watches"},
}

var historyFacts = []string{
	"historyLength", "samples/<container>", "confidence/<container>", "lowerBound/<container>", "target/<container>",
	"upperBound/<container>", "upperOverTarget/<container>", "bucket/<range>",
}

// FactNames lists the facts that a step may add; nil for a step that is not of
// this package.
func FactNames(step trace.StepID) []string { return factNames[step] }
