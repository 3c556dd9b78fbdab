package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/notices"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/korean"
)

func newLicensesCommand(d deps) *cobra.Command {
	return &cobra.Command{
		Use:   "licenses [모듈]",
		Short: "stepscale과 그 안에 든 모듈의 라이선스와 고지를 출력합니다",
		Long: `stepscale과, 이 실행 파일에 들어 있는 다른 사람들의 모듈의 라이선스와 고지를 모두 출력합니다.
글은 모듈마다 자기 파일에서 가져온 그대로입니다. 모듈의 경로를 적으시면 그 모듈의 것만 출력합니다.`,
		Example: "  stepscale licenses | less\n  stepscale licenses k8s.io/client-go",
		Args:    args(0, 1, "모듈"),
		RunE: func(_ *cobra.Command, given []string) error {
			n, err := notices.Read()
			if err != nil {
				return err
			}
			if len(given) == 0 {
				return d.printNotices(n, n.Modules, notices.Assets)
			}
			i := slices.IndexFunc(n.Modules, func(m notices.Module) bool { return m.Path == given[0] })
			if i < 0 {
				return noModule(n, given[0])
			}
			return d.printNotices(n, n.Modules[i:i+1], nil)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			n, _ := notices.Read()
			return modulePaths(n), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func noModule(n notices.Set, path string) error {
	hint := "모듈의 목록은 stepscale licenses의 맨 앞에 있습니다."
	if near := problem.Nearest(path, modulePaths(n)); near != "" {
		hint = "혹시 " + korean.Object(near) + " 찾으셨습니까? " + hint
	}
	return problem.Usage("이 실행 파일에 그런 모듈이 없습니다: "+path, hint)
}

func modulePaths(n notices.Set) []string {
	var paths []string
	for _, m := range n.Modules {
		paths = append(paths, m.Path)
	}
	return paths
}

// printNotices lists the modules, and then every text once, with whose it is.
func (d deps) printNotices(n notices.Set, modules []notices.Module, assets []notices.Asset) error {
	s := view.New(d.out)
	whose := map[string][]string{}
	var order []string
	for _, m := range modules {
		name := strings.TrimSpace(m.Path + " " + m.Version)
		var files []string
		for _, f := range m.Files {
			files = append(files, f.Name)
			if whose[f.Hash] == nil {
				order = append(order, f.Hash)
			}
			whose[f.Hash] = append(whose[f.Hash], name+" ("+f.Name+")")
		}
		s.Raw(fmt.Sprintf("%s: %s\n", name, strings.Join(files, ", ")))
	}
	for _, asset := range assets {
		s.Raw(fmt.Sprintf("%s: %s의 파일\n", asset.File, asset.Module))
	}
	for _, hash := range order {
		s.Raw("\n" + strings.Repeat("=", 78) + "\n" + strings.Join(whose[hash], "\n") + "\n" + strings.Repeat("-", 78) + "\n" + strings.TrimRight(n.Texts[hash], "\n") + "\n")
	}
	return s.Err()
}
