package hpa

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// stabilize holds the desired number against recent recommendations.
func (d *Decision) stabilize() {
	proposed := d.desired
	reason, message := "ScaleDownStabilized", "recent recommendations were higher than current one, applying the highest recent recommendation"
	if d.hpa.Spec.Behavior == nil {
		d.stabilizeLegacy()
	} else {
		d.stabilizeBehavior()
		if proposed >= d.current {
			reason, message = "ScaleUpStabilized", "recent recommendations were lower than current one, applying the lowest recent recommendation"
		}
	}
	if d.stabilized == proposed {
		reason, message = "ReadyForNewScale", "recommended size matches current size"
	}
	d.condition(autoscalingv2.AbleToScale, corev1.ConditionTrue, reason, message)
	d.intFact("stabilizedReplicas", d.stabilized, "")
}

// stabilizeLegacy mirrors stabilizeRecommendation: the highest recommendation
// of the window wins, and the way up is never held.
func (d *Decision) stabilizeLegacy() {
	cutoff := d.in.Now.Add(-d.params.DownscaleStabilization)
	highest, reuse := d.desired, -1
	var inside []Recommendation
	for i, r := range d.history.Recommendations {
		if r.Time.Before(cutoff) {
			reuse = i
			continue
		}
		highest = max(highest, r.Replicas)
		if !d.silent {
			inside = append(inside, r)
		}
	}
	d.remember(reuse)
	d.stabilized = highest
	d.tellHighest(highest, inside)
}

// tellHighest tells which of the window's recommendations wins, and how long ago it was
// last made: the wait is over when that has left the window.
func (d *Decision) tellHighest(highest int32, inside []Recommendation) {
	if d.silent {
		return
	}
	desired := d.desired // the limit stage changes it
	d.tell(func(w *wording) {
		terms, last := inOrder(inside, highest, desired)
		w.add("stabilizationWindow", secondsText(d.params.DownscaleStabilization), "축소 방향")
		w.number("recommendationMax", highest, "max("+strings.Join(terms, ", ")+")")
		if highest > desired {
			w.add("recommendationAge", secondsText(d.in.Now.Sub(last)), "")
		}
	})
}

// inOrder writes the recommendations from the oldest to the newest, of many alike in a row
// the first and the last, and finds when the highest was last made.
func inOrder(inside []Recommendation, highest, newest int32) (terms []string, last time.Time) {
	slices.SortFunc(inside, func(a, b Recommendation) int { return a.Time.Compare(b.Time) })
	for i, r := range inside {
		if r.Replicas == highest {
			last = r.Time
		}
		next := newest
		if i+1 < len(inside) {
			next = inside[i+1].Replicas
		}
		switch text := strconv.Itoa(int(r.Replicas)); {
		case i == 0 || inside[i-1].Replicas != r.Replicas || next != r.Replicas:
			terms = append(terms, text)
		case terms[len(terms)-1] != "…":
			terms = append(terms, "…")
		}
	}
	return append(terms, strconv.Itoa(int(newest))), last
}

// stabilizeBehavior mirrors stabilizeRecommendationWithBehaviors: the current
// size is moved as little as the two windows ask for.
func (d *Decision) stabilizeBehavior() {
	upWindow := windowOf(d.hpa.Spec.Behavior.ScaleUp, 0)
	downWindow := windowOf(d.hpa.Spec.Behavior.ScaleDown, d.params.DownscaleStabilization)
	upCutoff, downCutoff := d.in.Now.Add(-upWindow), d.in.Now.Add(-downWindow)
	lowest, highest, reuse := d.desired, d.desired, -1
	for i, r := range d.history.Recommendations {
		if r.Time.After(upCutoff) {
			lowest = min(r.Replicas, lowest)
		}
		if r.Time.After(downCutoff) {
			highest = max(r.Replicas, highest)
		}
		if r.Time.Before(upCutoff) && r.Time.Before(downCutoff) {
			reuse = i
		}
	}
	d.remember(reuse)
	d.stabilized = min(max(d.current, lowest), highest)
	if !d.silent {
		d.tellWindows(upWindow, downWindow, lowest, highest)
	}
}

func (d *Decision) tellWindows(up, down time.Duration, lowest, highest int32) {
	window := down
	if d.desired > d.current {
		window = up
	}
	d.tell(func(w *wording) {
		w.add("stabilizationWindow", secondsText(window), fmt.Sprintf("확대 %s, 축소 %s", secondsText(up), secondsText(down)))
		w.number("recommendationMin", lowest, "확대 구간의 최솟값")
		w.number("recommendationMax", highest, "축소 구간의 최댓값")
	})
}

// windowOf is the stabilization window of one direction; the API server fills in
// the way up, the controller the way down (maybeInitScaleDownStabilizationWindow).
func windowOf(rules *autoscalingv2.HPAScalingRules, unset time.Duration) time.Duration {
	if rules == nil || rules.StabilizationWindowSeconds == nil {
		return unset
	}
	return time.Duration(*rules.StabilizationWindowSeconds) * time.Second
}

// remember keeps the recommendation before stabilization. As upstream, it takes
// the slot of the last outdated one.
func (d *Decision) remember(reuse int) {
	r := Recommendation{Replicas: d.desired, Time: d.in.Now}
	if reuse >= 0 {
		d.history.Recommendations[reuse] = r
		return
	}
	d.history.Recommendations = append(d.history.Recommendations, r)
}

// limit applies policies, minReplicas and maxReplicas.
func (d *Decision) limit() {
	if !d.silent {
		d.tell(func(w *wording) {
			w.number("minReplicas", d.low, "")
			w.number("maxReplicas", d.hpa.Spec.MaxReplicas, "")
		})
	}
	var reason, message string
	if d.hpa.Spec.Behavior == nil {
		d.desired, reason, message = d.limitLegacy()
	} else {
		d.desired, reason, message = d.limitBehavior()
	}
	limited := corev1.ConditionFalse
	if d.desired != d.stabilized {
		limited = corev1.ConditionTrue
	}
	d.condition(autoscalingv2.ScalingLimited, limited, reason, message)
	if d.current == 0 && d.low != 0 && d.zeroed && d.desired < d.low {
		d.desired = d.low
		if d.reason == "" {
			d.reason = "Current number of replicas below Spec.MinReplicas"
		}
	}
	d.rescale = d.desired != d.current
	if !d.silent {
		d.tellDesired(d.desired, limited == corev1.ConditionTrue, reason)
	}
}

func (d *Decision) tellDesired(desired int32, limited bool, reason string) {
	d.tell(func(w *wording) {
		w.add("scalingLimited", strconv.FormatBool(limited), reason)
		w.number("desiredReplicas", desired, fmt.Sprintf("%d → %d", d.current, desired))
	})
}

const withinRange = "the desired count is within the acceptable range"

// limitLegacy mirrors convertDesiredReplicasWithRules.
func (d *Decision) limitLegacy() (int32, string, string) {
	upLimit := int32(math.Max(d.params.ScaleUpLimitFactor*float64(d.current), d.params.ScaleUpLimitMinimum))
	if !d.silent {
		d.tell(func(w *wording) {
			w.number("scaleUpLimit", upLimit, fmt.Sprintf("max(%g × %d, %g)", d.params.ScaleUpLimitFactor, d.current, d.params.ScaleUpLimitMinimum))
		})
	}
	most, reason, message := d.hpa.Spec.MaxReplicas, "TooManyReplicas", "the desired replica count is more than the maximum replica count"
	if most > upLimit {
		most, reason, message = upLimit, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate"
	}
	switch {
	case d.stabilized < d.low:
		return d.low, "TooFewReplicas", "the desired replica count is less than the minimum replica count"
	case d.stabilized > most:
		return most, reason, message
	}
	return d.stabilized, "DesiredWithinRange", withinRange
}

// limitBehavior mirrors convertDesiredReplicasWithBehaviorRate.
func (d *Decision) limitBehavior() (int32, string, string) {
	b := d.hpa.Spec.Behavior
	switch {
	case d.stabilized > d.current:
		upLimit := max(d.scaleUpLimit(b.ScaleUp), d.current)
		d.tellPolicy("scaleUpLimit", upLimit, b.ScaleUp)
		most, reason, message := d.hpa.Spec.MaxReplicas, "TooManyReplicas", "the desired replica count is more than the maximum replica count"
		if most > upLimit {
			most, reason, message = upLimit, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate"
		}
		if d.stabilized > most {
			return most, reason, message
		}
	case d.stabilized < d.current:
		downLimit := min(d.scaleDownLimit(b.ScaleDown), d.current)
		d.tellPolicy("scaleDownLimit", downLimit, b.ScaleDown)
		least, reason, message := d.low, "TooFewReplicas", "the desired replica count is less than the minimum replica count"
		if least < downLimit {
			least, reason, message = downLimit, "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate"
		}
		if d.stabilized < least {
			return least, reason, message
		}
	}
	return d.stabilized, "DesiredWithinRange", withinRange
}
