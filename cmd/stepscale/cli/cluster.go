package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/outside"
)

// stopWithin is longer than a cluster takes that waits for every part of it.
const stopWithin = 20 * time.Second

func newClusterCommand(d deps) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "임베디드와 kind 클러스터를 켜고, 보고, 끕니다",
		Long: `임베디드 클러스터를 백그라운드에서 켜 둡니다. 터미널을 닫아도 남아 있고, learn과 run은 켜져 있는 클러스터에 붙습니다.
켜 두지 않아도 됩니다. 그때는 learn과 run이 직접 시작하고 끝날 때 정리합니다.
kind 클러스터는 up kind로 만들고 down kind로 지웁니다. clean은 EKS처럼 다른 사람의 클러스터에 남은 것을 지웁니다.`,
		Example: `  stepscale cluster up
  eval "$(stepscale cluster kubeconfig)"
  kubectl get nodes
  stepscale cluster down
  stepscale cluster up kind`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newClusterUpCommand(d), newClusterStatusCommand(d), newClusterDownCommand(d), newClusterKubeconfigCommand(d), newClusterCleanCommand(d), newClusterServeCommand(d), newClusterReaperCommand(d))
	return cmd
}

func newClusterUpCommand(d deps) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "up [embedded|kind]", Short: "클러스터를 켭니다", Example: "  stepscale cluster up\n  stepscale cluster up kind --name two", Args: args(0, 1, "클러스터"),
		Long: `백그라운드에서 임베디드 클러스터를 켭니다. kind를 적으시면 HPA 컨트롤러를 끈 kind 클러스터를 만들고, Metrics Server와 워크로드의 이미지까지 넣어 둡니다.
kind 클러스터는 이름을 달리해 여러 개를 나란히 둘 수 있습니다.`,
		ValidArgs: []string{clusterEmbedded, clusterKind},
		RunE: func(cmd *cobra.Command, given []string) error {
			screen := view.New(d.out)
			if which, err := clusterArg(given, name); err != nil || which == clusterKind {
				return errors.Join(err, d.kindUp(cmd.Context(), which, name))
			}
			return d.embeddedUp(cmd.Context(), screen)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "kind 클러스터의 `이름` (stepscale이 기본)")
	return cmd
}

func (d deps) embeddedUp(ctx context.Context, screen *view.Screen) error {
	dir, err := d.clusterDir()
	if err != nil {
		return err
	}
	if status, err := embedded.Find(ctx, dir); err == nil && status.State == embedded.Ready {
		screen.Note("클러스터가 이미 켜져 있습니다.")
	}
	r := &raising{dir: dir, phases: &startup{screen: screen}, waiting: func() {
		screen.Note("다른 터미널에서 클러스터를 이미 켜고 있습니다. 준비될 때까지 기다립니다.")
	}}
	info, err := r.up(ctx)
	screen.Erase()
	if err != nil {
		return err
	}
	showInfo(screen, info)
	return nil
}

func newClusterStatusCommand(d deps) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "status", Short: "클러스터가 켜져 있는지 보여 드립니다", Args: cobra.NoArgs,
		Long:    "백그라운드의 임베디드 클러스터가 켜져 있는지 보여 드립니다. 강제로 종료된 클러스터가 남긴 파일이 있으면 지우고 알려 드립니다.",
		Example: "  stepscale cluster status\n  stepscale cluster status --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			dir, err := d.clusterDir()
			if err != nil {
				return err
			}
			status, err := embedded.Find(cmd.Context(), dir)
			if err != nil && !errors.Is(err, embedded.ErrNotRunning) {
				return backgroundError(dir, err)
			}
			removed, sweepErr := d.sweep()
			if output == "json" {
				return errors.Join(d.writeStatus(status, removed), sweepErr)
			}
			showStatus(view.New(d.out), status, removed)
			return sweepErr
		},
	}
	outputFlag(cmd, &output)
	return cmd
}

func (d deps) writeStatus(status embedded.Status, removed []string) error {
	var info clusters.Info
	if status.Info != nil {
		info = *status.Info
	}
	return json.NewEncoder(outside.JSONWriter(d.out)).Encode(struct {
		Running bool           `json:"running"`
		State   embedded.State `json:"state,omitempty"`
		Removed []string       `json:"removed,omitempty"`
		clusters.Info
	}{status.State == embedded.Ready, status.State, removed, info})
}

func showStatus(screen *view.Screen, status embedded.Status, removed []string) {
	switch status.State {
	case embedded.Ready:
		showInfo(screen, *status.Info)
	case embedded.Starting:
		screen.Note("클러스터가 켜지는 중입니다. stepscale cluster up은 준비될 때까지 기다리고, stepscale cluster down은 멈춥니다.")
	case embedded.Stopping:
		screen.Note("클러스터가 꺼지는 중입니다.")
	default:
		screen.Note("켜져 있는 클러스터가 없습니다. stepscale cluster up으로 켤 수 있습니다.")
	}
	showRemoved(screen, removed)
}

func newClusterDownCommand(d deps) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "down [embedded|kind]", Short: "클러스터를 끄고 남은 것을 모두 지웁니다", Example: "  stepscale cluster down\n  stepscale cluster down kind --name two", Args: args(0, 1, "클러스터"),
		Long:      "클러스터를 끄고 남은 것을 모두 지웁니다. 켜지는 중인 클러스터도 멈춥니다. 제때 꺼지지 않는 프로세스는 강제로 끝냅니다.",
		ValidArgs: []string{clusterEmbedded, clusterKind},
		RunE: func(cmd *cobra.Command, given []string) error {
			screen := view.New(d.out)
			if which, err := clusterArg(given, name); err != nil || which == clusterKind {
				return errors.Join(err, d.kindDown(cmd.Context(), which, name))
			}
			return d.embeddedDown(cmd.Context(), screen)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "kind 클러스터의 `이름` (stepscale이 기본)")
	return cmd
}

func (d deps) embeddedDown(ctx context.Context, screen *view.Screen) error {
	dir, err := d.clusterDir()
	if err != nil {
		return err
	}
	ending, err := embedded.Stop(ctx, dir, stopWithin)
	removed, sweepErr := d.sweep()
	switch {
	case errors.Is(err, embedded.ErrSilent):
		return errors.Join(sweepErr, &problem.Error{What: "클러스터가 제때 꺼지지 않았습니다", Where: embedded.Socket(dir),
			Hint: "ps로 stepscale cluster serve 프로세스를 찾아 kill -9로 끝낸 뒤 다시 실행해 주십시오."})
	case err != nil:
		return errors.Join(backgroundError(dir, err), sweepErr)
	}
	switch ending {
	case embedded.NoneRan:
		screen.Note("켜져 있는 클러스터가 없습니다.")
	case embedded.Ended:
		screen.Done("클러스터를 끄고 정리했습니다.")
	case embedded.Killed:
		screen.Done(fmt.Sprintf("클러스터가 %s 안에 꺼지지 않아 강제로 끝내고 정리했습니다.", view.Duration(stopWithin)))
	}
	showRemoved(screen, removed)
	return sweepErr
}

func newClusterKubeconfigCommand(d deps) *cobra.Command {
	return &cobra.Command{
		Use: "kubeconfig", Short: "kubectl이 쓸 KUBECONFIG를 출력합니다", Args: cobra.NoArgs,
		Example: "  eval \"$(stepscale cluster kubeconfig)\"\n  kubectl get nodes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := d.clusterDir()
			if err != nil {
				return err
			}
			status, err := embedded.Find(cmd.Context(), dir)
			switch {
			case errors.Is(err, embedded.ErrNotRunning):
				return &problem.Error{What: "켜져 있는 클러스터가 없습니다", Hint: "stepscale cluster up으로 먼저 켜 주십시오."}
			case err != nil:
				return backgroundError(dir, err)
			case status.State != embedded.Ready:
				return &problem.Error{What: "클러스터가 아직 켜지는 중이거나 꺼지는 중입니다", Hint: "stepscale cluster up으로 준비될 때까지 기다려 주십시오."}
			}
			fmt.Fprintln(d.out, view.Export("KUBECONFIG", status.Info.Kubeconfig))
			return nil
		},
	}
}

// sweep removes what killed processes left behind: keys, kubeconfigs, a socket.
func (d deps) sweep() ([]string, error) {
	dir, err := d.state.Path()
	if err != nil {
		return nil, err
	}
	var all []string
	var errs []error
	for _, base := range []string{filepath.Join(dir, embeddedDir), filepath.Join(dir, e2eName)} {
		removed, err := embedded.Sweep(base)
		all = append(all, removed...)
		if err != nil {
			errs = append(errs, &problem.Error{What: "강제로 종료된 클러스터가 남긴 파일을 지우지 못했습니다", Where: base, Cause: err,
				Hint: "폴더의 권한을 확인하시고 직접 지워 주십시오. 클러스터의 열쇠가 들어 있습니다."})
		}
	}
	return all, errors.Join(errs...)
}

func showRemoved(screen *view.Screen, removed []string) {
	if len(removed) == 0 {
		return
	}
	screen.Note("강제로 종료된 클러스터가 남긴 파일을 지웠습니다.")
	for _, path := range removed {
		screen.Raw("    " + path)
	}
}

// leftovers is what doctor says about them.
func (d deps) leftFiles() finding {
	const name = "남은 파일"
	removed, err := d.sweep()
	var u *problem.Error
	switch {
	case errors.As(err, &u):
		return finding{name, statusWarn, u.What + ": " + u.Cause.Error(), u.Hint}
	case err != nil:
		return finding{name, statusWarn, err.Error(), ""}
	case len(removed) > 0:
		return finding{name, statusOK, "강제로 종료된 클러스터가 남긴 파일을 지웠습니다: " + strings.Join(removed, ", "), ""}
	}
	return finding{name, statusOK, "강제로 종료된 클러스터가 남긴 것이 없습니다", ""}
}

func showInfo(screen *view.Screen, info clusters.Info) {
	screen.Done("클러스터가 켜져 있습니다: 쿠버네티스 " + info.Version + " (노드, 부하, 시간은 시뮬레이션)")
	showKubeconfig(screen, info.Kubeconfig)
}

// showKubeconfig never wraps what is to be copied.
func showKubeconfig(screen *view.Screen, path string) {
	screen.Note("다른 터미널에서:")
	screen.Raw("    " + view.Export("KUBECONFIG", path))
}
