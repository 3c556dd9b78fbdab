package scenarios

import (
	"slices"
	"strconv"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
)

// cast checks that the objects are those that scenario.yaml names, with the
// faults that it announces and no others. In broken objects the absence of a
// fault proves nothing.
func (r *reader) cast(objects []object, s *Scenario, broken bool) {
	if s.Target == "" {
		return
	}
	if s.HPA != "" {
		r.castHPA(objects, s, broken)
	}
	if s.VPA != "" {
		r.castVPA(objects, s, broken)
	}
}

func (r *reader) castHPA(objects []object, s *Scenario, broken bool) {
	h, o, ok := find[*autoscalingv2.HorizontalPodAutoscaler](objects, s.HPA)
	if !ok {
		if !broken {
			r.add(1, "scenario.yaml의 hpa에 적은 이름과 같은 autoscaling/v2 HPA를 적어 주십시오.", "HPA %s이(가) 없습니다.", s.HPA)
		}
		return
	}
	ref := h.Spec.ScaleTargetRef
	at := refPlace{object: o, who: "HPA " + s.HPA, field: "scaleTargetRef"}
	d, target, found := r.castTarget(objects, s, broken, at, autoscalingv1.CrossVersionObjectReference(ref))
	if !found {
		return
	}
	path := []string{"spec", "template", "spec", "containers"}
	missing := withoutRequests(h, d.Spec.Template.Spec.Containers)
	line := target.line(path...)
	if len(missing) > 0 {
		line = target.line(append(path, strconv.Itoa(missing[0]), "name")...)
	}
	r.fault(s, FaultMissingRequests, len(missing) > 0, broken, line,
		"resources.requests.cpu를 적거나, 일부러 뺐다면 scenario.yaml에 faults: [missing-requests]를 적어 주십시오.",
		"HPA가 CPU 사용률(Utilization)로 계산하는데 컨테이너에 CPU requests가 없습니다.")
}

func (r *reader) castVPA(objects []object, s *Scenario, broken bool) {
	v, o, ok := find[*vpav1.VerticalPodAutoscaler](objects, s.VPA)
	if !ok {
		if !broken {
			r.add(1, "scenario.yaml의 vpa에 적은 이름과 같은 autoscaling.k8s.io/v1 VPA를 적어 주십시오.", "VPA %s이(가) 없습니다.", s.VPA)
		}
		return
	}
	ref := v.Spec.TargetRef
	if ref == nil { // told by vpa
		return
	}
	r.castTarget(objects, s, broken, refPlace{object: o, who: "VPA " + s.VPA, field: "targetRef"}, *ref)
	line, others := o.line("spec", "targetRef"), 0
	for _, other := range objects {
		w, ok := other.value.(*vpav1.VerticalPodAutoscaler)
		if !ok || w.Name == s.VPA || w.Spec.TargetRef == nil || w.Spec.TargetRef.Kind != ref.Kind || w.Spec.TargetRef.Name != ref.Name {
			continue
		}
		if others++; others == 1 {
			line = other.line("spec", "targetRef")
		}
	}
	// Here it is the other way round: what is seen is proven, and the second VPA may be what is broken.
	there := others > 0 || broken && slices.Contains(s.Faults, FaultTwoVPAs)
	r.fault(s, FaultTwoVPAs, there, false, line,
		"VPA를 하나만 남기거나, 일부러 두었다면 scenario.yaml에 faults: [two-vpas]를 적어 주십시오.",
		"VPA "+s.VPA+"와(과) 대상이 같은 VPA가 또 있습니다.")
}

// refPlace is where an autoscaler says what it scales.
type refPlace struct {
	object
	who, field string
}

func (p refPlace) line(field string) int { return p.object.line("spec", p.field, field) }

// castTarget checks what an autoscaler scales, and finds it. HPA and VPA are held
// to the same target, so they have the same.
func (r *reader) castTarget(objects []object, s *Scenario, broken bool, at refPlace, ref autoscalingv1.CrossVersionObjectReference) (deployment, object, bool) {
	if ref.Name != s.Target {
		r.add(at.line("name"), at.field+".name과 scenario.yaml의 target을 같게 적어 주십시오.",
			"%s의 대상(%s)이 scenario.yaml의 target(%s)과 다릅니다.", at.who, ref.Name, s.Target)
	}
	if ref.Kind != "Deployment" || ref.APIVersion != "apps/v1" {
		r.add(at.line("kind"), "apiVersion: apps/v1, kind: Deployment로 적어 주십시오.",
			"%s의 대상은 apps/v1 Deployment이어야 합니다: %s %s", at.who, ref.APIVersion, ref.Kind)
	}
	d, target, found := find[deployment](objects, ref.Name)
	r.fault(s, FaultMissingTarget, !found, broken, at.line("name"),
		"디플로이먼트를 추가하거나, 일부러 뺐다면 scenario.yaml에 faults: [missing-target]을 적어 주십시오.",
		at.who+"의 대상인 디플로이먼트 "+ref.Name+"이(가) 없습니다.")
	return d, target, found
}

// fault reports a fault that was not announced, and one that was and is not there.
func (r *reader) fault(s *Scenario, f Fault, there, broken bool, line int, hint, msg string) {
	announced := slices.Contains(s.Faults, f)
	switch {
	case there && !announced && !broken:
		r.problems = append(r.problems, Problem{File: r.file, Line: line, Msg: msg, Hint: hint})
	case !there && announced:
		r.add(line, "scenario.yaml의 faults에서 지워 주십시오.", "scenario.yaml이 예고한 %s이(가) 여기에 없습니다.", f)
	}
}

// withoutRequests returns the indexes of the containers without CPU requests
// whose utilization the HPA wants to know.
func withoutRequests(h *autoscalingv2.HorizontalPodAutoscaler, containers []corev1.Container) []int {
	all, some := len(h.Spec.Metrics) == 0, map[string]bool{} // without metrics the API server sets cpu 80%
	for _, m := range h.Spec.Metrics {
		switch {
		case m.Resource != nil && m.Resource.Name == corev1.ResourceCPU && m.Resource.Target.Type == autoscalingv2.UtilizationMetricType:
			all = true
		case m.ContainerResource != nil && m.ContainerResource.Name == corev1.ResourceCPU && m.ContainerResource.Target.Type == autoscalingv2.UtilizationMetricType:
			some[m.ContainerResource.Container] = true
		}
	}
	var missing []int
	for i, c := range containers {
		_, requested := c.Resources.Requests[corev1.ResourceCPU]
		_, limited := c.Resources.Limits[corev1.ResourceCPU] // the API server copies it to the requests
		if (all || some[c.Name]) && !requested && !limited {
			missing = append(missing, i)
		}
	}
	return missing
}
