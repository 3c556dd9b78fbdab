package cli

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/world"
	"github.com/stepscale/stepscale/scenarios"
)

// scenarioLoad lets a scenario's timeline drive the simulated kubelets.
type scenarioLoad struct{ *scenarios.Scenario }

func (l scenarioLoad) Usage(elapsed time.Duration, pods []*corev1.Pod, now time.Time) map[string]embedded.Usage {
	list := make([]scenarios.Pod, 0, len(pods))
	for _, p := range pods {
		pod := scenarios.Pod{Name: p.Name, Ready: world.IsReady(p), CPULimit: cpuLimit(p)}
		if p.Status.StartTime != nil {
			pod.Age = now.Sub(p.Status.StartTime.Time)
			pod.ContainerAge = pod.Age
		}
		for _, c := range p.Status.ContainerStatuses {
			if c.State.Running != nil { // a container that was killed is younger than its pod
				pod.ContainerAge = min(pod.ContainerAge, now.Sub(c.State.Running.StartedAt.Time))
			}
		}
		list = append(list, pod)
	}
	cpu := l.Scenario.Usage(elapsed, list)
	usage := make(map[string]embedded.Usage, len(list))
	for _, p := range list {
		usage[p.Name] = embedded.Usage{CPU: cpu[p.Name], Memory: l.Memory(elapsed, p)}
	}
	return usage
}

// cpuLimit adds up the limits of the containers; 0 when one has none.
func cpuLimit(p *corev1.Pod) int64 {
	var sum int64
	for _, c := range p.Spec.Containers {
		limit := c.Resources.Limits.Cpu().MilliValue()
		if limit == 0 {
			return 0
		}
		sum += limit
	}
	return sum
}

// kubeletView reads the simulated kubelets without the API server's proxy.
type kubeletView struct{ sim }

func (k kubeletView) Read(ctx context.Context, node, namespace, pod string) ([]string, error) {
	body, err := k.KubeletMetrics(ctx, node)
	return hpa.PodLines(body, namespace, pod), err
}
