package hpa

import (
	"fmt"
	"strconv"
)

// tolerance says for every metric whether the ratio is near enough to 1.
func (d *Decision) tolerance() {
	down, up := d.tolerances()
	for _, m := range d.metrics {
		if m.err == nil {
			m.within = d.within(m.usageRatio)
		}
	}
	if !d.silent {
		d.tellTolerance(down, up)
	}
}

func (d *Decision) tellTolerance(down, up float64) {
	low, high := 1.0-down, 1.0+up
	d.tell(func(w *wording) {
		w.add("toleranceLow", formatRatio(low), "1 − "+formatRatio(down))
		w.add("toleranceHigh", formatRatio(high), "1 + "+formatRatio(up))
	})
	for _, m := range d.metrics {
		if m.err != nil { // which the proposal may set
			continue
		}
		d.tell(func(w *wording) {
			w.add("withinTolerance"+m.suffix, strconv.FormatBool(m.within),
				fmt.Sprintf("%s ≤ %s ≤ %s", formatRatio(low), formatRatio(m.usageRatio), formatRatio(high)))
		})
	}
}

// tolerances mirrors tolerancesForHpa: the HPA's own win over the flag.
func (d *Decision) tolerances() (down, up float64) {
	down, up = d.params.Tolerance, d.params.Tolerance
	b := d.hpa.Spec.Behavior
	if b == nil {
		return down, up
	}
	if b.ScaleDown != nil && b.ScaleDown.Tolerance != nil {
		down = b.ScaleDown.Tolerance.AsApproximateFloat64()
	}
	if b.ScaleUp != nil && b.ScaleUp.Tolerance != nil {
		up = b.ScaleUp.Tolerance.AsApproximateFloat64()
	}
	return down, up
}

// within mirrors Tolerances.isWithin: both ends are inside.
func (d *Decision) within(ratio float64) bool {
	down, up := d.tolerances()
	return 1.0-down <= ratio && ratio <= 1.0+up
}
