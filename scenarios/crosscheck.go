package scenarios

import (
	"fmt"
	"path"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"

	"github.com/stepscale/stepscale/engine/korean"
)

// crossCheck checks that the objects are those that scenario.yaml names, with the
// faults that it announces and no others. In broken objects the absence of a
// fault proves nothing.
func (r *reader) crossCheck(objects []object, s *Scenario, broken bool) {
	if s.Target == "" {
		return
	}
	if !broken {
		r.checkFlows(objects, s)
		r.checkSeries(objects, r.checkEvents(objects, s), s)
	}
	r.crossCheckPools(objects, s, broken)
	if s.HPA == "" && s.VPA == "" {
		r.crossCheckPods(objects, s, broken)
	}
	if s.HPA != "" {
		r.crossCheckHPA(objects, s, broken)
	}
	if s.VPA != "" {
		r.crossCheckVPA(objects, s, broken)
	}
}

// crossCheckPods finds the workload whose pods need nodes, where nobody scales it.
func (r *reader) crossCheckPods(objects []object, s *Scenario, broken bool) {
	for _, kind := range Targets {
		if w, ok := findWorkload(objects, kind, s.Target); ok {
			s.TargetKind, s.containers = kind, w.containers()
			return
		}
	}
	if !broken {
		r.add(1, "scenario.yaml의 target에 적은 이름의 디플로이먼트를 적어 주십시오.", "target인 %s 없습니다.", korean.Subject(s.Target))
	}
}

// checkFlows checks that the loads have something to be laid on.
func (r *reader) checkFlows(objects []object, s *Scenario) {
	told := &reader{file: path.Join(path.Dir(r.file), scenarioFile)}
	defer func() { r.problems = append(r.problems, told.problems...) }()
	for _, o := range objects {
		if w, ok := workloadOf(o); ok && w.probed() {
			s.probed = append(s.probed, w.name)
		}
	}
	for _, f := range s.flows() {
		if f.Pod.Ready > 0 && !slices.Contains(s.probed, f.Target) {
			told.add(f.Pod.readyLine, "objects.yaml의 컨테이너에 readinessProbe를 적거나 ready를 지워 주십시오. 프로브가 없는 컨테이너는 시작하자마자 Ready입니다.", "%s의 파드에 readinessProbe도 startupProbe도 없습니다.", f.Target)
		}
	}
	for _, f := range s.More {
		if f.Target == s.Target && f.Container == "" {
			told.add(f.line, "맨 위의 load에 적어 주십시오. 컨테이너 하나의 부하라면 container를 적어 주십시오.", "loads의 target이 시나리오의 target과 같습니다: %s", f.Target)
			continue
		}
		i := slices.IndexFunc(objects, func(o object) bool { w, ok := workloadOf(o); return ok && w.name == f.Target })
		if i < 0 {
			told.add(f.line, "objects.yaml에 있는 디플로이먼트나 스테이트풀셋의 이름을 적어 주십시오.", "loads의 target이 objects.yaml에 없습니다: %s", f.Target)
			continue
		}
		w, _ := workloadOf(objects[i])
		names := w.containers()
		if f.Container != "" && !slices.Contains(names, f.Container) {
			told.add(f.line, "쓸 수 있는 이름: "+strings.Join(names, ", "), "%s의 파드에 그런 컨테이너가 없습니다: %s", f.Target, f.Container)
		}
	}
}

func (r *reader) crossCheckHPA(objects []object, s *Scenario, broken bool) {
	h, o, ok := find[*autoscalingv2.HorizontalPodAutoscaler](objects, s.HPA)
	if !ok {
		if !broken {
			r.add(1, "scenario.yaml의 hpa에 적은 이름과 같은 autoscaling/v2 HPA를 적어 주십시오.", "HPA %s 없습니다.", korean.Subject(s.HPA))
		}
		return
	}
	r.checkAnswers(s, broken, h, o)
	ref := h.Spec.ScaleTargetRef
	at := refPlace{object: o, who: "HPA " + s.HPA, field: "scaleTargetRef"}
	target, found := r.crossCheckTarget(objects, s, broken, at, autoscalingv1.CrossVersionObjectReference(ref))
	if !found {
		return
	}
	pod, err := target.pod(objects)
	if err != nil {
		r.add(target.line("spec", "template"), "kubectl apply --dry-run=server로 확인해 주십시오.", "API 서버가 이 템플릿의 파드를 읽지 못합니다: %s", err)
		return
	}
	s.metrics = len(h.Spec.Metrics)
	r.checkRequests(s, broken, h, target, pod)
}

// checkRequests checks what the HPA will find missing in the target's pods.
func (r *reader) checkRequests(s *Scenario, broken bool, h *autoscalingv2.HorizontalPodAutoscaler, target workload, pod *corev1.Pod) {
	missing, spec := lacks(h, pod), []string{"spec", "template", "spec"}
	line, msg := target.line(append(spec, "containers")...), ""
	if len(missing) > 0 {
		m := missing[0]
		line = target.line(append(spec, m.path...)...)
		msg = fmt.Sprintf("HPA가 %s 사용률(Utilization)로 계산하는데 컨테이너 %s에 %s requests가 없습니다.", m.resource, m.container, m.resource)
		if m.container == "" {
			msg = fmt.Sprintf("HPA가 %s 사용률(Utilization)로 계산하는데 파드의 resources에 %s requests가 없습니다.", m.resource, m.resource)
		}
	}
	r.fault(s, FaultMissingRequests, len(missing) > 0, broken, line,
		"resources.requests를 적거나, 일부러 뺐다면 scenario.yaml에 faults: [missing-requests]를 적어 주십시오.", msg)
}

func (r *reader) crossCheckVPA(objects []object, s *Scenario, broken bool) {
	v, o, ok := find[*vpav1.VerticalPodAutoscaler](objects, s.VPA)
	if !ok {
		if !broken {
			r.add(1, "scenario.yaml의 vpa에 적은 이름과 같은 autoscaling.k8s.io/v1 VPA를 적어 주십시오.", "VPA %s 없습니다.", korean.Subject(s.VPA))
		}
		return
	}
	ref := v.Spec.TargetRef
	if ref == nil { // told by vpa
		return
	}
	at := refPlace{object: o, who: "VPA " + s.VPA, field: "targetRef"}
	if kind := koreanKind[ref.Kind]; kind != "" && ref.Kind != "Deployment" { // which HPAs scale, and the VPA's loop does not follow
		r.add(at.line("kind"), "디플로이먼트로 바꾸어 주십시오. HPA의 대상으로는 쓸 수 있습니다.", "VPA %s의 대상이 %s입니다. stepscale의 VPA 루프는 디플로이먼트만 따라갑니다.", s.VPA, kind)
		return
	}
	r.crossCheckTarget(objects, s, broken, at, *ref)
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
		"VPA "+korean.And(s.VPA)+" 대상이 같은 VPA가 또 있습니다.")
}

// refPlace is where an autoscaler says what it scales.
type refPlace struct {
	object
	who, field string
}

func (p refPlace) line(field string) int { return p.object.line("spec", p.field, field) }

// crossCheckTarget checks what an autoscaler scales, and finds it. HPA and VPA are held
// to the same target, so they have the same.
func (r *reader) crossCheckTarget(objects []object, s *Scenario, broken bool, at refPlace, ref autoscalingv1.CrossVersionObjectReference) (workload, bool) {
	if ref.Name != s.Target {
		r.add(at.line("name"), at.field+".name과 scenario.yaml의 target을 같게 적어 주십시오.",
			"%s의 대상(%s)이 scenario.yaml의 target(%s)과 다릅니다.", at.who, ref.Name, s.Target)
	}
	if !slices.Contains(Targets, ref.Kind) || ref.APIVersion != appsv1.SchemeGroupVersion.String() {
		r.add(at.line("kind"), "apiVersion: apps/v1, kind: "+strings.Join(Targets, " 또는 ")+"로 적어 주십시오.",
			"%s의 대상은 apps/v1의 %s이어야 합니다: %s %s", at.who, strings.Join(Targets, ", "), ref.APIVersion, ref.Kind)
		return workload{}, false
	}
	s.TargetKind = ref.Kind
	target, found := findWorkload(objects, ref.Kind, ref.Name)
	s.containers = target.containers()
	r.fault(s, FaultMissingTarget, !found, broken, at.line("name"),
		korean.Object(koreanKind[ref.Kind])+" 추가하거나, 일부러 뺐다면 scenario.yaml에 faults: [missing-target]을 적어 주십시오.",
		at.who+"의 대상인 "+koreanKind[ref.Kind]+" "+korean.Subject(ref.Name)+" 없습니다.")
	return target, found
}

// fault reports a fault that was not announced, and one that was and is not there.
func (r *reader) fault(s *Scenario, f Fault, there, broken bool, line int, hint, msg string) {
	announced := slices.Contains(s.Faults, f)
	switch {
	case there && !announced && !broken:
		r.problems = append(r.problems, Problem{File: r.file, Line: line, Msg: msg, Hint: hint})
	case !there && announced:
		r.add(line, "scenario.yaml의 faults에서 지워 주십시오.", "scenario.yaml이 예고한 %s 여기에 없습니다.", korean.Subject(string(f)))
	}
}
