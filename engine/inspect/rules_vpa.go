package inspect

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/korean"
)

// patience is how long the Recommender, which looks once a minute, is waited for.
const patience = 5 * time.Minute

func vpaObject(v *vpav1.VerticalPodAutoscaler) Object {
	return Object{"VerticalPodAutoscaler", v.Namespace, v.Name}
}

// auto is a mode that upstream advises against by now, and objects have all the same. It
// does what Recreate does (pkg/updater/logic/updater.go).
const auto vpav1.UpdateMode = "Auto"

// evicts tells whether the Updater may evict pods of the VPA.
func evicts(v *vpav1.VerticalPodAutoscaler) bool {
	switch vpautil.GetUpdateMode(v) {
	case auto, vpav1.UpdateModeRecreate, vpav1.UpdateModeInPlaceOrRecreate:
		return true
	}
	return false
}

func sameTarget(h *HPA, v *vpav1.VerticalPodAutoscaler) bool {
	ref := v.Spec.TargetRef
	return ref != nil && ref.Kind == h.Spec.ScaleTargetRef.Kind && ref.Name == h.Spec.ScaleTargetRef.Name
}

// moves tells whether the VPA changes that resource's requests of a container; of any when
// container is empty.
func moves(v *vpav1.VerticalPodAutoscaler, container string, name corev1.ResourceName, spec *corev1.PodSpec) bool {
	for c := range hpa.LongRunning(spec) {
		if (container == "" || container == c.Name) && controls(vpautil.GetContainerResourcePolicy(c.Name, v.Spec.ResourcePolicy), name) {
			return true
		}
	}
	return false
}

func controls(p *vpav1.ContainerResourcePolicy, name corev1.ResourceName) bool {
	switch {
	case p == nil:
		return true
	case p.Mode != nil && *p.Mode == vpav1.ContainerScalingModeOff:
		return false
	}
	return p.ControlledResources == nil || slices.Contains(*p.ControlledResources, name)
}

// hpaAndVPA finds a VPA that changes the requests by which an HPA divides.
func hpaAndVPA(s *Snapshot, h *HPA) *Finding {
	spec := s.podSpec(h)
	if spec == nil {
		return nil
	}
	for i := range s.VPAs {
		v := &s.VPAs[i]
		if v.Namespace != h.Namespace || !sameTarget(h, v) || vpautil.GetUpdateMode(v) == vpav1.UpdateModeOff {
			continue
		}
		for _, m := range h.Spec.Metrics {
			container := ""
			if m.ContainerResource != nil {
				container = m.ContainerResource.Container
			}
			name := resourceName(m)
			if percent(m) == nil || !moves(v, container, corev1.ResourceName(name), spec) {
				continue
			}
			return &Finding{Also: []Object{vpaObject(v)},
				What: fmt.Sprintf("HPA의 %s 사용률은 requests로 나눈 값인데, VPA %s 그 requests를 바꿉니다. 둘이 서로를 되돌립니다.", name, korean.Subject(v.Name)),
				Evidence: []Line{observed("HPA의 메트릭: %s averageUtilization %d%%", name, *percent(m)),
					observed("VPA %s: 같은 대상 %s, updateMode %s, %s 조정함", v.Name, h.target(), vpautil.GetUpdateMode(v), korean.Object(name))},
				Fix:     fmt.Sprintf("VPA의 controlledResources에서 %s 빼시거나, updateMode를 Off로 하시거나, HPA에 다른 메트릭(AverageValue, Pods, External)을 쓰십시오.", korean.Object(name)),
				Command: fmt.Sprintf("kubectl get vpa %s -n %s -o yaml", v.Name, v.Namespace)}
		}
	}
	return nil
}

// vpaSays finds a condition of VPAs that has been so for longer than a Recommender takes.
func vpaSays(s *Snapshot, kind vpav1.VerticalPodAutoscalerConditionType, status corev1.ConditionStatus, make func(*vpav1.VerticalPodAutoscaler, vpav1.VerticalPodAutoscalerCondition) Finding) []Finding {
	var all []Finding
	for i := range s.VPAs {
		v := &s.VPAs[i]
		for _, c := range v.Status.Conditions {
			if c.Type != kind || c.Status != status || s.Now.Sub(c.LastTransitionTime.Time) < patience {
				continue
			}
			f := make(v, c)
			f.Object = vpaObject(v)
			f.Evidence = append(f.Evidence, observed("%s=%s %s (%s 전부터): %s", c.Type, c.Status, c.Reason, korean.Age(s.Now.Sub(c.LastTransitionTime.Time)), c.Message))
			f.Command = fmt.Sprintf("kubectl describe vpa %s -n %s", v.Name, v.Namespace)
			all = append(all, f)
		}
	}
	return all
}

func vpaNoTarget(s *Snapshot) []Finding {
	return vpaSays(s, vpav1.ConfigUnsupported, corev1.ConditionTrue, func(*vpav1.VerticalPodAutoscaler, vpav1.VerticalPodAutoscalerCondition) Finding {
		return Finding{What: "VPA의 targetRef를 쓸 수 없습니다. 추천도 조정도 하지 않습니다.",
			Fix: "targetRef가 있는 대상을, 그리고 맨 위의 컨트롤러(레플리카셋이 아니라 디플로이먼트)를 가리키게 하십시오."}
	})
}

func vpaNoPods(s *Snapshot) []Finding {
	return vpaSays(s, vpav1.NoPodsMatched, corev1.ConditionTrue, func(*vpav1.VerticalPodAutoscaler, vpav1.VerticalPodAutoscalerCondition) Finding {
		return Finding{What: "VPA의 대상에 파드가 없어 추천할 것이 없습니다.", Fix: "대상의 레플리카가 0인지, 파드를 만들지 못하는 이유가 있는지 확인하십시오."}
	})
}

// vpaNoRecommendation is for a VPA with pods: without them it is another rule's.
func vpaNoRecommendation(s *Snapshot) []Finding {
	all := vpaSays(s, vpav1.RecommendationProvided, corev1.ConditionFalse, func(*vpav1.VerticalPodAutoscaler, vpav1.VerticalPodAutoscalerCondition) Finding {
		return Finding{What: "파드가 있는데 VPA의 추천이 없습니다.", Fix: "Recommender가 메트릭(metrics.k8s.io)을 읽는지 로그를 확인하십시오. 파드가 Running이 된 지 얼마 되지 않았다면 몇 분 기다리십시오."}
	})
	all = slices.DeleteFunc(all, func(f Finding) bool {
		return slices.ContainsFunc(vpaNoPods(s), func(o Finding) bool { return o.Object == f.Object })
	})
	for i := range s.VPAs {
		if v := &s.VPAs[i]; len(v.Status.Conditions) == 0 && s.Now.Sub(v.CreationTimestamp.Time) > patience {
			all = append(all, Finding{Object: vpaObject(v), What: "Recommender가 이 VPA를 보고 있지 않습니다.",
				Evidence: []Line{observed("만든 지 %s, 그런데 status가 비어 있습니다", korean.Age(s.Now.Sub(v.CreationTimestamp.Time)))},
				Fix:      "VPA의 Recommender가 클러스터에 있는지, spec.recommenders의 이름이 맞는지 확인하십시오.", Command: fmt.Sprintf("kubectl get vpa %s -n %s -o yaml", v.Name, v.Namespace)})
		}
	}
	return all
}

func twoVPAs(s *Snapshot) []Finding {
	var all []Finding
	for i := range s.VPAs {
		for j := range i {
			a, b := &s.VPAs[j], &s.VPAs[i]
			if a.Namespace != b.Namespace || a.Spec.TargetRef == nil || b.Spec.TargetRef == nil || *a.Spec.TargetRef != *b.Spec.TargetRef || vpautil.GetUpdateMode(a) == vpav1.UpdateModeOff || vpautil.GetUpdateMode(b) == vpav1.UpdateModeOff {
				continue
			}
			all = append(all, Finding{Object: vpaObject(b), Also: []Object{vpaObject(a)}, What: fmt.Sprintf("VPA %s도 같은 대상을 조정합니다. 먼저 만든 하나만 힘이 있습니다.", a.Name),
				Evidence: []Line{observed("둘 다 targetRef %s/%s, updateMode는 차례로 %s, %s", a.Spec.TargetRef.Kind, a.Spec.TargetRef.Name, vpautil.GetUpdateMode(a), vpautil.GetUpdateMode(b))},
				Fix:      "하나만 남기시거나, 하나의 updateMode를 Off로 하십시오.", Command: fmt.Sprintf("kubectl get vpa -n %s", a.Namespace)})
		}
	}
	return all
}
