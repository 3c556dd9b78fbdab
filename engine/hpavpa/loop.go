// Package hpavpa is the loop of the well-known mistake: an HPA and a VPA on one Deployment.
package hpavpa

import (
	"slices"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/vpa"
)

// QuarterDay is what a pass lets go by (vpa.Params.Skip): the updater takes pods that
// live twelve hours, and nobody wants to watch that minute by minute.
const QuarterDay = 6 * time.Hour

// State holds both autoscalers.
type State struct {
	HPA    *hpa.State
	VPA    *vpa.State
	Target string // name of the Deployment that both change
}

// Loop is a pass of the VPA and then one sync of the HPA.
func Loop() engine.Defined[State] {
	v, h := vpa.Loop(), hpa.Loop()
	return engine.Define(engine.Definition{
		Name: "hpa-vpa", Facts: v.Facts.With(h.Facts), Needs: slices.Concat(h.Needs, v.Needs),
	}, slices.Concat(
		engine.Lift(v.Table, func(s *State) *vpa.State { return s.VPA }),
		engine.Lift(h.Table, func(s *State) *hpa.State { return s.HPA }),
	), func(s *State) string { return s.HPA.Namespace + "/" + s.Target }, func(s *State) time.Time { return h.Now(s.HPA) })
}
