package lab

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/scenarios"
)

// Load lets a scenario's timeline drive the simulated kubelets.
type Load struct{ *scenarios.Scenario }

// Usage is what the containers of every pod use, elapsed after the load began.
func (l Load) Usage(elapsed time.Duration, pods []*corev1.Pod, now time.Time) map[string]map[string]embedded.Usage {
	usage := make(map[string]map[string]embedded.Usage, len(pods))
	l.EachUse(elapsed, pods, now, func(pod, container string, u scenarios.Use) {
		if usage[pod] == nil {
			usage[pod] = map[string]embedded.Usage{}
		}
		usage[pod][container] = embedded.Usage(u)
	})
	return usage
}

// NewLoad is the scenario's load for a simulated cluster, with an adapter's metrics where
// it has any.
func NewLoad(s *scenarios.Scenario) embedded.Load {
	if len(s.Series()) == 0 {
		return Load{s}
	}
	return meteredLoad{Load{s}}
}

// meteredLoad is a load whose scenario has metrics that are no resource of a pod.
type meteredLoad struct{ Load }

// Metrics are their values, elapsed after the load began.
func (l meteredLoad) Metrics(elapsed time.Duration, pods []*corev1.Pod) []embedded.Metric {
	gauges := l.Gauges(elapsed, pods)
	metrics := make([]embedded.Metric, len(gauges))
	for i, g := range gauges {
		metrics[i] = embedded.Metric(g)
	}
	return metrics
}
