package cli

import (
	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/engine"
)

// wire joins the rooms: the loops, what opens a cluster for them, and the
// commands that deal with clusters.
func wire(a *app) *app {
	a.open = a.openStage
	a.loops = map[string]engine.Definition{}
	for name, l := range loops {
		a.loops[name] = l.Definition
	}
	a.commands = append(a.commands, func(root *cobra.Command) { root.AddCommand(a.clusterCommand()) })
	a.finish = a.disconnect
	return a
}
