package hpa

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ratio compares usage with the target for every metric.
func (d *Decision) ratio() {
	for _, m := range d.metrics {
		if m.err != nil {
			continue
		}
		if m.single != nil {
			d.compare(m)
			continue
		}
		if !m.plain() {
			requests, err := d.requestsFor(m)
			if err != nil {
				m.fail(err)
				d.fact("metricError"+m.suffix, m.err.Error(), "")
				continue
			}
			m.requests = requests
		}
		u, err := m.measure()
		if err != nil {
			m.fail(err)
			d.fact("metricError"+m.suffix, m.err.Error(), "")
			continue
		}
		m.usageRatio, m.utilization, m.raw = u.ratio, u.percent, u.average
		d.usageFacts(m, u, "")
	}
	if !slices.ContainsFunc(d.metrics, func(m *metric) bool { return m.err == nil }) {
		d.fact("skipped", "읽을 수 있는 메트릭이 하나도 없어 비교하지 못했습니다.", "")
	}
}

// usage is the sum over the pods that count, and what follows from it.
type usage struct {
	total, requests int64 // milli-units
	pods            int
	percent         int32
	average         int64
	ratio           float64
}

// measure mirrors metrics/utilization.go, GetResourceUtilizationRatio and
// GetMetricUsageRatio. Percent and average are cut to whole numbers.
func (m *metric) measure() (usage, error) {
	var u usage
	for i, c := range m.class {
		if c != counted && c != assumed {
			continue
		}
		u.total += m.values[i]
		u.pods++
		if m.requests != nil {
			u.requests += m.requests[i]
		}
	}
	if m.plain() {
		u.total += m.strangersTotal
		u.pods += m.strangers
		u.average = u.total / int64(u.pods)
		u.ratio = float64(u.average) / float64(m.target.AverageValue.MilliValue())
		return u, nil
	}
	if u.requests == 0 {
		return u, errors.New("no metrics returned matched known pods")
	}
	u.percent = int32(u.total * 100 / u.requests)
	u.average = u.total / int64(u.pods)
	u.ratio = float64(u.percent) / float64(*m.target.AverageUtilization)
	return u, nil
}

// usageFacts explains a measurement; again marks the second one, after pods
// without a value were filled in.
func (d *Decision) usageFacts(m *metric, u usage, again string) {
	if d.silent {
		return
	}
	class, values := m.class, m.values
	d.tell(func(w *wording) {
		name := string(m.resource)
		w.add("totalUsage"+again+m.suffix, quantityOf(name, u.total), m.sum(u, class, values))
		if m.plain() {
			target := m.target.AverageValue.MilliValue()
			w.add("averageValue"+again+m.suffix, quantityOf(name, u.average), fmt.Sprintf("%s / %d", quantityOf(name, u.total), u.pods))
			w.add("targetAverageValue"+m.suffix, quantityOf(name, target), "")
			w.add("usageRatio"+again+m.suffix, formatRatio(u.ratio), fmt.Sprintf("%s / %s", quantityOf(name, u.average), quantityOf(name, target)))
			return
		}
		target := *m.target.AverageUtilization
		w.add("totalRequests"+again+m.suffix, quantityOf(name, u.requests), m.sum(u, class, m.requests))
		w.add("currentUtilization"+again+m.suffix, fmt.Sprintf("%d%%", u.percent), fmt.Sprintf("%s × 100 / %s (소수점 버림)", quantityOf(name, u.total), quantityOf(name, u.requests)))
		w.add("targetUtilization"+m.suffix, fmt.Sprintf("%d%%", target), "")
		w.add("usageRatio"+again+m.suffix, formatRatio(u.ratio), fmt.Sprintf("%d / %d", u.percent, target))
	})
}

// sum writes the addition out while it fits a screen, smallest first.
func (m *metric) sum(u usage, class []podClass, of []int64) string {
	if u.pods > shownTerms {
		return fmt.Sprintf("파드 %d개의 합", u.pods)
	}
	var terms []int64
	for i, c := range class {
		if c == counted || c == assumed {
			terms = append(terms, of[i])
		}
	}
	slices.Sort(terms)
	var text []string
	for _, v := range terms {
		text = append(text, quantityOf(string(m.resource), v))
	}
	if len(terms) < u.pods {
		text = append(text, fmt.Sprintf("%s (목록에 없는 파드 %d개)", quantityOf(string(m.resource), m.strangersTotal), m.strangers))
	}
	return strings.Join(text, " + ")
}

const shownTerms = 8
