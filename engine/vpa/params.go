package vpa

import (
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	recommenderconfig "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/config"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/logic"
	updaterconfig "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/config"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/priority"
)

// Params are what the flags of the three VPA components set.
type Params struct {
	Interval time.Duration // --recommender-interval and --updater-interval: one pass
	Skip     time.Duration // virtual time that every pass lets go by first, its samples made from the load at once

	Recommendation logic.RecommendationConfig // percentiles, margin, confidence, pod minimum (millicores, MB)
	Format         logic.RecommendationFormat // rounding of the recommendation (millicores, bytes)

	MinReplicas       int     // --min-replicas: fewer live pods are never disrupted
	EvictionTolerance float64 // --eviction-tolerance: share of the replicas that may be gone at once
	Update            priority.UpdateConfig

	InPlaceSkipsBudget bool // --in-place-skip-disruption-budget

	FailurePolicy admissionregistrationv1.FailurePolicyType // of the webhook
}

// roundCPU is the --round-cpu-millicores that the lessons run with: histogram
// buckets end at odd millicores, and 296m is harder to follow than 300m. The
// default of upstream is 1.
const roundCPU = 10

// DefaultParams are the defaults of VPA 1.8 (pkg/recommender/config,
// pkg/updater/config), except for the rounding of CPU.
func DefaultParams() Params {
	r, u := recommenderconfig.DefaultRecommenderConfig(), updaterconfig.DefaultUpdaterConfig()
	return Params{
		Interval: r.MetricsFetcherInterval,
		Recommendation: logic.RecommendationConfig{
			SafetyMarginFraction: r.SafetyMarginFraction, PodMinCPUMillicores: r.PodMinCPUMillicores, PodMinMemoryMb: r.PodMinMemoryMb,
			TargetCPUPercentile: r.TargetCPUPercentile, LowerBoundCPUPercentile: r.LowerBoundCPUPercentile,
			UpperBoundCPUPercentile: r.UpperBoundCPUPercentile, ConfidenceIntervalCPU: r.ConfidenceIntervalCPU,
			TargetMemoryPercentile: r.TargetMemoryPercentile, LowerBoundMemoryPercentile: r.LowerBoundMemoryPercentile,
			UpperBoundMemoryPercentile: r.UpperBoundMemoryPercentile, ConfidenceIntervalMemory: r.ConfidenceIntervalMemory,
		},
		Format:      logic.RecommendationFormat{RoundCPUMillicores: roundCPU, RoundMemoryBytes: r.RoundMemoryBytes},
		MinReplicas: u.MinReplicas, EvictionTolerance: u.EvictionToleranceFraction,
		Update: priority.UpdateConfig{
			MinChangePriority: u.DefaultUpdateThreshold, PodLifetimeUpdateThreshold: u.PodLifetimeUpdateThreshold,
			EvictAfterOOMThreshold: u.EvictAfterOOMThreshold,
		},
		FailurePolicy: admissionregistrationv1.Ignore,
	}
}
