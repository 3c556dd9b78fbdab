package scenarios

import (
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"

	"github.com/stepscale/stepscale/engine/korean"
)

// vpa checks a VerticalPodAutoscaler as its admission controller does: validateVPA
// in pkg/admission-controller/resource/vpa/validation.go of VPA 1.8.1, with every
// feature gate at its default. That function is private and knows no lines, so its
// rules are told again here; the test holds them against the original. What the
// schema of the CRD refuses (vpa-v1-crd-gen.yaml) is refused here too.
func (r *reader) vpa(o object) {
	v, ok := o.value.(*vpav1.VerticalPodAutoscaler)
	if !ok {
		return
	}
	if v.Spec.TargetRef == nil {
		r.add(o.line("spec"), "targetRef에 apiVersion, kind, name을 적어 주십시오.", "VPA에 spec.targetRef가 없습니다.")
	}
	if len(v.Spec.Recommenders) > 1 {
		r.add(o.line("spec", "recommenders"), "하나만 남기거나 모두 지워 주십시오.", "recommenders는 하나만 적을 수 있습니다.")
	}
	if v.Spec.StartupBoost != nil {
		r.gated(o.line("spec", "startupBoost"), "startupBoost", "CPUStartupBoost")
	}
	if p := v.Spec.UpdatePolicy; p != nil {
		r.updatePolicy(o, p)
	}
	if p := v.Spec.ResourcePolicy; p != nil {
		for i, c := range p.ContainerPolicies {
			r.containerPolicy(policy{o, i}, c)
		}
	}
}

// gated refuses what a feature gate of the VPA keeps closed.
func (r *reader) gated(line int, what, gate string) {
	r.add(line, "지워 주십시오.", "%s 쓸 수 없습니다: VPA 1.8에서는 기능 게이트 %s 꺼져 있습니다.", korean.Topic(what), korean.Subject(gate))
}

// updatePolicy mirrors validateVPASpecUpdatePolicy. The deprecated Auto passes:
// the original warns only.
func (r *reader) updatePolicy(o object, p *vpav1.PodUpdatePolicy) {
	line := o.line("spec", "updatePolicy", "updateMode")
	modes := []vpav1.UpdateMode{vpav1.UpdateModeOff, vpav1.UpdateModeInitial, vpav1.UpdateModeRecreate,
		vpav1.UpdateModeInPlaceOrRecreate, "Auto"}
	const hint = "Off, Initial, Recreate, InPlaceOrRecreate 가운데 하나를 적어 주십시오."
	switch {
	case p.UpdateMode == nil:
		r.add(line, hint, "updatePolicy에는 updateMode가 필요합니다.")
	case *p.UpdateMode == vpav1.UpdateModeInPlace:
		r.add(line, hint, "updateMode InPlace는 쓸 수 없습니다: VPA 1.8에서는 기능 게이트 InPlace가 꺼져 있습니다.")
	case !slices.Contains(modes, *p.UpdateMode):
		r.add(line, hint, "updateMode를 알 수 없습니다: %q", *p.UpdateMode)
	}
	if p.MinReplicas != nil && *p.MinReplicas <= 0 {
		r.add(o.line("spec", "updatePolicy", "minReplicas"), "1 이상의 수를 적거나 지워 주십시오.",
			"updatePolicy.minReplicas가 1보다 작습니다: %d", *p.MinReplicas)
	}
	if p.EvictAfterOOMSeconds != nil {
		r.gated(o.line("spec", "updatePolicy", "evictAfterOOMSeconds"), "evictAfterOOMSeconds", "PerVPAConfig")
	}
	for i, e := range p.EvictionRequirements {
		if c := e.ChangeRequirement; c != vpav1.TargetHigherThanRequests && c != vpav1.TargetLowerThanRequests {
			r.add(o.line("spec", "updatePolicy", "evictionRequirements", strconv.Itoa(i), "changeRequirement"),
				"TargetHigherThanRequests 또는 TargetLowerThanRequests를 적어 주십시오.", "changeRequirement를 알 수 없습니다: %q", c)
		}
	}
}

// policy is the place of a container policy.
type policy struct {
	object
	index int
}

func (p policy) line(path ...string) int {
	return p.object.line(append([]string{"spec", "resourcePolicy", "containerPolicies", strconv.Itoa(p.index)}, path...)...)
}

// containerPolicy mirrors the body of the loop in validateVPASpecResourcePolicy.
func (r *reader) containerPolicy(at policy, c vpav1.ContainerResourcePolicy) {
	if c.ContainerName == "" {
		r.add(at.line(), "containerName에 컨테이너의 이름이나 '*'을 적어 주십시오.", "containerPolicies의 항목에 containerName이 없습니다.")
	}
	off := c.Mode != nil && *c.Mode == vpav1.ContainerScalingModeOff
	if c.Mode != nil && !off && *c.Mode != vpav1.ContainerScalingModeAuto {
		r.add(at.line("mode"), "Auto 또는 Off를 적어 주십시오.", "컨테이너의 mode를 알 수 없습니다: %q", *c.Mode)
	}
	r.allowed(at, c)
	if values := c.ControlledValues; values != nil {
		all := *values == vpav1.ContainerControlledValuesRequestsAndLimits
		switch {
		case !all && *values != vpav1.ContainerControlledValuesRequestsOnly:
			r.add(at.line("controlledValues"), "RequestsAndLimits 또는 RequestsOnly를 적어 주십시오.", "controlledValues를 알 수 없습니다: %q", *values)
		case all && off:
			r.add(at.line("controlledValues"), "controlledValues를 지우거나 mode를 Auto로 적어 주십시오.",
				"mode가 Off이면 controlledValues: RequestsAndLimits를 쓸 수 없습니다.")
		}
	}
	if c.ControlledResources != nil {
		for i, name := range *c.ControlledResources {
			if name != corev1.ResourceCPU && name != corev1.ResourceMemory {
				r.add(at.line("controlledResources", strconv.Itoa(i)), "cpu와 memory만 적을 수 있습니다.", "controlledResources에 쓸 수 없는 자원입니다: %s", name)
			}
		}
	}
	r.gatedPolicy(at, c)
}

// gatedPolicy refuses the fields of a container policy that gates keep closed.
func (r *reader) gatedPolicy(at policy, c vpav1.ContainerResourcePolicy) {
	for _, gate := range []struct {
		field, name string
		set         bool
	}{
		{"oomBumpUpRatio", "PerVPAConfig", c.OOMBumpUpRatio != nil},
		{"oomMinBumpUp", "PerVPAConfig", c.OOMMinBumpUp != nil},
		{"memoryAggregationIntervalSeconds", "PerVPAConfig", c.MemoryAggregationIntervalSeconds != nil},
		{"memoryAggregationIntervalCount", "PerVPAConfig", c.MemoryAggregationIntervalCount != nil},
		{"startupBoost", "CPUStartupBoost", c.StartupBoost != nil},
	} {
		if gate.set {
			r.gated(at.line(gate.field), gate.field, gate.name)
		}
	}
}

// allowed checks minAllowed and maxAllowed against each other and, as
// validateResourceResolution, for parts of a millicore or of a byte.
func (r *reader) allowed(at policy, c vpav1.ContainerResourcePolicy) {
	for _, name := range slices.Sorted(maps.Keys(c.MinAllowed)) {
		least := c.MinAllowed[name]
		if most, found := c.MaxAllowed[name]; found && most.Cmp(least) < 0 {
			r.add(at.line("maxAllowed", string(name)), "maxAllowed를 minAllowed 이상으로 적어 주십시오.",
				"maxAllowed(%s)가 minAllowed(%s)보다 작습니다: %s", most.String(), least.String(), name)
		}
		r.resolution(at.line("minAllowed", string(name)), name, least)
	}
	for _, name := range slices.Sorted(maps.Keys(c.MaxAllowed)) {
		r.resolution(at.line("maxAllowed", string(name)), name, c.MaxAllowed[name])
	}
}

func (r *reader) resolution(line int, name corev1.ResourceName, q resource.Quantity) {
	scale, ok := map[corev1.ResourceName]resource.Scale{corev1.ResourceCPU: resource.Milli, corev1.ResourceMemory: 0}[name]
	if !ok {
		return
	}
	if _, exact := q.AsScale(scale); !exact {
		r.add(line, "cpu는 밀리코어(100m), memory는 바이트 단위의 정수로 적어 주십시오.", "너무 잘게 나눈 %s 양입니다: %s", name, q.String())
	}
}
