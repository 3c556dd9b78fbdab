package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
)

// finding is what doctor found out about one thing.
type finding struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok, warn, fail
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

const (
	statusOK   = "ok"
	statusWarn = "warn" // something will be missing
	statusFail = "fail" // stepscale cannot work
)

// probeTime is how long an external program may take to answer.
const probeTime = 3 * time.Second

func newDoctorCommand(d deps) *cobra.Command {
	var output, endToEnd, namespace string
	var o lab.Attachment
	cmd := &cobra.Command{
		Use: "doctor", Short: "이 컴퓨터에서 무엇이 되는지 확인합니다", Args: args(0, 0, ""),
		Long: `이 컴퓨터에서 무엇이 되는지 확인합니다. 아무것도 만들지 않습니다.
--e2e를 주시면 그 종류의 클러스터를 실제로 만들고, 쓰고, 지우면서 약속한 대로 되는지 하나씩 확인합니다.
kind에는 Docker, Podman, nerdctl 가운데 하나가 필요하고, 처음에는 노드 이미지를 내려받습니다.
--eks나 --context를 주시면 그 클러스터에서 수업에 모자라는 것(권한, 남은 용량, 시각의 차이 등)을 알려 드립니다. 강사가 만들어 준 네임스페이스가 있으면 --namespace를 함께 적어 주십시오. class join으로 앉은 자리가 있으면 그 자리도 살펴봅니다. 그 클러스터에는 아무것도 쓰지 않습니다.`,
		Example: `  stepscale doctor
  stepscale doctor --output json
  stepscale doctor --e2e kind
  stepscale doctor --eks my-cluster --region ap-northeast-2
  stepscale doctor --context my-context --namespace shop`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			found, err := d.examination(cmd.Context(), endToEnd, o, namespace)
			if err != nil {
				return err
			}
			return d.tellFindings(cmd.Context(), output, found)
		},
	}
	outputFlag(cmd, &output)
	cmd.Flags().StringVar(&endToEnd, "e2e", "", "이 `클러스터`를 실제로 만들어 확인합니다: embedded 또는 kind")
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "권한을 확인할 `네임스페이스` (없으면 새로 만들 수 있는지까지 확인합니다)")
	d.attachFlags(cmd.Flags(), &o)
	cmd.Flags().Lookup("eks").Usage = "이 `이름`의 EKS 클러스터를 살펴봅니다"
	cmd.Flags().Lookup("context").Usage = "kubeconfig의 이 `컨텍스트`를 살펴봅니다"
	_ = cmd.RegisterFlagCompletionFunc("e2e", cobra.FixedCompletions(e2eClusters, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (d deps) examination(ctx context.Context, endToEnd string, o lab.Attachment, namespace string) ([]finding, error) {
	chosen := 0
	for _, value := range []string{endToEnd, o.Name, o.Context} {
		if value != "" {
			chosen++
		}
	}
	switch {
	case chosen > 1:
		return nil, problem.Usage("--e2e, --eks, --context는 하나만 쓸 수 있습니다.", "살펴볼 클러스터 하나를 골라 주십시오.")
	case o.Name == "" && (o.Region != "" || o.Profile != ""):
		return nil, problem.Usage("--region과 --profile은 --eks와 함께 씁니다.", "예: --eks my-cluster --region ap-northeast-2")
	case namespace != "" && o.Name == "" && o.Context == "":
		return nil, problem.Usage("--namespace는 --eks나 --context와 함께 씁니다.", "예: --context my-context --namespace shop")
	case endToEnd != "":
		return d.endToEnd(ctx, endToEnd)
	case o.Name != "" || o.Context != "":
		return d.examineCluster(ctx, o, namespace)
	}
	return append(d.examine(ctx), d.seatFindings(ctx)...), nil
}

// tellFindings fails when one of them does.
func (d deps) tellFindings(ctx context.Context, output string, found []finding) error {
	if output == "json" {
		if err := d.writeJSON(found); err != nil {
			return err
		}
	} else if err := d.showFindings(found); err != nil {
		return err
	}
	if slices.ContainsFunc(found, func(f finding) bool { return f.Status == statusFail }) {
		return errors.Join(errReported, ctx.Err())
	}
	return ctx.Err()
}

func (d deps) examine(ctx context.Context) []finding {
	return slices.Concat([]finding{
		{Name: "Go", Status: statusOK, Detail: fmt.Sprintf("%s %s/%s, CPU %d개", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())},
		port(),
		d.stateFolder(),
		d.leftFiles(),
	}, d.embeddedFindings(), []finding{
		program(ctx, "kubectl", "두 번째 터미널에서 상태를 보려면 필요합니다. https://kubernetes.io/docs/tasks/tools/", "version", "--client"),
		program(ctx, "docker", "kind 클러스터를 쓸 때만 필요합니다. 임베디드 클러스터는 Docker 없이 됩니다.", "version", "--format", "{{.Server.Version}}"),
		kubeContexts(),
		d.terminal(),
		locale(),
	})
}

func port() finding {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return finding{"포트", statusFail, "루프백 주소에서 포트를 열 수 없습니다: " + err.Error(), "방화벽이나 샌드박스가 127.0.0.1을 막고 있는지 확인해 주십시오."}
	}
	defer l.Close()
	return finding{"포트", statusOK, "루프백 주소에서 빈 포트를 열 수 있습니다", ""}
}

func (d deps) stateFolder() finding {
	dir, err := d.state.Path()
	if err == nil {
		err = writable(dir)
	}
	if err != nil {
		return finding{"진도 폴더", statusWarn, "진도를 저장할 수 없습니다: " + err.Error(), "STEPSCALE_STATE_DIR에 쓸 수 있는 폴더를 적어 주십시오. 수업은 저장 없이도 됩니다."}
	}
	return finding{"진도 폴더", statusOK, dir, ""}
}

func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func program(ctx context.Context, name, hint string, argv ...string) finding {
	path, err := exec.LookPath(name)
	if err != nil {
		return finding{name, statusWarn, "설치되어 있지 않습니다", hint}
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, argv...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+os.DevNull) // kubectl reads it to say its own version, and a device has no end
	out, err := cmd.Output()
	if err != nil {
		return finding{name, statusWarn, "설치되어 있지만 답하지 않습니다: " + err.Error(), hint}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return finding{name, statusOK, fmt.Sprintf("%s (%s)", first, path), ""}
}

func kubeContexts() finding {
	const name = "kube 컨텍스트"
	config, err := attached.Kubeconfig("")
	if err != nil {
		return finding{name, statusWarn, problem.Sentence(problem.OfCluster(err)), "임베디드 클러스터에는 필요하지 않습니다."}
	}
	if len(config.Contexts) == 0 {
		return finding{name, statusOK, "없습니다. 임베디드 클러스터에는 필요하지 않습니다", ""}
	}
	var names []string
	for n := range config.Contexts {
		names = append(names, n)
	}
	slices.Sort(names)
	return finding{name, statusOK, fmt.Sprintf("%s (지금: %s)", strings.Join(names, ", "), config.CurrentContext), ""}
}

func (d deps) terminal() finding {
	width, tty := view.TerminalWidth(d.out)
	switch {
	case !tty:
		return finding{"터미널", statusOK, "터미널이 아닙니다. 색 없이 80열로 출력합니다", ""}
	case width < 60:
		return finding{"터미널", statusWarn, fmt.Sprintf("%d열입니다", width), "80열 이상이면 표와 그래프를 보기 좋습니다."}
	}
	return finding{"터미널", statusOK, fmt.Sprintf("%d열입니다", width), ""}
}

// locale is what LC_ALL, LC_CTYPE or LANG say, in that order.
func locale() finding {
	value := os.Getenv("LC_ALL")
	for _, v := range []string{"LC_CTYPE", "LANG"} {
		if value == "" {
			value = os.Getenv(v)
		}
	}
	lower := strings.ToLower(value)
	if strings.Contains(lower, "utf-8") || strings.Contains(lower, "utf8") {
		return finding{"로캘", statusOK, value, ""}
	}
	if value == "" {
		value = "정해져 있지 않습니다"
	}
	return finding{"로캘", statusWarn, value, "한글이 깨져 보이면 LANG=ko_KR.UTF-8 또는 C.UTF-8로 바꿔 주십시오."}
}

func (d deps) showFindings(found []finding) error {
	s := view.New(d.out)
	marks := map[string]string{statusOK: "✔", statusWarn: "△", statusFail: "✘"}
	var rows [][2]string
	for _, f := range found {
		text := f.Detail
		if f.Hint != "" {
			text += " — " + f.Hint
		}
		rows = append(rows, [2]string{marks[f.Status] + " " + f.Name, text})
	}
	s.Pairs(rows)
	return s.Err()
}
