package cli

import (
	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
)

// newClusterReaperCommand is what a lesson on somebody else's cluster starts, to be
// cleaned up after a kill.
func newClusterReaperCommand(d deps) *cobra.Command {
	return &cobra.Command{
		Use: "reaper", Short: "남은 것을 지울 때를 기다립니다", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return lab.Reap(cmd.Context(), d.in, d.state) },
	}
}
