package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// help writes a command's help in Korean; cobra's templates are not used.
func (d deps) help(cmd *cobra.Command, _ []string) {
	s := view.New(d.out)
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	for l := range strings.SplitSeq(text, "\n") {
		s.Line(l)
	}
	s.Section("사용법")
	use := useLine(cmd)
	if cmd.HasAvailableSubCommands() {
		use = cmd.CommandPath() + " [명령]"
	}
	s.Raw("  " + use)
	if cmd.Example != "" {
		s.Section("예시")
		s.Raw(cmd.Example)
	}
	for _, g := range append(cmd.Groups(), &cobra.Group{Title: "명령"}) {
		if rows := commandRows(cmd, g.ID); len(rows) > 0 {
			s.Section(g.Title)
			s.Pairs(rows)
		}
	}
	if rows := flagRows(cmd); len(rows) > 0 {
		s.Section("플래그")
		s.Pairs(rows)
	}
	if cmd.HasAvailableSubCommands() {
		s.Blank()
		s.Line(fmt.Sprintf("명령 하나의 도움말은 %s [명령] --help로 볼 수 있습니다.", cmd.CommandPath()))
	}
}

// group adds commands that belong together, below a heading of their own in the help.
func group(cmd *cobra.Command, title string, commands ...*cobra.Command) {
	cmd.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, c := range commands {
		c.GroupID = title
	}
	cmd.AddCommand(commands...)
}

// commandRows lists the commands of a group, or those that are in none.
func commandRows(cmd *cobra.Command, group string) (rows [][2]string) {
	for _, c := range cmd.Commands() {
		if c.GroupID == group && (c.IsAvailableCommand() || c.Name() == "help") {
			rows = append(rows, [2]string{c.Name(), c.Short})
		}
	}
	return rows
}

func useLine(cmd *cobra.Command) string {
	return strings.Replace(cmd.UseLine(), "[flags]", "[플래그]", 1)
}

// flagRows lists a command's flags: "-h, --help" and what they are for.
func flagRows(cmd *cobra.Command) [][2]string {
	var rows [][2]string
	add := func(f *pflag.Flag) {
		if f.Hidden || pflag.Lookup(f.Name) == f { // cobra adds the global flags of upstream's packages
			return
		}
		name := "    --" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", --" + f.Name
		}
		value, usage := pflag.UnquoteUsage(f)
		if f.Value.Type() != "bool" {
			name += " " + value
		}
		if !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) {
			usage += fmt.Sprintf(" (기본값 %s)", defaultText(f))
		}
		rows = append(rows, [2]string{name, usage})
	}
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return rows
}

// defaultText is a default as one types it: 5m, not 5m0s.
func defaultText(f *pflag.Flag) string {
	if d, err := time.ParseDuration(f.DefValue); err == nil && f.Value.Type() == "duration" {
		return duration.HumanDuration(d)
	}
	return f.DefValue
}

func (d deps) helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [명령]",
		Short: "명령의 도움말을 보여 드립니다",
		RunE: func(_ *cobra.Command, given []string) error {
			cmd, rest, err := root.Find(given)
			if err != nil || len(rest) > 0 && cmd == root {
				return unknownCommand(root, given)
			}
			if len(rest) > 0 && cmd.HasAvailableSubCommands() {
				return unknownCommand(cmd, rest)
			}
			return cmd.Help() // of run, for "help run web-surge"
		},
	}
}

// bashAlone stands in for what cobra's script takes from the package bash-completion.
const bashAlone = `if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref() {
        words=("${COMP_WORDS[@]}")
        cword=$COMP_CWORD
        cur=${COMP_WORDS[COMP_CWORD]}
        prev=${COMP_WORDS[COMP_CWORD-1]}
    }
fi
`

func newCompletionCommand(d deps) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "셸 자동 완성 스크립트를 출력합니다",
		Long:  "셸 자동 완성 스크립트를 출력합니다. 출력을 셸이 읽게 하면 명령과 수업 이름이 탭으로 완성됩니다.",
		Example: `  source <(stepscale completion bash)
  stepscale completion zsh > "${fpath[1]}/_stepscale"`,
		Args:      args(1, 1, "셸 이름"),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, given []string) error {
			root := cmd.Root()
			switch given[0] {
			case "bash":
				_, err := io.WriteString(d.out, bashAlone)
				return errors.Join(err, root.GenBashCompletionV2(d.out, true))
			case "zsh":
				return root.GenZshCompletion(d.out)
			case "fish":
				return root.GenFishCompletion(d.out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(d.out)
			}
			return problem.Usage("모르는 셸입니다: "+given[0], "bash, zsh, fish, powershell 가운데 하나를 적어 주십시오.")
		},
	}
}
