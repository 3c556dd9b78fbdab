package vpa

import (
	"context"
	"fmt"
	"math"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"

	"github.com/stepscale/stepscale/engine/trace"
)

// modeRemark says what upstream does with a mode beyond its name.
func modeRemark(vpa *vpav1.VerticalPodAutoscaler) string {
	if vpautil.GetUpdateMode(vpa) == modeAuto {
		return "1.8에서는 Recreate와 같고, 곧 없어집니다"
	}
	return ""
}

// each calls do for every container and controlled resource of the VPA; false
// when there is nothing to compute with.
func (s *State) each(f *trace.Frame, do func(container string, r model.ResourceName, a *model.AggregateContainerState)) bool {
	if s.pass.skip != "" {
		f.Add("skipped", s.pass.skip, "")
		return false
	}
	m := s.pass.model
	if m == nil || len(m.names) == 0 {
		f.Add("skipped", "아직 이 VPA의 컨테이너에서 표본을 얻지 못했습니다. 파드가 있고 메트릭이 있는지 확인하십시오.", "")
		return false
	}
	for _, name := range m.names {
		for _, r := range m.containers[name].GetControlledResources() {
			do(name, r, m.containers[name])
		}
	}
	return true
}

func (s *State) share() float64 { return 1 / float64(len(s.pass.model.names)) }

// showHistogram reads the decaying histograms out, as a checkpoint keeps them.
func showHistogram(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get vpacheckpoint -n %s -o yaml", s.Namespace)
	var err error
	s.each(f, func(name string, r model.ResourceName, a *model.AggregateContainerState) {
		if e := addHistogram(f, name, r, a); e != nil {
			err = e
		}
	})
	return err
}

func addHistogram(f *trace.Frame, name string, r model.ResourceName, a *model.AggregateContainerState) error {
	saved, err := a.SaveToCheckpoint()
	if err != nil {
		return err
	}
	config := model.GetAggregationsConfig()
	h, options, half := saved.CPUHistogram, config.CPUHistogramOptions, config.CPUHistogramDecayHalfLife
	if r == model.ResourceMemory {
		h, options, half = saved.MemoryHistogram, config.MemoryHistogramOptions, config.MemoryHistogramDecayHalfLife
	}
	if r == model.ResourceCPU {
		f.Add("samples/"+of(name, r), strconv.Itoa(a.TotalSamplesCount), "")
		f.Add("history/"+of(name, r), plain(a.LastSampleStart.Sub(a.FirstSampleStart)), "")
	}
	f.Add("halfLife/"+of(name, r), plain(half), "")
	var sum float64
	for _, w := range h.BucketWeights {
		sum += float64(w)
	}
	for i := range options.NumBuckets() {
		w := float64(h.BucketWeights[i])
		if w == 0 {
			continue
		}
		from, to := amount(r, options.GetBucketStart(i)), model.MaxResourceAmount
		if i+1 < options.NumBuckets() {
			to = amount(r, options.GetBucketStart(i+1))
		}
		f.Add(fmt.Sprintf("bucket/%s %s~%s", of(name, r), text(r, from), text(r, to)), fmt.Sprintf("%.1f%%", 100*w/sum), "")
	}
	return nil
}

// amount reads a histogram's unit, cores or bytes.
func amount(r model.ResourceName, v float64) model.ResourceAmount {
	if r == model.ResourceCPU {
		return model.CPUAmountFromCores(v)
	}
	return model.MemoryAmountFromBytes(v)
}

// layer shows one layer of the estimators for every bound.
func layer(add func(s *State, f *trace.Frame, container string, r model.ResourceName, l layers)) func(context.Context, *State, *trace.Frame) error {
	return func(_ context.Context, s *State, f *trace.Frame) error {
		f.Kubectl = fmt.Sprintf("kubectl describe vpa %s -n %s", s.VPA, s.Namespace)
		s.each(f, func(name string, r model.ResourceName, a *model.AggregateContainerState) {
			for _, b := range s.Params.bounds(r) {
				add(s, f, name, r, s.Params.explain(r, a, b, s.share()))
			}
		})
		return nil
	}
}

func addPercentile(_ *State, f *trace.Frame, container string, r model.ResourceName, l layers) {
	f.Add(l.name+"Percentile/"+of(container, r), text(r, l.raw), fmt.Sprintf("표본을 작은 것부터 %.0f%% 담은 칸의 끝", l.percentile*100))
}

func addMargin(s *State, f *trace.Frame, container string, r model.ResourceName, l layers) {
	extra := model.ScaleResource(l.raw, s.Params.Recommendation.SafetyMarginFraction)
	f.Add(l.name+"Margin/"+of(container, r), text(r, l.margin),
		fmt.Sprintf("%s + %s (%s × %s)", text(r, l.raw), text(r, extra), text(r, l.raw), ratio(s.Params.Recommendation.SafetyMarginFraction)))
}

func addConfidence(s *State, f *trace.Frame, container string, r model.ResourceName, l layers) {
	what := of(container, r)
	if l.multiplier == 0 {
		f.Add(l.name+"Confident/"+what, text(r, l.confident), "신뢰도를 곱하지 않습니다")
		return
	}
	value, expr := confidence(s.pass.model.containers[container], s.Params.confidenceInterval(r))
	if _, told := f.Fact("confidence/" + what); !told {
		f.Add("confidence/"+what, ratio(value), expr)
	}
	factor := math.Pow(1+l.multiplier/value, l.exponent)
	f.Add(l.name+"Confident/"+what, text(r, l.confident),
		fmt.Sprintf("%s × (1 + %s / %s)^%.0f = %s × %s", text(r, l.margin), ratio(l.multiplier), ratio(value), l.exponent, text(r, l.margin), ratio(factor)))
}

func addMinimum(s *State, f *trace.Frame, container string, r model.ResourceName, l layers) {
	what := of(container, r)
	f.Add(l.name+"Minimum/"+what, text(r, l.atLeast), fmt.Sprintf("max(%s, %s)", text(r, l.confident), text(r, s.Params.minimum(r, s.share()))))
	unit, how := "1바이트", " 단위로 올림"
	if r == model.ResourceCPU {
		unit = strconv.Itoa(s.Params.Format.RoundCPUMillicores) + "m"
	}
	if l.rounded == l.atLeast { // told all the same: it is known
		how = " 단위라 그대로"
	}
	f.Add(l.name+"Rounded/"+what, text(r, l.rounded), unit+how)
}

// applyPolicy computes the recommendation that will be written, and shows what
// the policy's minAllowed and maxAllowed did to it.
func applyPolicy(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl describe vpa %s -n %s", s.VPA, s.Namespace)
	computed := s.each(f, func(string, model.ResourceName, *model.AggregateContainerState) {})
	if !computed {
		return nil
	}
	uncapped, capped := s.recommender.recommend(s.pass.model, s.pass.vpa, s.Params)
	s.pass.recommended = true
	s.each(f, func(name string, r model.ResourceName, _ *model.AggregateContainerState) {
		policy := vpautil.GetContainerResourcePolicy(name, s.pass.vpa.Spec.ResourcePolicy)
		from, to := recommendedFor(uncapped, name), recommendedFor(capped, name)
		for _, b := range s.Params.bounds(r) {
			f.Add(b.name+"/"+of(name, r), text(r, amountOf(r, list(to, b.name))), policyExpr(policy, r, amountOf(r, list(from, b.name))))
		}
		f.Add("uncappedTarget/"+of(name, r), text(r, amountOf(r, list(to, "uncappedTarget"))), "")
	})
	return nil
}

// policyExpr is the clamping by the container's policy; empty without one.
func policyExpr(p *vpav1.ContainerResourcePolicy, r model.ResourceName, value model.ResourceAmount) string {
	if p == nil {
		return ""
	}
	_, hasLow := p.MinAllowed[corev1.ResourceName(r)]
	_, hasHigh := p.MaxAllowed[corev1.ResourceName(r)]
	lowText, highText := text(r, amountOf(r, p.MinAllowed)), text(r, amountOf(r, p.MaxAllowed))
	switch {
	case hasLow && hasHigh:
		return fmt.Sprintf("min(max(%s, %s), %s)", text(r, value), lowText, highText)
	case hasLow:
		return fmt.Sprintf("max(%s, %s)", text(r, value), lowText)
	case hasHigh:
		return fmt.Sprintf("min(%s, %s)", text(r, value), highText)
	}
	return ""
}

// publish writes status and checkpoints.
func publish(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get vpa,vpacheckpoint -n %s", s.Namespace)
	if s.pass.model == nil {
		f.Add("skipped", s.pass.skip, "")
		return nil
	}
	m := s.pass.model
	if !s.pass.recommended { // the conditions still tell why
		m.vpa.UpdateConditions(m.vpa.PodCount > 0)
		f.Add("skipped", "추천값이 없어 컨디션만 적습니다.", "")
	}
	now := metav1.NewTime(s.Clock.Now())
	if err := s.recommender.publish(m, s.pass.vpa, now); err != nil {
		return err
	}
	s.recommender.save(ctx, now)
	o, err := s.observer()
	if err != nil {
		return err
	}
	written, err := o.vpa.AutoscalingV1().VerticalPodAutoscalers(s.Namespace).Get(ctx, s.VPA, metav1.GetOptions{})
	if err != nil {
		return err
	}
	s.addStatus(f, written)
	s.pass.vpa = written
	list, err := o.vpa.AutoscalingV1().VerticalPodAutoscalerCheckpoints(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	f.Add("checkpoints", strconv.Itoa(len(list.Items)), "")
	return nil
}

// addStatus compares the written status with the one before.
func (s *State) addStatus(f *trace.Frame, written *vpav1.VerticalPodAutoscaler) {
	for _, c := range written.Status.Conditions {
		f.Add("condition/"+string(c.Type), string(c.Status), c.Message)
	}
	if written.Status.Recommendation == nil {
		return
	}
	for _, now := range written.Status.Recommendation.ContainerRecommendations {
		old := recommendedFor(s.pass.vpa.Status.Recommendation, now.ContainerName)
		for _, r := range resources {
			for _, b := range []string{"lowerBound", "target", "uncappedTarget", "upperBound"} {
				if _, ok := list(&now, b)[corev1.ResourceName(r)]; !ok {
					continue
				}
				from, to := "", text(r, amountOf(r, list(&now, b)))
				if _, ok := list(old, b)[corev1.ResourceName(r)]; ok {
					from = text(r, amountOf(r, list(old, b)))
				}
				f.Add(b+"/"+of(now.ContainerName, r), to, "")
				if from != to {
					f.Changes = append(f.Changes, trace.Change{Object: "vpa/" + s.VPA, Field: "status." + b + "." + of(now.ContainerName, r), From: from, To: to})
				}
			}
		}
	}
}
