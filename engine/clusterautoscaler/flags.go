package clusterautoscaler

import "github.com/spf13/pflag"

// AddFlags declares those of upstream's flags that a scenario may set (config/flags/flags.go).
func (o *Options) AddFlags(fs *pflag.FlagSet) {
	fs.DurationVar(&o.ScanInterval, "scan-interval", o.ScanInterval, "")
	fs.StringVar(&o.Expander, "expander", o.Expander, "")
	fs.IntVar(&o.MaxNodesTotal, "max-nodes-total", o.MaxNodesTotal, "")
	fs.IntVar(&o.MaxNodesPerScaleUp, "max-nodes-per-scaleup", o.MaxNodesPerScaleUp, "")
	fs.BoolVar(&o.BalanceSimilarNodeGroups, "balance-similar-node-groups", o.BalanceSimilarNodeGroups, "")
	fs.DurationVar(&o.NewPodScaleUpDelay, "new-pod-scale-up-delay", o.NewPodScaleUpDelay, "")
	fs.Float64Var(&o.UtilizationThreshold, "scale-down-utilization-threshold", o.UtilizationThreshold, "")
	fs.DurationVar(&o.UnneededTime, "scale-down-unneeded-time", o.UnneededTime, "")
	fs.DurationVar(&o.DelayAfterAdd, "scale-down-delay-after-add", o.DelayAfterAdd, "")
	fs.DurationVar(&o.RecheckTimeout, "unremovable-node-recheck-timeout", o.RecheckTimeout, "")
	fs.IntVar(&o.DrainParallelism, "max-drain-parallelism", o.DrainParallelism, "")
	fs.BoolVar(&o.SkipLocalStorage, "skip-nodes-with-local-storage", o.SkipLocalStorage, "")
}
