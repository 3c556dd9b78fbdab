// Package clusterautoscaler decides as Cluster Autoscaler does, one step at a time. Its
// module cannot be imported, so the rules are written again here as they are at Source,
// where the paths in the comments are under pkg/. Whether a pod fits on a node is judged by
// upstream's scheduler framework (Judge).
package clusterautoscaler

import "time"

// Source is the repository and the commit at which the rules were read.
const Source = "kubernetes-sigs/cluster-autoscaler@33c3f97"

// Options are the flags of Cluster Autoscaler that a decision depends on
// (config/autoscaling_options.go, config/flags/flags.go).
type Options struct {
	ScanInterval time.Duration // --scan-interval

	Expander                 string // --expander: names of a chain, with commas
	Priorities               string // the value of the key priorities in the ConfigMap cluster-autoscaler-priority-expander
	Seed                     uint64 // of the random choice among equals, which upstream takes from the clock
	MaxNodesTotal            int    // --max-nodes-total; 0: no limit
	MaxNodesPerScaleUp       int    // --max-nodes-per-scaleup
	BalanceSimilarNodeGroups bool   // --balance-similar-node-groups
	NewPodScaleUpDelay       time.Duration
	ExpendablePriority       int32 // --expendable-pods-priority-cutoff
	Cores, Memory            Range // --cores-total in cores, --memory-total in bytes
	MaxNodeProvisionTime     time.Duration
	InitialBackoff           time.Duration // --initial-node-group-backoff-duration
	MaxBackoff               time.Duration // --max-node-group-backoff-duration
	BackoffReset             time.Duration // --node-group-backoff-reset-timeout
	OKUnreadyCount           int           // --ok-total-unready-count
	MaxUnreadyPercentage     float64       // --max-total-unready-percentage
	UtilizationThreshold     float64       // --scale-down-utilization-threshold
	IgnoreDaemonSets         bool          // --ignore-daemonsets-utilization
	IgnoreMirrorPods         bool          // --ignore-mirror-pods-utilization
	UnneededTime             time.Duration // --scale-down-unneeded-time
	UnreadyTime              time.Duration // --scale-down-unready-time
	ScaleDownUnready         bool          // --scale-down-unready-enabled
	DelayAfterAdd            time.Duration // --scale-down-delay-after-add
	DelayAfterDelete         time.Duration // --scale-down-delay-after-delete
	DelayAfterFailure        time.Duration // --scale-down-delay-after-failure
	RecheckTimeout           time.Duration // --unremovable-node-recheck-timeout
	Parallelism              int           // --max-scale-down-parallelism
	DrainParallelism         int           // --max-drain-parallelism
	SkipSystemPods           bool          // --skip-nodes-with-system-pods
	SkipLocalStorage         bool          // --skip-nodes-with-local-storage
	SkipCustomControllers    bool          // --skip-nodes-with-custom-controller-pods
	MinReplicas              int32         // --min-replica-count
	SystemPodTimeout         time.Duration // --blocking-system-pod-distruption-timeout
	DelayAfterTaint          time.Duration // --node-delete-delay-after-taint
	CordonBeforeTerminate    bool          // --cordon-node-before-terminating
	MaxBulkSoftTaints        int           // --max-bulk-soft-taint-count
}

// Range is what a resource of the whole cluster has to stay in; the zero value limits nothing.
type Range struct{ Min, Max int64 }

// DefaultOptions are upstream's defaults (config/flags/flags.go).
func DefaultOptions() Options {
	return Options{
		ScanInterval: 10 * time.Second,
		Expander:     LeastWaste, MaxNodesPerScaleUp: 1000, ExpendablePriority: -10,
		MaxNodeProvisionTime: 15 * time.Minute,
		InitialBackoff:       5 * time.Minute, MaxBackoff: 30 * time.Minute, BackoffReset: 3 * time.Hour,
		OKUnreadyCount: 3, MaxUnreadyPercentage: 45,
		UtilizationThreshold: 0.5, UnneededTime: 10 * time.Minute, UnreadyTime: 20 * time.Minute, ScaleDownUnready: true,
		DelayAfterAdd: 10 * time.Minute, DelayAfterFailure: 3 * time.Minute, RecheckTimeout: 5 * time.Minute,
		Parallelism: 10, DrainParallelism: 1,
		SkipSystemPods: true, SkipLocalStorage: true, SkipCustomControllers: true, SystemPodTimeout: time.Hour,
		DelayAfterTaint: 5 * time.Second, CordonBeforeTerminate: true, MaxBulkSoftTaints: 10,
	}
}
