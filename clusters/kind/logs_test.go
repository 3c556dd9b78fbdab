package kind_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/clusters/kind"
	"github.com/stepscale/stepscale/clusters/kind/standin"
)

// kubeadmSays is the end of what kubeadm v1.37 prints with -v=6 when the kubelet does not start.
const kubeadmSays = `[kubelet-check] Waiting for a healthy kubelet at http://127.0.0.1:10248/healthz. This can take up to 4m0s
error: error execution phase wait-control-plane: failed while waiting for the kubelet to start: The HTTP call equal to 'curl -sSL http://127.0.0.1:10248/healthz' returned error: connection refused
k8s.io/kubernetes/cmd/kubeadm/app.Run
	k8s.io/kubernetes/cmd/kubeadm/app/kubeadm.go:47
runtime.goexit
	runtime/asm_amd64.s:1771`

// TestLogs: a start that fails in the node leaves what kubeadm and the kubelet said, and
// the error is the line that says why.
func TestLogs(t *testing.T) {
	const refusal = `Nov 28 10:00:00 kubelet[412]: E1128 10:00:00.1 412 run.go:72] "command failed" err="failed to validate kubelet configuration, error: kubelet is configured to not run on a host using cgroup v1, path: &TypeMeta{Kind:\"\"}"`
	for name, c := range map[string]struct{ says, kubelet, want, file string }{
		"kubelet":   {kubeadmSays, refusal, "kubelet is configured to not run on a host using cgroup v1", "faulty-control-plane/kubelet.log"},
		"kubeadm":   {kubeadmSays, "kubelet[412]: I1128 started", "error execution phase wait-control-plane", "kubeadm.log"},
		"preflight": {"[preflight] Some fatal errors occurred:\n\t[ERROR NumCPU]: the number of available CPUs 1 is less than the required 2\n[preflight] If you know", "", "[ERROR NumCPU]", "kubeadm.log"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(standin.EnvFault, "kubeadm init")
			t.Setenv(standin.EnvSays, c.says)
			t.Setenv(standin.EnvKubelet, c.kubelet)
			dir := t.TempDir()
			_, err := kind.New(kind.Options{Dir: dir, Name: "faulty"}).Up(t.Context())
			var e *kind.Error
			if !errors.As(err, &e) || e.Reason != kind.NodeFailed || !strings.Contains(e.Output, c.want) || strings.Contains(e.Output, "\n") {
				t.Fatalf("error %v\noutput %q; want %q in it", err, e.Output, c.want)
			}
			file := filepath.Join(dir, ".logs", "faulty", c.file)
			if text, err := os.ReadFile(file); err != nil || !strings.HasPrefix(file, e.Logs) || !strings.Contains(string(text), c.want) {
				t.Errorf("the error names %s; %s holds %q, %v", e.Logs, file, text, err)
			}
			if got := containers(t); len(got) > 0 {
				t.Errorf("left behind: %q", got)
			}
		})
	}
}

// TestCgroupV1: on a host with cgroup v1 the kubelet is told to run there all the same, and
// that is told; elsewhere its default stays (TestConfiguration).
func TestCgroupV1(t *testing.T) {
	t.Setenv(standin.EnvCgroup, "1")
	told := false
	c := kind.New(kind.Options{Dir: t.TempDir(), Name: "cgroups", Progress: func(phase string, _ time.Duration) { told = told || phase == kind.AllowingCgroupV1 }})
	if _, err := c.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Down(context.Background()) })
	if text, err := os.ReadFile(filepath.Join(state, "cgroups-control-plane", "kubeadm.conf")); err != nil || !strings.Contains(string(text), "failCgroupV1: false") || !told {
		t.Errorf("told %v, %v\n%s", told, err, text)
	}
}
