package recording

import (
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// amount is a count, a quantity, a ratio or a percentage of a length that one has: anybody
// can write a recording, and resource.ParseQuantity writes 1e-1000000000 out, digit by digit.
var amount = regexp.MustCompile(`^[+-]?\d{1,30}(\.\d{0,30})?([eE][+-]?\d{1,2}|n|u|m|k|[KMGTPE]i?)?%?$`)

// Numbers are values of one kind as numbers: counts, quantities, ratios and percentages,
// or else durations, in seconds. The kind is told from all of them: 1m is a minute beside
// 15s, and a thousandth beside 2. It is false where they are not of one kind.
func Numbers(values ...string) ([]float64, bool) {
	for _, read := range []func(string) (float64, bool){ofAmount, ofDuration} {
		if all, ok := each(values, read); ok {
			return all, true
		}
	}
	return nil, false
}

func each(values []string, read func(string) (float64, bool)) ([]float64, bool) {
	all := make([]float64, len(values))
	for i, v := range values {
		var ok bool
		if all[i], ok = read(v); !ok {
			return nil, false
		}
	}
	return all, true
}

func ofAmount(text string) (float64, bool) {
	if !amount.MatchString(text) {
		return 0, false
	}
	q, err := resource.ParseQuantity(strings.TrimSuffix(text, "%"))
	return q.AsApproximateFloat64(), err == nil
}

func ofDuration(text string) (float64, bool) {
	d, err := time.ParseDuration(text)
	return d.Seconds(), err == nil
}
