package hpa

import (
	"errors"
	"fmt"
	"math"
	"slices"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// proposal asks every metric for a number of replicas and takes the most
// (horizontal.go, computeReplicasForMetrics).
func (d *Decision) proposal() {
	var first error
	var invalid int
	var condition autoscalingv2.HorizontalPodAutoscalerCondition
	var best string
	for i, m := range d.metrics {
		if m.err == nil {
			d.propose(m)
		}
		if m.err != nil {
			reason, err := m.failure()
			d.event(corev1.EventTypeWarning, reason, m.err.Error())
			if invalid == 0 {
				first = err
				condition.Reason, condition.Message = reason, fmt.Sprintf("the HPA was unable to compute the replica count: %v", m.err)
			}
			invalid++
			d.fact("conditionReason"+m.suffix, reason, "")
			continue
		}
		d.statuses[i] = m.status()
		if d.proposed == 0 || m.proposed > d.proposed {
			d.proposed, best = m.proposed, m.name()
		}
	}
	if len(d.metrics) == 0 { // the API server fills in a CPU metric; a replayed input may lack it
		first = errors.New("the HPA has no metrics")
	} else if first != nil {
		first = fmt.Errorf("invalid metrics (%v invalid out of %v), first error is: %w", invalid, len(d.metrics), first)
	}
	if invalid == len(d.metrics) || (invalid > 0 && d.proposed < d.current) {
		d.condition(autoscalingv2.ScalingActive, corev1.ConditionFalse, condition.Reason, condition.Message)
		d.fail(first)
		d.fact("skipped", d.skipped, "")
		return
	}
	d.err = first
	d.condition(autoscalingv2.ScalingActive, corev1.ConditionTrue, "ValidMetricFound",
		"the HPA was able to successfully calculate a replica count from "+best)
	d.settle(best)
}

// settle takes the metrics' proposal as the desired number before it is normalized.
func (d *Decision) settle(best string) {
	metricName := ""
	if d.proposed > d.desired {
		d.desired, metricName = d.proposed, best
	}
	if d.desired > d.current {
		d.reason = metricName + " above target"
	}
	if d.desired < d.current {
		d.reason = "All metrics below target"
	}
	d.tellMost(d.desired)
}

func (d *Decision) tellMost(desired int32) {
	if d.silent {
		return
	}
	n := len(d.metrics)
	d.tell(func(w *wording) {
		if n > 1 {
			w.number("metricDesiredReplicas", desired, fmt.Sprintf("메트릭 %d개의 최댓값", n))
			return
		}
		w.number("metricDesiredReplicas", desired, "")
	})
}

// propose computes one metric's number of replicas (replica_calculator.go,
// GetResourceReplicas and calcPlainMetricReplicas).
func (d *Decision) propose(m *metric) {
	if m.single != nil {
		d.proposeSingle(m)
		return
	}
	upWithUnready := m.unready > 0 && m.usageRatio > 1.0
	if !upWithUnready && m.missing == 0 {
		if m.within {
			d.keep(m, "허용 오차 안이므로 유지")
			return
		}
		m.proposed = int32(math.Ceil(m.usageRatio * float64(m.ready)))
		d.tellCeil(m, m.usageRatio, m.ready)
		return
	}
	d.fillIn(m, upWithUnready)
	u, err := m.measure()
	if err != nil {
		m.fail(err)
		return
	}
	d.usageFacts(m, u, "Rebalanced")
	d.proposeRebalanced(m, u.ratio)
}

// fillIn gives the pods without a value a careful one: on the way down as if
// they used all they may, on the way up as if they used nothing.
func (d *Decision) fillIn(m *metric, upWithUnready bool) {
	m.class, m.values = slices.Clone(m.class), slices.Clone(m.values) // as they were they are told
	for i, c := range m.class {
		switch {
		case c == missing && m.usageRatio < 1.0 && m.plain():
			m.values[i] = m.target.AverageValue.MilliValue()
		case c == missing && m.usageRatio < 1.0:
			m.values[i] = m.requests[i] * int64(max(100, *m.target.AverageUtilization)) / 100
		case c == missing && m.usageRatio > 1.0, c == unready && upWithUnready:
			m.values[i] = 0
		default:
			continue
		}
		m.class[i] = assumed
		if !d.silent {
			why := "메트릭이 없는 파드의 가정값"
			if c == unready {
				why = "준비되지 않은 파드의 가정값"
			}
			d.fact("assumed/"+d.in.Pods[i].Name+m.suffix, quantityOf(string(m.resource), m.values[i]), why)
		}
	}
}

func (d *Decision) proposeRebalanced(m *metric, ratio float64) {
	if d.within(ratio) || (m.usageRatio < 1.0 && ratio > 1.0) || (m.usageRatio > 1.0 && ratio < 1.0) {
		d.keep(m, "다시 계산한 비율이 허용 오차 안이거나 방향을 바꾸므로 유지")
		return
	}
	pods := m.strangers
	for _, c := range m.class {
		pods += boolInt(c == counted || c == assumed)
	}
	n := int32(math.Ceil(ratio * float64(pods)))
	if (ratio < 1.0 && n > d.current) || (ratio > 1.0 && n < d.current) {
		d.keep(m, "파드 수 때문에 방향이 바뀌므로 유지")
		return
	}
	m.proposed = n
	d.tellCeil(m, ratio, pods)
}

// tellCeil explains the metric's proposal.
func (d *Decision) tellCeil(m *metric, ratio float64, pods int) {
	if d.silent {
		return
	}
	suffix, n := m.suffix, m.proposed
	d.tell(func(w *wording) {
		w.number("proposal"+suffix, n, fmt.Sprintf("ceil(%s × %d)", formatRatio(ratio), pods))
	})
}

func (d *Decision) keep(m *metric, why string) {
	m.proposed = d.current
	if d.silent {
		return
	}
	suffix, n := m.suffix, m.proposed
	d.tell(func(w *wording) { w.number("proposal"+suffix, n, why) })
}
