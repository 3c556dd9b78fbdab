package scenarios

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/utils/ptr"
)

// MaxPods is how many pods the nodes of the embedded cluster hold. No scenario may
// ask for more, on any cluster: it would be a flood.
const MaxPods = 3000

// deployment refuses what the API server would.
func (r *reader) deployment(o object) {
	if d, ok := o.value.(deployment); ok && d.Spec.Replicas != nil && *d.Spec.Replicas < 0 {
		r.add(o.line("spec", "replicas"), "0 이상의 수를 적어 주십시오.", "replicas가 0보다 작습니다: %d", *d.Spec.Replicas)
	}
}

// crowd compares the pods that the objects may come to with what the nodes hold.
func (r *reader) crowd(objects []object) {
	told, line := len(r.problems), 1
	most := map[string]int64{} // pods, by the name of their Deployment
	for _, o := range objects {
		switch v := o.value.(type) {
		case deployment:
			line = r.most(most, v.Name, o, "replicas", ptr.Deref(v.Spec.Replicas, 1))
		case *autoscalingv2.HorizontalPodAutoscaler:
			line = r.most(most, v.Spec.ScaleTargetRef.Name, o, "maxReplicas", v.Spec.MaxReplicas)
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

// most notes how many pods a field lets a Deployment have, and returns its line.
func (r *reader) most(pods map[string]int64, target string, o object, field string, n int32) int {
	line := o.line("spec", field)
	if n > MaxPods {
		r.add(line, crowdHint, "%s(%d)가 노드에 들어가는 파드의 수(%d)보다 큽니다.", field, n, MaxPods)
	}
	pods[target] = max(pods[target], int64(n))
	return line
}

const crowdHint = "replicas와 HPA의 maxReplicas를 줄여 주십시오. 디플로이먼트가 여럿이면 모두 더한 수를 봅니다."
