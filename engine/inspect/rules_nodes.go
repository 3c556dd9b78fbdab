package inspect

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	karpenter "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/stepscale/stepscale/engine/korean"
)

func poolObject(p karpenter.NodePool) Object { return Object{Kind: "NodePool", Name: p.Name} }

func nodePoolNotReady(s *Snapshot) []Finding {
	var all []Finding
	for _, p := range s.NodePools {
		for _, c := range p.Status.Conditions {
			if c.Type != "Ready" || string(c.Status) != string(corev1.ConditionFalse) {
				continue
			}
			all = append(all, Finding{Object: poolObject(p), What: fmt.Sprintf("NodePool %s 준비되지 않아 카펜터가 노드를 만들지 않습니다.", korean.Subject(p.Name)),
				Evidence: []Line{observed("Ready=%s %s: %s", c.Status, c.Reason, c.Message)},
				Fix:      "nodeClassRef가 가리키는 EC2NodeClass의 컨디션(서브넷, 보안 그룹, AMI)을 확인하십시오.", Command: fmt.Sprintf("kubectl describe nodepool %s", p.Name)})
		}
	}
	return all
}

func nodePoolAtLimit(s *Snapshot) []Finding {
	var all []Finding
	for _, p := range s.NodePools {
		for _, name := range slices.Sorted(maps.Keys(p.Spec.Limits)) {
			limit, used := p.Spec.Limits[name], p.Status.Resources[name]
			if used.Cmp(limit) < 0 {
				continue
			}
			all = append(all, Finding{Object: poolObject(p), What: fmt.Sprintf("NodePool %s %s 한도에 닿아 카펜터가 노드를 더 만들지 않습니다.", korean.Subject(p.Name), name),
				Evidence: []Line{observed("status.resources.%s %s, spec.limits.%s %s", name, used.String(), name, limit.String())},
				Fix:      "spec.limits를 늘리시거나 쓰지 않는 노드가 있는지 보십시오.", Command: fmt.Sprintf("kubectl get nodepool %s -o yaml", p.Name)})
		}
	}
	return all
}

func caUnhealthy(s *Snapshot) []Finding {
	if s.Groups == nil || s.Groups.ClusterWide.Health.Status != "Unhealthy" {
		return nil
	}
	return []Finding{{Object: Object{"ConfigMap", "kube-system", statusConfigMap}, What: "클러스터 오토스케일러가 클러스터를 Unhealthy로 봅니다. 확장도 축소도 하지 않습니다.",
		Evidence: []Line{observed("clusterWide.health.status %s (%s에 쓴 status)", s.Groups.ClusterWide.Health.Status, s.Groups.Time)},
		Fix:      "Ready가 아닌 노드가 많은지(기본 45%, --max-total-unready-percentage) 확인하십시오.",
		Command:  fmt.Sprintf("kubectl get configmap %s -n kube-system -o jsonpath='{.data.status}'", statusConfigMap)}}
}
