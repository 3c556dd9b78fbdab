package engine

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Facts are the names of the facts that a loop's steps may tell, by the unit of their
// values. A name stands for all facts that begin with it: "podMetric/web-1" of one pod,
// "proposal#2" of a second metric.
type Facts map[Unit][]string

// Unit says how a fact's value is written.
type Unit string

// The units.
const (
	Text     Unit = "text"     // a name, a reason, a sentence
	Count    Unit = "count"    // "4"
	Amount   Unit = "amount"   // of a resource or a metric: "180m", "48Mi"
	Percent  Unit = "percent"  // "95%"
	Ratio    Unit = "ratio"    // "1.9"
	Duration Unit = "duration" // "15s", "8d"
	Clock    Unit = "clock"    // with its day: "01-02 15:04:05"
	Bool     Unit = "bool"
)

// ClockLayout is how a Clock is written. Loops go past midnight, and then a time without
// its day seems to run backwards.
const ClockLayout = "01-02 15:04:05"

var written = map[Unit]*regexp.Regexp{
	Text:     regexp.MustCompile(``),
	Count:    regexp.MustCompile(`^\d+$`),
	Amount:   regexp.MustCompile(`^([+-]?\d+(\.\d+)?(n|u|m|k|[KMGTPE]i?)?|무제한)$`),
	Percent:  regexp.MustCompile(`^\d+(\.\d+)?%$`),
	Ratio:    regexp.MustCompile(`^(-?\d+(\.\d+)?(e[+-]\d+)?|∞|0/0)$`), // 0/0: nothing divided among no pods
	Duration: regexp.MustCompile(`^(\d+d|-?(\d+(\.\d+)?(ns|µs|ms|s|m|h))+)$`),
	Clock:    regexp.MustCompile(`^\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$`),
	Bool:     regexp.MustCompile(`^(true|false)$`),
}

// Fits tells whether a value is written in the unit.
func (u Unit) Fits(value string) bool { return written[u] != nil && written[u].MatchString(value) }

// Base is the declared name of a fact: "podMetric" of "podMetric/web-1#2".
func Base(fact string) string {
	if i := strings.IndexAny(fact, "/#"); i >= 0 {
		return fact[:i]
	}
	return fact
}

// Unit is the unit of a fact, which may name its pod or metric; false where no such
// fact is declared.
func (f Facts) Unit(fact string) (Unit, bool) {
	for unit, names := range f {
		if slices.Contains(names, Base(fact)) {
			return unit, true
		}
	}
	return "", false
}

// Names are the declared names, sorted.
func (f Facts) Names() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for names := range maps.Values(f) {
			for _, name := range names {
				if !yield(name) {
					return
				}
			}
		}
	})
}

// With are the facts of both.
func (f Facts) With(more Facts) Facts {
	both := maps.Clone(f)
	for unit, names := range more {
		for _, name := range names {
			if !slices.Contains(both[unit], name) {
				both[unit] = append(slices.Clip(both[unit]), name)
			}
		}
	}
	return both
}
