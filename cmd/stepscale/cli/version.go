package cli

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/outside"
)

type versionInfo struct {
	Version    string `json:"version"`
	Revision   string `json:"revision,omitempty"`
	Go         string `json:"go"`
	Kubernetes string `json:"kubernetes,omitempty"`
	VPA        string `json:"vpa,omitempty"`
}

func readVersion() versionInfo {
	v := versionInfo{Version: unreleased, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Revision = s.Value
		}
	}
	for _, d := range info.Deps {
		switch d.Path {
		case "k8s.io/kubernetes":
			v.Kubernetes = d.Version
		case "k8s.io/autoscaler/vertical-pod-autoscaler":
			v.VPA = d.Version
		}
	}
	return v
}

// unreleased is how Go calls the version of what was built from a working tree.
const unreleased = "(devel)"

func version() string {
	v := readVersion().Version
	if v == unreleased {
		v = "개발 중인 버전"
	}
	return "stepscale " + v
}

func newVersionCommand(d deps) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "version", Short: "stepscale과 쿠버네티스의 버전을 보여 드립니다", Args: args(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			v := readVersion()
			if output == "json" {
				return d.writeJSON(v)
			}
			if err := checkOutput(output); err != nil {
				return err
			}
			s := view.New(d.out)
			rows := [][2]string{{"stepscale", strings.TrimPrefix(version(), "stepscale ")}, {"Go", v.Go}}
			if v.Kubernetes != "" {
				rows = append(rows, [2]string{"쿠버네티스", v.Kubernetes})
			}
			if v.VPA != "" {
				rows = append(rows, [2]string{"VPA", v.VPA})
			}
			if v.Revision != "" {
				rows = append(rows, [2]string{"커밋", v.Revision})
			}
			s.Pairs(rows)
			return s.Err()
		},
	}
	outputFlag(cmd, &output)
	return cmd
}

// outputFlag adds --output to a command that can write JSON.
func outputFlag(cmd *cobra.Command, output *string) {
	cmd.Flags().StringVarP(output, "output", "o", "text", "출력 `형식`: text 또는 json")
	knows(cmd, "output", "text", "json")
}

func checkOutput(output string) error {
	if output == "text" || output == "json" {
		return nil
	}
	return problem.Usage("모르는 출력 형식입니다: "+output, "--output에는 text 또는 json을 적어 주십시오.")
}

func (d deps) writeJSON(v any) error {
	e := json.NewEncoder(outside.JSONWriter(d.out))
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
