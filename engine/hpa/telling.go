package hpa

import (
	"math"
	"strconv"

	"github.com/stepscale/stepscale/engine/trace"
)

// Telling is what a stage has to say. It is put into words when somebody reads it: the
// words of a small decision cost more than the decision. What it tells is what was the
// case when the stage ran, whatever ran since.
type Telling []func(*wording)

// Facts are the words, in the order of the calculation.
func (t Telling) Facts() []trace.Fact {
	var w wording
	for _, say := range t {
		say(&w)
	}
	return w.facts
}

// wording collects facts.
type wording struct{ facts []trace.Fact }

func (w *wording) add(name, value, expr string) {
	w.facts = append(w.facts, trace.Fact{Name: name, Value: value, Expr: expr})
}

func (w *wording) number(name string, value int32, expr string) {
	w.add(name, strconv.Itoa(int(value)), expr)
}

// tell keeps something to say. Callers on the way of every decision ask silent first: it
// is cheaper than a closure that nobody keeps.
func (d *Decision) tell(say func(*wording)) {
	if !d.silent {
		d.told = append(d.told, say)
	}
}

func (d *Decision) fact(name, value, expr string) {
	if !d.silent {
		d.tell(func(w *wording) { w.add(name, value, expr) })
	}
}

func (d *Decision) intFact(name string, value int32, expr string) {
	if !d.silent {
		d.tell(func(w *wording) { w.number(name, value, expr) })
	}
}

// formatRatio is a ratio as it is told; without pods it is infinite, or nothing at all.
func formatRatio(r float64) string {
	switch {
	case math.IsInf(r, 1):
		return "∞"
	case math.IsNaN(r):
		return "0/0"
	}
	return strconv.FormatFloat(math.Round(r*10000)/10000, 'f', -1, 64)
}
