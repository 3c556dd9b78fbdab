package clusterautoscaler

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// The expanders (expander/factory/expander_factory.go). Random is what decides among the
// choices that all others leave.
const (
	LeastWaste = "least-waste" // the default
	MostPods   = "most-pods"
	LeastNodes = "least-nodes"
	Priority   = "priority"
	Price      = "price"
	Random     = "random"
)

// Score is how an expander sees a choice.
type Score struct {
	Group string
	Value float64
	Expr  string // how the value comes about, in numbers
	Left  bool   // it is among the best
}

// Round is what one expander of the chain left.
type Round struct {
	Expander string
	Scores   []Score
}

// expander gives every choice a value.
type expander struct {
	highest bool // is the best; the lowest otherwise
	value   func(u *ScaleUp, c Choice) (value float64, expr string)
}

var expanders = map[string]expander{
	LeastWaste: {false, leastWaste},
	MostPods: {true, func(_ *ScaleUp, c Choice) (float64, string) {
		return float64(len(c.Pods)), fmt.Sprintf("파드 %d개", len(c.Pods))
	}},
	LeastNodes: {false, func(_ *ScaleUp, c Choice) (float64, string) {
		return float64(c.Nodes), fmt.Sprintf("노드 %d대", c.Nodes)
	}},
	Priority: {true, byPriority},
	Price:    {false, byPrice},
}

// ErrNoExpander tells that there is no expander of that name.
var ErrNoExpander = errors.New("no such expander")

// Expand lets the expanders of the chain choose, one after the other, while more than one
// choice is left, and chance among equals (expander/factory/chain.go BestOption).
func (u *ScaleUp) Expand() error {
	left := slices.Clone(u.Choices)
	for _, name := range strings.Split(u.autoscaler.Options.Expander, ",") {
		if len(left) < 2 && len(u.Rounds) > 0 || len(left) == 0 {
			break
		}
		if name == Random {
			break
		}
		if expanders[name].value == nil {
			return fmt.Errorf("%w: %q", ErrNoExpander, name)
		}
		var round Round
		round, left = u.round(name, left)
		u.Rounds = append(u.Rounds, round)
	}
	if len(left) == 0 {
		return nil
	}
	at := 0
	if len(left) > 1 {
		at = u.autoscaler.random.IntN(len(left))
	}
	u.Best = &left[at]
	return nil
}

// round leaves the choices with the best value; equal means equal, to the last bit.
func (u *ScaleUp) round(name string, of []Choice) (r Round, best []Choice) {
	r.Expander = name
	e, most := expanders[name], math.Inf(-1)
	rank := func(value float64) float64 {
		if e.highest {
			return value
		}
		return -value
	}
	for _, c := range of {
		value, expr := e.value(u, c)
		r.Scores = append(r.Scores, Score{Group: c.Group.Name, Value: value, Expr: expr})
		most = max(most, rank(value))
	}
	for i, c := range of {
		if rank(r.Scores[i].Value) == most {
			r.Scores[i].Left = true
			best = append(best, c)
		}
	}
	return r, best
}

// leastWaste is the part of CPU plus the part of memory that the new nodes would have left,
// of their capacity and not of what is allocatable (expander/waste/waste.go).
func leastWaste(_ *ScaleUp, c Choice) (float64, string) {
	wasted := func(r corev1.ResourceName) float64 {
		of := c.Group.Template.Status.Capacity[r]
		all := of.MilliValue() * int64(c.Nodes)
		return float64(all-requested(r, c.Pods...)) / float64(all)
	}
	cpu, memory := wasted(corev1.ResourceCPU), wasted(corev1.ResourceMemory)
	return cpu + memory, fmt.Sprintf("CPU %.4f + 메모리 %.4f", cpu, memory)
}
