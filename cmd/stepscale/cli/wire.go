package cli

import (
	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/engine/hpa/referee"
	"github.com/stepscale/stepscale/engine/trace"
)

// wire joins the rooms: the loops, what opens a cluster for them, and the
// commands that deal with clusters.
func wire(a *app) *app {
	referee.Quiet()
	a.open = a.openStage
	a.loops = map[string][]trace.StepID{}
	for name, l := range loops {
		a.loops[name] = l.steps
	}
	a.commands = append(a.commands, func(root *cobra.Command) { root.AddCommand(a.clusterCommand()) })
	a.facts = factNames
	a.finish = a.disconnect
	return a
}
