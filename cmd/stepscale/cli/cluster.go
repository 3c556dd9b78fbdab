package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/cmd/stepscale/tui"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/scenarios"
)

const (
	readyLine   = "ready"
	stopWithin  = 20 * time.Second
	clusterLog  = "cluster.log"
	pollCluster = 50 * time.Millisecond
)

func (a *app) clusterCommand() *cobra.Command {
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
	cmd.AddCommand(a.clusterUp(), a.clusterStatus(), a.clusterDown(), a.clusterKubeconfig(), a.clusterClean(), a.clusterServe(), a.clusterGuard())
	return cmd
}

func (a *app) clusterUp() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "up [embedded|kind]", Short: "클러스터를 켭니다", Example: "  stepscale cluster up\n  stepscale cluster up kind --name two", Args: args(0, 1, "클러스터"),
		Long: `백그라운드에서 임베디드 클러스터를 켭니다. kind를 적으시면 HPA 컨트롤러를 끈 kind 클러스터를 만들고, 메트릭 서버와 워크로드의 이미지까지 넣어 둡니다.
kind 클러스터는 이름을 달리해 여러 개를 나란히 둘 수 있습니다.`,
		ValidArgs: []string{clusterEmbedded, clusterKind},
		RunE: func(cmd *cobra.Command, given []string) error {
			screen := tui.New(a.out)
			if which, err := clusterArg(given, name); err != nil || which == clusterKind {
				return errors.Join(err, a.kindUp(cmd.Context(), which, name))
			}
			if info, err := runningInfo(); err == nil {
				screen.Note("클러스터가 이미 켜져 있습니다.")
				showInfo(screen, info)
				return nil
			}
			if err := spawnServer(cmd.Context(), &startup{screen: screen}); err != nil {
				return err
			}
			info, err := runningInfo()
			if err != nil {
				return err
			}
			showInfo(screen, info)
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "kind 클러스터의 `이름` (stepscale이 기본)")
	return cmd
}

// spawnServer starts this program again as the server, in a session of its
// own, and waits until it says that it is ready.
func spawnServer(ctx context.Context, progress Progress) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "cluster", "serve") // lives on after ctx
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Dir = "/"
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	defer stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		name, took, _ := strings.Cut(lines.Text(), "\t")
		if name == readyLine {
			return cmd.Process.Release()
		}
		if d, err := time.ParseDuration(took); err == nil {
			progress.Phase(name, d)
		}
	}
	err = cmd.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	dir, dirErr := clusterDir()
	if dirErr != nil {
		return dirErr
	}
	return &userError{what: "클러스터를 켜지 못했습니다", where: filepath.Join(dir, clusterLog), cause: err,
		hint: "위 파일에 이유가 적혀 있습니다. stepscale doctor도 실행해 보십시오."}
}

// clusterServe is what `cluster up` starts. Phases go to stdout until it is
// ready; an error goes to the log file.
func (a *app) clusterServe() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "클러스터를 이 프로세스에서 켭니다", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := clusterDir()
			if err != nil {
				return err
			}
			err = a.serve(cmd.Context(), dir)
			if err != nil {
				_ = os.WriteFile(filepath.Join(dir, clusterLog), []byte(err.Error()+"\n"), 0o600)
			}
			return err
		},
	}
}

func (a *app) serve(ctx context.Context, dir string) (err error) {
	cluster := embedded.New(embedded.Options{Dir: dir, Progress: func(phase string, took time.Duration) {
		fmt.Fprintf(a.out, "%s\t%s\n", phase, took)
	}})
	socket := socketIn(dir)
	if _, err := embedded.Dial(socket); err == nil {
		return errors.New("a cluster is running already")
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) { // of a killed process
		return err
	}
	if _, err := cluster.Up(ctx); err != nil {
		return err
	}
	defer func() { // in this order: `cluster down` waits for the socket to go
		err = errors.Join(err, cluster.Down(context.WithoutCancel(ctx)))
		_ = os.Remove(socket)
	}()
	go func() {
		for ctx.Err() == nil {
			if remote, err := embedded.Dial(socket); err == nil {
				_ = remote.Disconnect()
				fmt.Fprintln(a.out, readyLine)
				return
			}
			time.Sleep(pollCluster)
		}
	}()
	return embedded.Serve(ctx, cluster, socket, parseLoad)
}

func parseLoad(raw []byte) (embedded.Load, error) {
	s, err := scenarios.Parse("scenario.yaml", raw)
	if err != nil {
		return nil, err
	}
	return scenarioLoad{s}, nil
}

func (a *app) clusterStatus() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "status", Short: "클러스터가 켜져 있는지 보여 드립니다", Args: cobra.NoArgs,
		Example: "  stepscale cluster status\n  stepscale cluster status --output json",
		RunE: func(*cobra.Command, []string) error {
			if output != "text" && output != "json" {
				return usageError(fmt.Sprintf("출력 형식을 모릅니다: %s", output), "text나 json을 써 주십시오.")
			}
			info, err := runningInfo()
			if output == "json" {
				return json.NewEncoder(outside.JSONWriter(a.out)).Encode(struct {
					Running bool `json:"running"`
					clusters.Info
				}{err == nil, info})
			}
			screen := tui.New(a.out)
			if err != nil {
				screen.Note("켜져 있는 클러스터가 없습니다. stepscale cluster up으로 켤 수 있습니다.")
				return nil
			}
			showInfo(screen, info)
			return nil
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "출력 형식: text 또는 json")
	return cmd
}

func (a *app) clusterDown() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "down [embedded|kind]", Short: "클러스터를 끄고 남은 것을 모두 지웁니다", Example: "  stepscale cluster down\n  stepscale cluster down kind --name two", Args: args(0, 1, "클러스터"),
		ValidArgs: []string{clusterEmbedded, clusterKind},
		RunE: func(cmd *cobra.Command, given []string) error {
			screen := tui.New(a.out)
			if which, err := clusterArg(given, name); err != nil || which == clusterKind {
				return errors.Join(err, a.kindDown(cmd.Context(), which, name))
			}
			dir, err := clusterDir()
			if err != nil {
				return err
			}
			remote, err := embedded.Dial(socketIn(dir))
			if err != nil {
				screen.Note("켜져 있는 클러스터가 없습니다.")
				return nil
			}
			_ = remote.Stop() // the answer may be lost with the server
			_ = remote.Disconnect()
			if err := waitGone(cmd.Context(), socketIn(dir)); err != nil {
				return err
			}
			screen.Done("클러스터를 끄고 정리했습니다.")
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "kind 클러스터의 `이름` (stepscale이 기본)")
	return cmd
}

func waitGone(ctx context.Context, socket string) error {
	deadline := time.Now().Add(stopWithin)
	for time.Now().Before(deadline) {
		if _, err := os.Stat(socket); errors.Is(err, os.ErrNotExist) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollCluster):
		}
	}
	return &userError{what: "클러스터가 제때 꺼지지 않았습니다", where: socket, hint: "잠시 뒤 stepscale cluster status로 확인해 주십시오."}
}

func (a *app) clusterKubeconfig() *cobra.Command {
	return &cobra.Command{
		Use: "kubeconfig", Short: "kubectl이 쓸 KUBECONFIG를 출력합니다", Args: cobra.NoArgs,
		Example: "  eval \"$(stepscale cluster kubeconfig)\"\n  kubectl get nodes",
		RunE: func(*cobra.Command, []string) error {
			info, err := runningInfo()
			if err != nil {
				return &userError{what: "켜져 있는 클러스터가 없습니다", hint: "stepscale cluster up으로 먼저 켜 주십시오."}
			}
			fmt.Fprintf(a.out, "export KUBECONFIG=%q\n", info.Kubeconfig)
			return nil
		},
	}
}

// runningInfo asks the background cluster, if there is one.
func runningInfo() (clusters.Info, error) {
	dir, err := clusterDir()
	if err != nil {
		return clusters.Info{}, err
	}
	remote, err := embedded.Dial(socketIn(dir))
	if err != nil {
		return clusters.Info{}, err
	}
	defer func() { _ = remote.Disconnect() }()
	return remote.Info()
}

func showInfo(screen *tui.Screen, info clusters.Info) {
	screen.Done("클러스터가 켜져 있습니다: 쿠버네티스 " + info.Version + " (노드, 부하, 시간은 시뮬레이션)")
	screen.Note("다른 터미널에서: export KUBECONFIG=" + info.Kubeconfig)
}
