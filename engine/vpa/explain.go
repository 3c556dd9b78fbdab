package vpa

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/logic"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
)

// bound is one of the three numbers that a recommendation has of a resource.
type bound struct {
	name       string  // as the VPA's status spells it
	percentile float64 // 0 to 1
	multiplier float64 // of the confidence layer; 0: the layer is left out
	exponent   float64
}

// bounds are upstream's, in the order of the status
// (recommender/logic/recommender.go, CreatePodResourceRecommender).
func (p Params) bounds(r model.ResourceName) []bound {
	c := p.Recommendation
	low, target, high := c.LowerBoundCPUPercentile, c.TargetCPUPercentile, c.UpperBoundCPUPercentile
	if r == model.ResourceMemory {
		low, target, high = c.LowerBoundMemoryPercentile, c.TargetMemoryPercentile, c.UpperBoundMemoryPercentile
	}
	return []bound{
		{name: "lowerBound", percentile: low, multiplier: 0.001, exponent: -2},
		{name: "target", percentile: target},
		{name: "upperBound", percentile: high, multiplier: 1, exponent: 1},
	}
}

// layers are the values of one bound on its way through upstream's estimators:
// millicores or bytes.
type layers struct {
	bound
	raw, margin, confident, atLeast, rounded model.ResourceAmount
}

// explain takes the estimator chain apart: the same constructors, one layer
// more each time. share is the part of the pod's minimum that is the container's.
func (p Params) explain(r model.ResourceName, s *model.AggregateContainerState, b bound, share float64) layers {
	c := p.Recommendation
	l := layers{bound: b}
	if r == model.ResourceCPU {
		e := logic.NewPercentileCPUEstimator(b.percentile)
		l.raw = e.GetCPUEstimation(s)
		e = logic.WithCPUMargin(c.SafetyMarginFraction, e)
		l.margin = e.GetCPUEstimation(s)
		if b.multiplier != 0 {
			e = logic.WithCPUConfidenceMultiplier(b.multiplier, b.exponent, e, c.ConfidenceIntervalCPU)
		}
		l.confident = e.GetCPUEstimation(s)
		l.atLeast = logic.WithCPUMinResource(p.minimum(r, share), e).GetCPUEstimation(s)
	} else {
		e := logic.NewPercentileMemoryEstimator(b.percentile)
		l.raw = e.GetMemoryEstimation(s)
		e = logic.WithMemoryMargin(c.SafetyMarginFraction, e)
		l.margin = e.GetMemoryEstimation(s)
		if b.multiplier != 0 {
			e = logic.WithMemoryConfidenceMultiplier(b.multiplier, b.exponent, e, c.ConfidenceIntervalMemory)
		}
		l.confident = e.GetMemoryEstimation(s)
		l.atLeast = logic.WithMemoryMinResource(p.minimum(r, share), e).GetMemoryEstimation(s)
	}
	l.rounded = p.round(r, l.atLeast)
	return l
}

// minimum is the container's share of the pod's minimum
// (podResourceRecommender.GetRecommendedPodResources).
func (p Params) minimum(r model.ResourceName, share float64) model.ResourceAmount {
	if r == model.ResourceCPU {
		return model.ScaleResource(model.CPUAmountFromCores(p.Recommendation.PodMinCPUMillicores*0.001), share)
	}
	return model.ScaleResource(model.MemoryAmountFromBytes(p.Recommendation.PodMinMemoryMb*1024*1024), share)
}

func (p Params) round(r model.ResourceName, a model.ResourceAmount) model.ResourceAmount {
	list := model.ResourcesAsResourceList(model.Resources{r: a}, p.Format.HumanizeMemory, p.Format.RoundCPUMillicores, p.Format.RoundMemoryBytes)
	return amountOf(r, list)
}

// amountOf reads a resource out of a list: millicores or bytes.
func amountOf(r model.ResourceName, list corev1.ResourceList) model.ResourceAmount {
	if r == model.ResourceCPU {
		return model.ResourceAmount(list.Cpu().MilliValue())
	}
	return model.ResourceAmount(list.Memory().Value())
}

func (p Params) confidenceInterval(r model.ResourceName) time.Duration {
	if r == model.ResourceMemory {
		return p.Recommendation.ConfidenceIntervalMemory
	}
	return p.Recommendation.ConfidenceIntervalCPU
}

// confidence mirrors the unexported getConfidence of
// recommender/logic/estimator.go, from the same exported inputs.
func confidence(s *model.AggregateContainerState, interval time.Duration) (value float64, expr string) {
	life := s.LastSampleStart.Sub(s.FirstSampleStart)
	samples := float64(s.TotalSamplesCount) / interval.Minutes()
	value = math.Min(float64(life)/float64(interval), samples)
	return value, fmt.Sprintf("min(%s / %s, %d개 / %.0f개)", plain(life), plain(interval), s.TotalSamplesCount, interval.Minutes())
}

// plain writes a duration without the units that are zero: "3m", "24h", "8d".
func plain(d time.Duration) string {
	const day = 24 * time.Hour
	if d > day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	text := d.Round(time.Second).String() // "12h0m0s"
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// text writes an amount in its own unit: "296m", "250Mi".
func text(r model.ResourceName, a model.ResourceAmount) string {
	if a >= model.MaxResourceAmount {
		return "무제한"
	}
	if r == model.ResourceCPU {
		return strconv.FormatInt(int64(a), 10) + "m"
	}
	mi := float64(a) / (1 << 20)
	return strconv.FormatFloat(math.Round(mi*10)/10, 'f', -1, 64) + "Mi"
}

// ratio writes a factor with as many digits as it needs.
func ratio(v float64) string {
	switch {
	case math.IsInf(v, 0):
		return "∞"
	case v != 0 && math.Abs(v) < 0.01:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
}

// of names a container's resource in a fact: "web.cpu".
func of(container string, r model.ResourceName) string { return container + "." + string(r) }

// recommendedFor is the recommendation of one container; nil when it has none.
func recommendedFor(r *vpav1.RecommendedPodResources, container string) *vpav1.RecommendedContainerResources {
	if r == nil {
		return nil
	}
	for i := range r.ContainerRecommendations {
		if r.ContainerRecommendations[i].ContainerName == container {
			return &r.ContainerRecommendations[i]
		}
	}
	return nil
}

// list returns one of the recommendation's lists by the name of the bound.
func list(c *vpav1.RecommendedContainerResources, name string) corev1.ResourceList {
	switch {
	case c == nil:
		return nil
	case name == "lowerBound":
		return c.LowerBound
	case name == "target":
		return c.Target
	case name == "upperBound":
		return c.UpperBound
	}
	return c.UncappedTarget
}
