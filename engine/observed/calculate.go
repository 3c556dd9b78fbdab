package observed

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/korean"
)

// What is calculated at most: every pod is held against every node.
const (
	mostPending = 20
	mostRefused = 5
)

// calculate holds the pods that wait against the nodes, and the nodes against the rules of
// Cluster Autoscaler.
func (x *reading) calculate(ctx context.Context) error {
	if !x.world.complete {
		x.Pending = append(x.Pending, Line{Mark: Unknown, Text: "노드와 파드와 PodDisruptionBudget을 모두 읽을 수 있어야 계산합니다. 읽지 못한 것: " + strings.Join(x.Denied, ", ")})
		return nil
	}
	judge, err := clusterautoscaler.NewJudge(ctx)
	if err != nil {
		return err
	}
	c := &clusterautoscaler.Cluster{Now: x.At, Nodes: x.world.nodes, Pods: x.world.pods, Budgets: x.world.budgets}
	x.waiting(ctx, judge, c)
	if x.ClusterAutoscaler.Installed {
		return x.staying(ctx, judge, c)
	}
	return nil
}

// waiting tells why pods fit on none of the nodes.
func (x *reading) waiting(ctx context.Context, judge *clusterautoscaler.Judge, c *clusterautoscaler.Cluster) {
	pods := clusterautoscaler.Unschedulable(c)
	for _, p := range pods[:min(len(pods), mostPending)] {
		about := "pod/" + p.Namespace + "/" + p.Name
		if why, at := marked(p); why != "" {
			x.Pending = append(x.Pending, Line{Mark: Seen, About: about, Reason: corev1.PodReasonUnschedulable, Text: why, At: &at})
		}
		if slices.ContainsFunc(p.Spec.Volumes, func(v corev1.Volume) bool { return v.PersistentVolumeClaim != nil || v.Ephemeral != nil }) || len(p.Spec.ResourceClaims) > 0 {
			x.Pending = append(x.Pending, Line{Mark: Unknown, About: about, Text: "볼륨이나 장치(ResourceClaim)를 쓰는 파드는 여기에서 계산하지 않습니다"})
			continue
		}
		x.Pending = append(x.Pending, Line{Mark: Recalculated, About: about, Text: refusals(judge.Refusals(ctx, c, p), len(c.Nodes))})
	}
	if more := len(pods) - mostPending; more > 0 {
		x.Pending = append(x.Pending, Line{Mark: Unknown, Text: fmt.Sprintf("%d개가 더 기다리고 있고, 여기까지만 살펴보았습니다", more)})
	}
}

// marked is what the scheduler says of a pod.
func marked(p *corev1.Pod) (why string, at time.Time) {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Message, c.LastTransitionTime.Time
		}
	}
	return "", at
}

// refusals are the reasons with the nodes that they are of.
func refusals(by map[string]*clusterautoscaler.Refusal, nodes int) string {
	if len(by) < nodes {
		return fmt.Sprintf("지금은 들어갈 수 있는 노드가 %d개 있습니다. 스케줄러가 다시 볼 때까지 기다리는 중입니다.", nodes-len(by))
	}
	same := map[string][]string{}
	for _, node := range slices.Sorted(maps.Keys(by)) {
		same[by[node].String()] = append(same[by[node].String()], node)
	}
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(same)) {
		names := same[why]
		text := strings.Join(names[:min(len(names), mostRefused)], ", ")
		if more := len(names) - mostRefused; more > 0 {
			text += fmt.Sprintf(" 외 %d개", more)
		}
		parts = append(parts, why+" ("+text+")")
	}
	if len(parts) == 0 {
		return "노드가 하나도 없습니다"
	}
	return strings.Join(parts, "; ")
}

// staying tells why nodes stay, by the rules that need to know neither the flags nor the node
// groups: those of Karpenter are left out.
func (x *reading) staying(ctx context.Context, judge *clusterautoscaler.Judge, c *clusterautoscaler.Cluster) error {
	fates, err := clusterautoscaler.Fates(ctx, judge, c)
	if err != nil {
		return err
	}
	for _, f := range fates {
		if f.Node.Labels[karpv1.NodePoolLabelKey] != "" {
			continue
		}
		x.ClusterAutoscaler.say(Recalculated, "node/"+f.Node.Name, string(f.Reason), fateText(f), time.Time{})
	}
	x.ClusterAutoscaler.say(Unknown, "", "", "컨트롤러의 플래그와 노드 그룹의 이름은 API에 없습니다. 위의 계산은 기본값(--scale-down-utilization-threshold=0.5)으로 했습니다.", time.Time{})
	return nil
}

func fateText(f clusterautoscaler.Fate) string {
	use := fmt.Sprintf("요청량의 이용률 %.3f", f.Utilization.Value())
	switch f.Reason {
	case "":
		return use + ": 없어도 되는 노드입니다. 10분(--scale-down-unneeded-time) 동안 그러면 지워질 수 있습니다."
	case clusterautoscaler.NotUnderutilized:
		return use + ": 기준 0.5보다 높아 남습니다."
	case clusterautoscaler.BlockedByPod:
		return fmt.Sprintf("%s: 파드 %s 막습니다(%s).", use, korean.Subject(f.Pod.Namespace+"/"+f.Pod.Name), f.Block)
	case clusterautoscaler.NoPlaceToMovePods:
		return fmt.Sprintf("%s: 파드 %s 옮겨 갈 자리가 없습니다.", use, korean.Subject(f.Pod.Namespace+"/"+f.Pod.Name))
	}
	return "남습니다: " + string(f.Reason)
}
