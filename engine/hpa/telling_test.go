package hpa_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
)

var allStages = []hpa.Stage{hpa.StageGroup, hpa.StageRatio, hpa.StageTolerance, hpa.StageProposal, hpa.StageStabilize, hpa.StageLimit}

// TestTellingLasts: what a stage tells is the same whether it is read at once or after the
// stages that follow.
func TestTellingLasts(t *testing.T) {
	read := map[string]int{}
	for seed := range uint64(300) {
		now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
		w := newWorld(wholeShape(seed), now)
		for range 8 {
			now = now.Add(15 * time.Second)
			w.step(now)
			in := inputOf(w, w.hpa, now)
			d := hpa.NewDecision(hpa.DefaultParams(), in, &hpa.History{})
			var told []hpa.Telling
			var atOnce [][]trace.Fact
			for _, s := range allStages {
				told = append(told, d.Run(s))
				atOnce = append(atOnce, told[len(told)-1].Facts())
			}
			for i, later := range told {
				if got := later.Facts(); !slices.Equal(got, atOnce[i]) {
					t.Fatalf("seed %d, stage %s: at once %v, later %v", seed, allStages[i], atOnce[i], got)
				}
				for _, f := range atOnce[i] {
					kind, _, _ := strings.Cut(strings.TrimRight(f.Name, "#123"), "/")
					read[kind]++
				}
			}
		}
	}
	for _, kind := range []string{"assumed", "missingPods", "usageRatioRebalanced", "withinTolerance", "proposal", "recommendationMin", "scaleUpLimit", "scaleDownLimit", "metricError"} {
		if read[kind] == 0 {
			t.Errorf("no world told %q: the test is too tame", kind)
		}
	}
}
