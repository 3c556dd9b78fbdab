package cli

import (
	"github.com/stepscale/stepscale/engine"
)

// wire joins the rooms: the loops, and what opens a cluster for them.
func wire(a *app) *app {
	a.open = a.openStage
	a.loops = map[string]engine.Definition{}
	for name, l := range loops {
		a.loops[name] = l.Definition
	}
	a.finish = a.disconnect
	return a
}
