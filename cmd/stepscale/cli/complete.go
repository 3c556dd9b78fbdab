package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stepscale/stepscale/lessons"
)

// knows completes a flag with the values that it may have.
func knows(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// forShells makes the flags such as a shell offers them: without those that cobra adds from
// upstream's packages, and without the marks of help.
func forShells(root *cobra.Command) {
	pflag.CommandLine.VisitAll(func(f *pflag.Flag) { f.Hidden = true })
	unmarked(root)
}

func unmarked(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") })
	for _, c := range cmd.Commands() {
		unmarked(c)
	}
}

// completeLessons lists the folders and the lessons.
func (d deps) completeLessons(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	all, _ := lessons.Load(d.lessons)
	for _, l := range all {
		if folder := folderOf(l); !slices.Contains(names, folder) {
			names = append(names, folder)
		}
		names = append(names, l.ID+"\t"+l.Title)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeSteps lists the steps of the lessons that were named before the flag.
func (d deps) completeSteps(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	all, _ := lessons.Load(d.lessons)
	var steps []string
	for _, l := range all {
		if len(given) > 0 && l.ID != given[0] && folderOf(l) != given[0] && !numbered(l.ID, given[0]) {
			continue
		}
		for _, b := range l.Blocks {
			if (b.Kind == lessons.Step || b.ToStep()) && !slices.Contains(steps, b.Arg) {
				steps = append(steps, b.Arg)
			}
		}
	}
	return steps, cobra.ShellCompDirectiveNoFileComp
}
