package kind_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"sigs.k8s.io/kind/pkg/apis/config/defaults"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/clustertest"
	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/clusters/kind"
	"github.com/stepscale/stepscale/clusters/kind/standin"
)

var (
	state string               // the folder of the stand-in's containers
	kube  kubernetes.Interface // of the control plane in its nodes
)

// TestMain has an embedded control plane in the stand-in's nodes.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kind") // short: unix sockets live below it
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	node := embedded.New(embedded.Options{Dir: dir})
	cfg, err := node.Up(context.Background())
	if err != nil {
		fmt.Println(err)
		return 1
	}
	kube = kubernetes.NewForConfigOrDie(cfg)
	defer func() { _ = node.Down(context.Background()) }()
	var env map[string]string
	if state, env, err = standin.Install(dir, node.Info().Kubeconfig); err != nil {
		fmt.Println(err)
		return 1
	}
	for name, value := range env {
		if err := os.Setenv(name, value); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	return m.Run()
}

// containers are the nodes that the stand-in has now.
func containers(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(state)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestContract(t *testing.T) {
	dir := t.TempDir()
	s := &clustertest.Subject{
		New:       func() clusters.Provider { return kind.New(kind.Options{Dir: dir}) },
		Interrupt: 200 * time.Millisecond, PodsReady: time.Minute, Image: "app",
		Leftovers: kind.New(kind.Options{Dir: dir}).Left,
	}
	for _, c := range clustertest.Checks() {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Do(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries)+len(containers(t)) > 0 {
		t.Errorf("left behind: %v, %q, %v", entries, containers(t), err)
	}
}

// TestInterruptedWait interrupts a start whose nodes do not get as far as they should.
func TestInterruptedWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dir := t.TempDir()
	c := kind.New(kind.Options{Dir: dir, Name: "slow"})
	go func() {
		for made := 0; made < 5; time.Sleep(50 * time.Millisecond) {
			_ = kube.CoreV1().Pods("kube-system").DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}, metav1.ListOptions{LabelSelector: "component=kube-controller-manager"})
			if _, err := os.Stat(c.Info().Kubeconfig); err == nil {
				made++
			}
		}
		cancel()
	}()
	if _, err := c.Up(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries)+len(containers(t)) > 0 {
		t.Errorf("left behind: %v, %q, %v", entries, containers(t), err)
	}
}

// TestBadName keeps what is outside of our folder.
func TestBadName(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"..", "../other", "a/..", "Two", ".", "-x"} {
		c := kind.New(kind.Options{Dir: filepath.Join(dir, "kind"), Name: name})
		if err := os.MkdirAll(filepath.Join(dir, "kind", "a"), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := c.Up(t.Context())
		wantReason(t, err, kind.BadName)
		if err := c.Down(t.Context()); err != nil {
			wantReason(t, err, kind.BadName)
		}
		if _, err := os.Stat(filepath.Join(dir, "kind", "a")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestConfiguration looks at what the library makes of ours: kind's own arguments
// stay, and the HPA controller is taken out.
func TestConfiguration(t *testing.T) {
	c := kind.New(kind.Options{Dir: t.TempDir(), Name: "conf"})
	if _, err := c.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Down(context.Background()) })
	conf := filepath.Join(state, "conf-control-plane", "kubeadm.conf")
	args, err := standin.ControllerManagerArgs(conf)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"--enable-hostpath-provisioner=true", "--controllers=*,bootstrapsigner,tokencleaner,-horizontal-pod-autoscaler-controller"}
	for _, w := range want {
		if !slices.Contains(args, w) {
			t.Errorf("kube-controller-manager would get %q, without %s", args, w)
		}
	}
	if text, err := os.ReadFile(conf); err != nil || strings.Contains(string(text), "failCgroupV1") {
		t.Errorf("the kubelet's default is changed on a host with cgroup v2: %v\n%s", err, text)
	}
}

// TestNodeImage takes the node image without its digest where only that is here.
func TestNodeImage(t *testing.T) {
	tagged, _, _ := strings.Cut(defaults.Image, "@")
	for here, want := range map[string]string{"": defaults.Image, tagged: tagged, defaults.Image: defaults.Image} {
		t.Setenv(standin.EnvImage, here)
		c := kind.New(kind.Options{Dir: t.TempDir(), Name: "imaged"})
		if _, err := c.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(state, "imaged-control-plane", "node-image"))
		name, _, _ := strings.Cut(want, ":")
		if digest := strings.Contains(want, "@"); err != nil || !strings.HasPrefix(string(got), name) || strings.Contains(string(got), "@") != digest {
			t.Errorf("with %q here the node is made of %s, %v", here, got, err)
		}
		if err := c.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSideBySide(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "own"))
	var list []*kind.Cluster
	for _, name := range []string{"one", "two"} {
		c := kind.New(kind.Options{Dir: dir, Name: name})
		if _, err := c.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	if got := containers(t); !slices.Equal(got, []string{"one-control-plane", "two-control-plane"}) {
		t.Errorf("containers %q", got)
	}
	if err := list[0].Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := containers(t); !slices.Equal(got, []string{"two-control-plane"}) {
		t.Errorf("containers %q after one is down", got)
	}
	if err := list[1].Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(os.Getenv("KUBECONFIG")); !os.IsNotExist(err) {
		t.Error("the user's own kubeconfig was written")
	}
}

// TestNameTaken leaves a cluster alone that somebody else made.
func TestNameTaken(t *testing.T) {
	theirs := filepath.Join(state, "mine-control-plane")
	if err := errors.Join(os.Mkdir(theirs, 0o755), os.WriteFile(filepath.Join(theirs, "cluster"), []byte("mine"), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(theirs) })
	c := kind.New(kind.Options{Dir: t.TempDir(), Name: "mine"})
	_, err := c.Up(t.Context())
	wantReason(t, err, kind.NameTaken)
	if err := c.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(containers(t), "mine-control-plane") {
		t.Error("somebody else's cluster was deleted")
	}
}

// TestHalfMade makes a cluster anew whose start was killed.
func TestHalfMade(t *testing.T) {
	dir := t.TempDir()
	half := filepath.Join(state, "half-control-plane")
	if err := errors.Join(os.Mkdir(half, 0o755), os.WriteFile(filepath.Join(half, "cluster"), []byte("half"), 0o600), os.Mkdir(filepath.Join(dir, "half"), 0o700)); err != nil {
		t.Fatal(err)
	}
	var told []string
	c := kind.New(kind.Options{Dir: dir, Name: "half", Progress: func(phase string, took time.Duration) {
		if took > 0 {
			told = append(told, phase)
		}
	}})
	if _, err := c.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Preparing nodes", "Writing configuration", "Starting control-plane", "Installing CNI", "Installing StorageClass"} {
		if !slices.Contains(told, want) {
			t.Errorf("phase %q is not told: %q", want, told)
		}
	}
}

func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault, says string
		want        kind.Reason
	}{
		"daemon is down":   {"info", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", kind.EngineDown},
		"no engine":        {"-v", "", kind.NoEngine},
		"memory":           {"kubeadm init", "fork/exec: cannot allocate memory", kind.NoMemory},
		"no log, no patch": {"cp /dev/stdin", "too many open files", kind.NodeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv(standin.EnvFault, c.fault)
			t.Setenv(standin.EnvSays, c.says)
			_, err := kind.New(kind.Options{Dir: dir, Name: "faulty"}).Up(t.Context())
			wantReason(t, err, c.want)
			if got := containers(t); len(got) > 0 {
				t.Errorf("left behind: %q", got)
			}
			if entries, _ := os.ReadDir(dir); slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() != ".logs" }) {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

// TestImage names the image that cannot be pulled. The library tries five times.
func TestImage(t *testing.T) {
	t.Setenv(standin.EnvFault, "kindest/absent")
	t.Setenv(standin.EnvSays, "dial tcp: lookup registry-1.docker.io: no such host")
	_, err := kind.New(kind.Options{Dir: t.TempDir(), NodeImage: "kindest/absent:v1"}).Up(t.Context())
	wantReason(t, err, kind.NoImage)
	var e *kind.Error
	if errors.As(err, &e) && (e.Image != "kindest/absent:v1" || !strings.Contains(e.Output, "no such host")) {
		t.Errorf("image %q, output %q", e.Image, e.Output)
	}
}

func wantReason(t *testing.T, err error, want kind.Reason) {
	t.Helper()
	var e *kind.Error
	if !errors.As(err, &e) || e.Reason != want {
		t.Errorf("error %v; want %s", err, want)
	}
}
