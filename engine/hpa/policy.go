package hpa

import (
	"fmt"
	"math"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// scaleUpLimit is the most replicas that the policies allow now
// (horizontal.go, calculateScaleUpLimitWithScalingRules).
func (d *Decision) scaleUpLimit(rules *autoscalingv2.HPAScalingRules) int32 {
	pick, result := pickOf(rules, true)
	if pick == nil {
		return d.current
	}
	for _, p := range rules.Policies {
		start, proposed := d.periodStart(p.PeriodSeconds), int32(0)
		switch p.Type {
		case autoscalingv2.PodsScalingPolicy:
			proposed = start + p.Value
		case autoscalingv2.PercentScalingPolicy:
			proposed = int32(math.Ceil(float64(start) * (1 + float64(p.Value)/100)))
		}
		result = pick(result, proposed)
	}
	return result
}

// scaleDownLimit is the fewest replicas that the policies allow now
// (horizontal.go, calculateScaleDownLimitWithBehaviors).
func (d *Decision) scaleDownLimit(rules *autoscalingv2.HPAScalingRules) int32 {
	pick, result := pickOf(rules, false)
	if pick == nil {
		return d.current
	}
	for _, p := range rules.Policies {
		start, proposed := d.periodStart(p.PeriodSeconds), int32(0)
		switch p.Type {
		case autoscalingv2.PodsScalingPolicy:
			proposed = start - p.Value
		case autoscalingv2.PercentScalingPolicy:
			proposed = int32(float64(start) * (1 - float64(p.Value)/100))
		}
		result = pick(result, proposed)
	}
	return result
}

// pickOf is how selectPolicy chooses among the policies, and the value to start
// from; nil when the direction is disabled. Max means the biggest change, which
// on the way down is the smallest number.
func pickOf(rules *autoscalingv2.HPAScalingRules, up bool) (func(a, b int32) int32, int32) {
	least := func(a, b int32) int32 { return min(a, b) }
	most := func(a, b int32) int32 { return max(a, b) }
	selectPolicy := autoscalingv2.MaxChangePolicySelect
	if rules.SelectPolicy != nil {
		selectPolicy = *rules.SelectPolicy
	}
	switch {
	case selectPolicy == autoscalingv2.DisabledPolicySelect:
		return nil, 0
	case (selectPolicy == autoscalingv2.MinChangePolicySelect) == up:
		return least, math.MaxInt32
	}
	return most, math.MinInt32
}

// periodStart is how many replicas there were when the period began.
func (d *Decision) periodStart(periodSeconds int32) int32 {
	cutoff := d.in.Now.Add(-time.Duration(periodSeconds) * time.Second)
	return d.current - changeSince(d.history.ScaleUp, cutoff) + changeSince(d.history.ScaleDown, cutoff)
}

func changeSince(events []ScaleEvent, cutoff time.Time) int32 {
	var sum int32
	for _, e := range events {
		if e.Time.After(cutoff) {
			sum += e.Change
		}
	}
	return sum
}

// storeScaleEvent mirrors the method of the same name: without a behavior
// nothing is kept.
func (h *History) storeScaleEvent(b *autoscalingv2.HorizontalPodAutoscalerBehavior, from, to int32, now time.Time) {
	if b == nil {
		return
	}
	if to > from {
		h.ScaleUp = storeEvent(h.ScaleUp, b.ScaleUp, ScaleEvent{Change: to - from, Time: now})
		return
	}
	h.ScaleDown = storeEvent(h.ScaleDown, b.ScaleDown, ScaleEvent{Change: from - to, Time: now})
}

// storeEvent flags what is outdated (markScaleEventsOutdated) and takes the slot of the
// last that is, or was before.
func storeEvent(events []ScaleEvent, rules *autoscalingv2.HPAScalingRules, e ScaleEvent) []ScaleEvent {
	var longest int32
	for _, p := range rules.Policies {
		longest = max(longest, p.PeriodSeconds)
	}
	cutoff := e.Time.Add(-time.Duration(longest) * time.Second)
	reuse := -1
	for i := range events {
		old := &events[i]
		if old.Outdated = old.Outdated || old.Time.Before(cutoff); old.Outdated {
			reuse = i
		}
	}
	if reuse < 0 {
		return append(events, e)
	}
	events[reuse] = e
	return events
}

func (d *Decision) tellPolicy(name string, limit int32, rules *autoscalingv2.HPAScalingRules) {
	if !d.silent {
		d.tell(func(w *wording) { w.number(name, limit, policyText(rules)) })
	}
}

// policyText shows the policies of a direction, as in the manifest.
func policyText(rules *autoscalingv2.HPAScalingRules) string {
	var parts []string
	for _, p := range rules.Policies {
		parts = append(parts, fmt.Sprintf("%s %d/%ds", p.Type, p.Value, p.PeriodSeconds))
	}
	name := string(autoscalingv2.MaxChangePolicySelect)
	if rules.SelectPolicy != nil {
		name = string(*rules.SelectPolicy)
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}
