package whatif

import (
	"fmt"
	"time"

	"github.com/stepscale/stepscale/engine/korean"
)

// VPASummary is what a course of a VPA comes to.
type VPASummary struct {
	CoreHours   float64           `json:"coreHours"` // requested, of all pods
	GiBHours    float64           `json:"gibHours"`  // likewise
	ShortCPU    time.Duration     `json:"shortCPU"`  // nanoseconds in which pods used more than they request
	ShortMemory time.Duration     `json:"shortMemory"`
	Unmeasured  time.Duration     `json:"unmeasured"` // nanoseconds without a value
	Updates     int               `json:"updates"`    // evictions and resizes
	Last        map[string]string `json:"lastRecommendation"`
}

// SumVPA adds a course up.
func SumVPA(c VPACourse) (s VPASummary) {
	for _, p := range c.Points {
		hours := p.For.Hours() * float64(p.Pods)
		s.CoreHours += float64(p.Requested.CPU) / 1000 * hours
		s.GiBHours += float64(p.Requested.Memory) / (1 << 30) * hours
		s.Updates += p.Updates
		switch {
		case !p.Measured:
			s.Unmeasured += p.For
		default:
			if p.Used.CPU > p.Requested.CPU {
				s.ShortCPU += p.For
			}
			if p.Used.Memory > p.Requested.Memory {
				s.ShortMemory += p.For
			}
		}
		if len(p.Told) > 0 {
			s.Last = p.Told
		}
	}
	return s
}

// VerdictVPA is the index of the variant to take, -1 to leave everything as it is, and why
// in Korean. What is short is looked at first; where nothing is, what requests less without
// making anything worse.
func VerdictVPA(now VPASummary, variants []VPASummary) (best int, reason string) {
	short := func(s VPASummary) time.Duration { return s.ShortCPU + s.ShortMemory }
	cost := func(s VPASummary) float64 { return s.CoreHours + s.GiBHours/8 } // a core is sold with about eight GiB
	if short(now) > 0 {
		i := least(variants, func(s VPASummary) float64 { return short(s).Hours()*1e6 + cost(s) }, func(s VPASummary) bool { return short(s) < short(now) })
		if i >= 0 {
			return i, fmt.Sprintf("요청량보다 많이 쓴 시간이 %s에서 %s 줄어듭니다(코어 시간 %.2f → %.2f).", minutes(short(now)), korean.By(minutes(short(variants[i]))), now.CoreHours, variants[i].CoreHours)
		}
	}
	cheap := func(s VPASummary) bool { return cost(s) <= cost(now)*(1-worthwhile) }
	safe := func(s VPASummary) bool { return short(s) <= short(now) && s.Updates <= now.Updates }
	if i := least(variants, cost, func(s VPASummary) bool { return cheap(s) && safe(s) }); i >= 0 {
		return i, fmt.Sprintf("요청한 코어 시간이 %.2f에서 %.2f로, GiB 시간이 %.2f에서 %.2f로 바뀌고, 요청량보다 많이 쓴 시간(%s)도 바꾼 파드(%d번)도 늘지 않습니다.", now.CoreHours, variants[i].CoreHours, now.GiBHours, variants[i].GiBHours, minutes(short(variants[i])), variants[i].Updates)
	}
	return -1, fmt.Sprintf("요청량(코어 시간 %.2f, GiB 시간 %.2f)을 %.0f%% 넘게 줄이면서 요청량보다 많이 쓴 시간도 바꾸는 파드도 늘리지 않는 것이 없습니다.", now.CoreHours, now.GiBHours, worthwhile*100)
}
