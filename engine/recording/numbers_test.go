package recording_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/engine/recording"
)

func TestNumbers(t *testing.T) {
	for text, want := range map[string][]float64{
		"2 4":         {2, 4},
		"50% 95%":     {50, 95},
		"950m 1":      {.95, 1},
		"1.9 1.5e-01": {1.9, .15},
		"48Mi 1Gi":    {48 << 20, 1 << 30},
		"15s 1m":      {15, 60}, // a minute
		"1m 2":        {.001, 2},
		"100m 250m":   {.1, .25}, // of a core: minutes are never alone
		"15s 2":       nil,
		"keep":        nil,
		"NaN":         nil,
		"∞":           nil,
	} {
		if got, ok := recording.Numbers(strings.Fields(text)...); ok != (want != nil) || !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
			t.Errorf("%s: %v, %t", text, got, ok)
		}
	}
	for _, text := range []string{"1e-1000000000", "1e1000000000", strings.Repeat("9", 1<<20)} { // which would take for ever
		if got, ok := recording.Numbers(text); ok {
			t.Errorf("%.20s: %v", text, got)
		}
	}
}
