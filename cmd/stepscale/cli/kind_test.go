package cli

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/clusters/kind/standin"
	"github.com/stepscale/stepscale/clusters/workload"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
)

// machine is one with docker. The control plane in its nodes is a live one, without
// an HPA controller, as our kind clusters have it.
type machine struct {
	liveCluster
	app        *app
	out        *bytes.Buffer
	containers string
}

func newMachine(t *testing.T) machine {
	t.Helper()
	m := machine{app: testApp(t), out: &bytes.Buffer{}}
	m.liveCluster = newLive(t, m.app)
	m.app.out, m.app.errOut = m.out, m.out
	containers, env, err := standin.Install(t.TempDir(), m.Info().Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
	m.containers = containers
	return m
}

// run is a command line; it returns what was said.
func (m machine) run(t *testing.T, line string) string {
	t.Helper()
	m.out.Reset()
	if code := m.app.execute(t.Context(), strings.Fields(line)); code != problem.ExitOK {
		t.Fatalf("%s: exit code %d\n%s", line, code, m.out)
	}
	return m.out.String()
}

// there are the containers and the folders of clusters.
func (m machine) there(t *testing.T) []string {
	t.Helper()
	state, err := m.app.state.Path()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, dir := range []string{m.containers, filepath.Join(state, "kind")} {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	return names
}

// gone tells whether nothing will be left of the lesson's namespace.
func (m machine) gone(t *testing.T, namespace string) bool {
	t.Helper()
	ns, err := m.kube.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{})
	return apierrors.IsNotFound(err) || err == nil && ns.DeletionTimestamp != nil
}

// TestKind is a learner's way on kind: a lesson, a loop, and the end of the cluster.
func TestKind(t *testing.T) {
	m := newMachine(t)
	m.load(t, "stepscale-web-surge")
	m.load(t, "stepscale-web-surge-2") // while the first lesson's namespace goes
	said := m.run(t, "learn hpa/01-architecture --cluster kind --auto")
	for _, want := range []string{"컨트롤 플레인", "워크로드 이미지", "Metrics Server", "실제 클러스터입니다", "HPA 컨트롤러는 꺼 두었으므로", "수업을 마쳤습니다"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	for _, wrong := range []string{"시뮬레이션]", "가상 시각", "만든 클러스터가 아닙니다"} {
		if strings.Contains(said, wrong) {
			t.Errorf("%q in\n%s", wrong, said)
		}
	}
	if !m.gone(t, "stepscale-web-surge") {
		t.Error("the lesson's namespace is left behind")
	}
	m.holdsImage(t)
	m.scalesAlone(t)
	if got := m.there(t); !slices.Equal(got, []string{"stepscale-control-plane", "stepscale"}) {
		t.Errorf("after the lessons there are %q", got)
	}
	if said := m.run(t, "cluster down kind"); !strings.Contains(said, "kind 클러스터를 지웠습니다") {
		t.Errorf("said:\n%s", said)
	}
	if got := m.there(t); len(got) > 0 {
		t.Errorf("left behind: %q", got)
	}
}

// scalesAlone steps through a scale-up: the HPA is there, and only we write it.
func (m machine) scalesAlone(t *testing.T) {
	t.Helper()
	m.app.target = target{cluster: clusterKind}
	s, closeStage, err := m.app.openStage(t.Context(), "hpa", "web-surge", silent{})
	if err != nil {
		t.Fatal(err)
	}
	namespace := s.(*clusterStage).namespace
	scaleUp(t, s)
	h, err := m.kube.AutoscalingV2().HorizontalPodAutoscalers(namespace).Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	web, err := m.kube.AppsV1().Deployments(namespace).Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.Status.DesiredReplicas; got <= 2 || *web.Spec.Replicas != got || len(h.Status.Conditions) == 0 {
		t.Errorf("the Deployment has %d replicas, the HPA says %+v", *web.Spec.Replicas, h.Status)
	}
	if c := web.Spec.Template.Spec.Containers[0]; c.Image != workload.Image {
		t.Errorf("the pods run %s", c.Image)
	}
	if err := errors.Join(closeStage(), m.app.disconnect()); err != nil {
		t.Fatal(err)
	}
	if !m.gone(t, namespace) {
		t.Errorf("namespace %s is left behind", namespace)
	}
}

// holdsImage looks for the workload in what was loaded into the node.
func (m machine) holdsImage(t *testing.T) {
	t.Helper()
	archive, err := os.Open(filepath.Join(m.containers, "stepscale-control-plane", "image"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	for r := tar.NewReader(archive); ; {
		h, err := r.Next()
		if err != nil {
			t.Fatalf("no manifest: %v", err)
		}
		if h.Name != "manifest.json" {
			continue
		}
		if text, err := io.ReadAll(r); err != nil || !strings.Contains(string(text), workload.Image) {
			t.Errorf("manifest %s, %v", text, err)
		}
		return
	}
}

// TestKindInterrupted is Ctrl-C while the cluster is made, which a terminal sends to
// the engine's commands as well.
func TestKindInterrupted(t *testing.T) {
	m := newMachine(t)
	begin := time.Now()
	if err := m.app.program(t, "version").Run(); err != nil {
		t.Fatal(err)
	}
	caught := 500*time.Millisecond + 2*time.Since(begin) // signals are, then
	node := func() bool { return len(m.there(t)) == 2 }
	for name, c := range map[string]struct {
		hang  string // where the start is, in docker's words
		begun func() bool
	}{
		"without a node": {"run --name", func() bool { return true }},
		"with a node":    {"kubeadm init", node},
		"before the end": {"--kubeconfig=", node},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(standin.EnvHang, c.hang)
			cmd := m.app.program(t, strings.Fields("run web-surge --cluster kind --name two")...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &out, time.Minute
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(caught)
			within(t, 30*time.Second, name, c.begun)
			if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != problem.ExitInterrupted || !strings.Contains(out.String(), "중단했습니다") {
				t.Errorf("exit code %d\n%s", code, out.String())
			}
			if got := m.there(t); len(got) > 0 {
				t.Errorf("left behind: %q", got)
			}
		})
	}
}

// TestReachFinding: a firewall is no reason to do without kind.
func TestReachFinding(t *testing.T) {
	m := newMachine(t)
	m.run(t, "cluster up kind --name two")
	cluster, err := m.app.kindCluster("two", silent{})
	if err != nil {
		t.Fatal(err)
	}
	if f := reachFinding(t.Context(), cluster); f.Status != statusOK {
		t.Errorf("told as %+v", f)
	}
	t.Setenv(standin.EnvFault, "curl")
	t.Setenv(standin.EnvSays, "curl: (28) Connection timed out after 5001 milliseconds")
	f := reachFinding(t.Context(), cluster)
	if f.Status != statusWarn || !strings.Contains(f.Detail, "timed out") || !strings.Contains(f.Hint, "MutatingAdmissionPolicy") {
		t.Errorf("told as %+v", f)
	}
	t.Setenv(standin.EnvFault, "")
	m.run(t, "cluster down kind --name two")
	if f := reachFinding(t.Context(), cluster); f.Status != statusWarn || f.Hint == "" {
		t.Errorf("without a cluster, told as %+v", f)
	}
}

// TestKindNames refuses names that lead out of our folder before anything is done.
func TestKindNames(t *testing.T) {
	m := newMachine(t)
	state, err := m.app.state.Path()
	if err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(state, "kept")
	if err := errors.Join(os.MkdirAll(filepath.Join(state, "kind"), 0o700), os.WriteFile(kept, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"cluster down kind --name ..", "cluster up kind --name ../kept", "learn hpa --cluster kind --auto --name Two"} {
		m.out.Reset()
		if code := m.app.execute(t.Context(), strings.Fields(line)); code == problem.ExitOK || !strings.Contains(m.out.String(), "이름으로 쓸 수 없습니다") {
			t.Errorf("%s: exit code %d\n%s", line, code, m.out)
		}
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}
