package vpa

import "github.com/spf13/pflag"

// AddFlags adds the flags of the recommender and the updater that change what they
// decide, as upstream names them (pkg/recommender/config, pkg/updater/config).
func (p *Params) AddFlags(fs *pflag.FlagSet) {
	r := &p.Recommendation
	fs.Float64Var(&r.TargetCPUPercentile, "target-cpu-percentile", r.TargetCPUPercentile, "")
	fs.Float64Var(&r.LowerBoundCPUPercentile, "recommendation-lower-bound-cpu-percentile", r.LowerBoundCPUPercentile, "")
	fs.Float64Var(&r.UpperBoundCPUPercentile, "recommendation-upper-bound-cpu-percentile", r.UpperBoundCPUPercentile, "")
	fs.Float64Var(&r.TargetMemoryPercentile, "target-memory-percentile", r.TargetMemoryPercentile, "")
	fs.Float64Var(&r.LowerBoundMemoryPercentile, "recommendation-lower-bound-memory-percentile", r.LowerBoundMemoryPercentile, "")
	fs.Float64Var(&r.UpperBoundMemoryPercentile, "recommendation-upper-bound-memory-percentile", r.UpperBoundMemoryPercentile, "")
	fs.Float64Var(&r.SafetyMarginFraction, "recommendation-margin-fraction", r.SafetyMarginFraction, "")
	fs.Float64Var(&r.PodMinCPUMillicores, "pod-recommendation-min-cpu-millicores", r.PodMinCPUMillicores, "")
	fs.Float64Var(&r.PodMinMemoryMb, "pod-recommendation-min-memory-mb", r.PodMinMemoryMb, "")
	fs.IntVar(&p.Format.RoundCPUMillicores, "round-cpu-millicores", p.Format.RoundCPUMillicores, "")

	fs.IntVar(&p.MinReplicas, "min-replicas", p.MinReplicas, "")
	fs.Float64Var(&p.EvictionTolerance, "eviction-tolerance", p.EvictionTolerance, "")
	fs.Float64Var(&p.Update.MinChangePriority, "pod-update-threshold", p.Update.MinChangePriority, "")
	fs.DurationVar(&p.Update.PodLifetimeUpdateThreshold, "in-recommendation-bounds-eviction-lifetime-threshold", p.Update.PodLifetimeUpdateThreshold, "")
	fs.DurationVar(&p.Update.EvictAfterOOMThreshold, "evict-after-oom-threshold", p.Update.EvictAfterOOMThreshold, "")
	fs.BoolVar(&p.InPlaceSkipsBudget, "in-place-skip-disruption-budget", p.InPlaceSkipsBudget, "")
}
