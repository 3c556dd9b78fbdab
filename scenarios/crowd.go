package scenarios

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// MaxPods is how many pods the nodes of the embedded cluster hold. No scenario may
// ask for more, on any cluster: it would be a flood.
const MaxPods = 6000

// crowd compares the pods that the objects may come to with what the nodes hold.
func (r *reader) crowd(objects []object) {
	told, line := len(r.problems), 1
	most := map[string]int64{} // pods, by their workload
	for _, o := range objects {
		if w, ok := workloadOf(o); ok {
			line = r.most(most, w.kind+"/"+w.name, o, w.field, w.replicas)
		}
		if h, ok := o.value.(*autoscalingv2.HorizontalPodAutoscaler); ok {
			line = r.most(most, h.Spec.ScaleTargetRef.Kind+"/"+h.Spec.ScaleTargetRef.Name, o, "maxReplicas", int64(h.Spec.MaxReplicas))
		}
	}
	total := int64(0)
	for _, n := range most {
		total += n
	}
	if total > MaxPods && len(r.problems) == told {
		r.add(line, crowdHint, "파드가 모두 %d개까지 늘어날 수 있는데, 노드에는 %d개까지만 들어갑니다.", total, MaxPods)
	}
}

// most notes how many pods a field lets a workload have, and returns its line.
func (r *reader) most(pods map[string]int64, target string, o object, field string, n int64) int {
	line := o.line("spec", field)
	if n > MaxPods {
		r.add(line, crowdHint, "%s(%d)가 노드에 들어가는 파드의 수(%d)보다 큽니다.", field, n, MaxPods)
	}
	pods[target] = max(pods[target], n)
	return line
}

const crowdHint = "replicas와 HPA의 maxReplicas를 줄여 주십시오. 파드를 만드는 오브젝트가 여럿이면 모두 더한 수를 봅니다."
