package whatif

import (
	"math"
	"slices"
	"time"
)

// Summary is what a course comes to.
type Summary struct {
	PodHours   float64       `json:"podHours"`
	OverTarget time.Duration `json:"overTarget"` // nanoseconds in which the first metric was above its own target
	Saturated  time.Duration `json:"saturated"`  // nanoseconds in which pods had nothing left: see Point
	AtMin      time.Duration `json:"atMinReplicas"`
	AtMax      time.Duration `json:"atMaxReplicas"`
	Unmeasured time.Duration `json:"unmeasured"` // nanoseconds without a value of the first metric
	Scalings   int           `json:"scalings"`
	Flips      int           `json:"flips"`    // up and down, or down and up, within FlipWithin
	P95        int64         `json:"usageP95"` // of the first metric: percent, or milli-units
	P99        int64         `json:"usageP99"`
	Most       int32         `json:"mostReplicas"`
	Percent    bool          `json:"usageIsPercent"`
}

// FlipWithin is how soon a scaling the other way is one that was not needed.
const FlipWithin = 10 * time.Minute

// Sum adds a course up.
func Sum(c Course) (s Summary) {
	var usage []int64
	var before *Point
	for i, p := range c.Points {
		s.PodHours += float64(p.Current) * p.For.Hours()
		s.Most = max(s.Most, p.Current, p.Desired)
		for _, part := range []struct {
			so  bool
			sum *time.Duration
		}{{p.Measured && p.Usage > p.Target, &s.OverTarget}, {p.Saturated, &s.Saturated}, {p.AtMin, &s.AtMin}, {p.AtMax, &s.AtMax}, {!p.Measured, &s.Unmeasured}} {
			if part.so {
				*part.sum += p.For
			}
		}
		if p.Measured {
			usage, s.Percent = append(usage, p.Usage), p.Percent
		}
		if p.Desired == p.Current {
			continue
		}
		s.Scalings++
		if before != nil && (before.Desired > before.Current) != (p.Desired > p.Current) && p.At.Sub(before.At) <= FlipWithin {
			s.Flips++
		}
		before = &c.Points[i]
	}
	slices.Sort(usage)
	s.P95, s.P99 = percentile(usage, 95), percentile(usage, 99)
	return s
}

// percentile is by nearest rank; 0 of nothing.
func percentile(sorted []int64, p float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(math.Ceil(p/100*float64(len(sorted))))-1]
}
