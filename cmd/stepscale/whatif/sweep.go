package whatif

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/stepscale/stepscale/engine/korean"
)

// MostVariants is how many a sweep may have.
const MostVariants = 200

// Sweep is a key and the values that are tried.
type Sweep struct {
	Key    string
	Values []string
}

const sweepHint = "예: --sweep target=40:90:10 (40부터 90까지 10씩), --sweep maxReplicas=5:20:5"

// ParseSweep reads KEY=FROM:TO:STEP, whole numbers.
func ParseSweep(text string) (Sweep, error) {
	key, span, ok := strings.Cut(text, "=")
	parts := strings.Split(span, ":")
	if !ok || strings.TrimSpace(key) == "" || len(parts) != 3 {
		return Sweep{}, &SetError{text, "이름=처음:끝:간격으로 읽을 수 없습니다", sweepHint}
	}
	var n [3]int
	for i, p := range parts {
		var err error
		if n[i], err = strconv.Atoi(strings.TrimSpace(p)); err != nil {
			return Sweep{}, &SetError{text, "정수가 아닙니다: " + p, sweepHint}
		}
	}
	if n[2] <= 0 || n[1] < n[0] || (n[1]-n[0])/n[2] >= MostVariants {
		return Sweep{}, &SetError{text, fmt.Sprintf("처음이 끝보다 크거나, 간격이 1보다 작거나, 값이 %d개보다 많습니다", MostVariants), sweepHint}
	}
	s := Sweep{Key: strings.TrimSpace(key)}
	for v := n[0]; v <= n[1]; v += n[2] {
		s.Values = append(s.Values, strconv.Itoa(v))
	}
	return s, nil
}

// Variants are all combinations of the sweeps' values, each with what is set in any case.
func Variants(sets []string, sweeps []Sweep) ([][]string, error) {
	all := [][]string{sets}
	for _, s := range sweeps {
		var next [][]string
		for _, v := range all {
			for _, value := range s.Values {
				next = append(next, append(slices.Clone(v), s.Key+"="+value))
			}
		}
		if all = next; len(all) > MostVariants {
			return nil, &SetError{s.Key, fmt.Sprintf("조합이 %d개보다 많습니다", MostVariants), "간격을 넓히거나 --sweep을 줄여 주십시오."}
		}
	}
	return all, nil
}

// worthwhile is the share of pod-hours that a change has to save.
const worthwhile = 0.05

// Verdict is the index of the variant to take, -1 to leave everything as it is, and why in
// Korean. What is short of CPU is looked at first; where nothing is, what can be saved
// without making anything worse.
func Verdict(now Summary, variants []Summary) (best int, reason string) {
	if now.Saturated > 0 {
		if i := least(variants, func(s Summary) float64 { return s.Saturated.Hours()*1e6 + s.PodHours }, func(s Summary) bool { return s.Saturated < now.Saturated && s.Unmeasured <= now.Unmeasured }); i >= 0 {
			return i, fmt.Sprintf("파드의 CPU가 모자란 시간이 %s에서 %s 줄어듭니다(파드 시간 %.2f → %.2f).", minutes(now.Saturated), korean.By(minutes(variants[i].Saturated)), now.PodHours, variants[i].PodHours)
		}
	}
	cheap := func(s Summary) bool { return s.PodHours <= now.PodHours*(1-worthwhile) }
	safe := func(s Summary) bool {
		return s.Saturated <= now.Saturated && s.Unmeasured <= now.Unmeasured && s.Flips <= now.Flips
	}
	hours := func(s Summary) float64 { return s.PodHours }
	if i := least(variants, hours, func(s Summary) bool { return cheap(s) && safe(s) }); i >= 0 {
		return i, fmt.Sprintf("파드 시간이 %.2f에서 %.2f로 %.0f%% 줄고, CPU가 모자란 시간(%s)도 10분 안의 되돌림(%d번)도 늘지 않습니다.", now.PodHours, variants[i].PodHours, (1-variants[i].PodHours/now.PodHours)*100, minutes(variants[i].Saturated), variants[i].Flips)
	}
	if i := least(variants, hours, cheap); i >= 0 {
		s := variants[i]
		return -1, fmt.Sprintf("파드 시간을 가장 많이 줄이는 것(%.2f → %.2f)은 CPU가 모자란 시간을 %s에서 %s, 10분 안의 되돌림을 %d번에서 %d번으로 바꿉니다.", now.PodHours, s.PodHours, minutes(now.Saturated), korean.By(minutes(s.Saturated)), now.Flips, s.Flips)
	}
	return -1, fmt.Sprintf("파드 시간(%.2f)을 %.0f%% 넘게 줄이는 것이 없습니다.", now.PodHours, worthwhile*100)
}

func minutes(d time.Duration) string { return fmt.Sprintf("%.1f분", d.Minutes()) }

// least is the index of the smallest of those that are wanted; -1 of none.
func least[S any](all []S, by func(S) float64, wanted func(S) bool) int {
	best := -1
	for i, s := range all {
		if wanted(s) && (best < 0 || by(s) < by(all[best])) {
			best = i
		}
	}
	return best
}

// Each calls do with every number below n, on all processors. The error is that of the least
// number that has one.
func Each(ctx context.Context, n int, do func(i int) error) error {
	errs := make([]error, n)
	workqueue.ParallelizeUntil(ctx, runtime.GOMAXPROCS(0), n, func(i int) { errs[i] = do(i) })
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return ctx.Err()
}
