package lab

import (
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/stepscale/stepscale/scenarios"
)

// demand is what a scenario may come to on a real cluster.
type demand struct {
	pods int64             // with the generator's
	cpu  resource.Quantity // that a pod of the target requests
}

// demandOf adds up the pods of a scenario, those of the HPA's target at its maximum.
func demandOf(s *scenarios.Scenario) (demand, error) {
	d := demand{pods: 1}
	most := int64(0)
	for _, o := range s.Parts() {
		switch {
		case o.GetKind() == kindHPA && o.GetName() == s.HPA:
			h := &autoscalingv2.HorizontalPodAutoscaler{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, h); err != nil {
				return d, err
			}
			most = int64(h.Spec.MaxReplicas)
		case o.GetKind() == "Deployment" && o.GetName() == s.Target:
			template, _, err := unstructured.NestedMap(o.Object, "spec", "template")
			if err != nil {
				return d, err
			}
			pod := &corev1.Pod{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(template, pod); err != nil {
				return d, err
			}
			d.cpu = resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})[corev1.ResourceCPU]
			most = max(most, replicasOf(o))
		case o.GetKind() == "Deployment":
			d.pods += replicasOf(o)
		}
	}
	d.pods += most
	return d, nil
}

// tooMany tells of nodes that do not take them all; empty where they do.
func (d demand) tooMany(room int) string {
	if int64(room) >= d.pods {
		return ""
	}
	return fmt.Sprintf("이 시나리오의 파드는 %d개까지 늘어날 수 있는데, 지금 노드에 남은 자리는 이런 파드(CPU %s) %d개쯤입니다. 나머지는 Pending에 머물고, 노드를 스스로 늘리는 클러스터라면 노드가 늘어 비용이 더 듭니다.",
		d.pods, d.cpu.String(), room)
}
