package cli

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/scenarios"
)

// asProgram makes the test binary the program itself.
const asProgram = "STEPSCALE_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(Main())
	}
	setGlobals(os.Stderr)
	_ = os.Setenv(asProgram, "1") // for those that we start, and the reapers
	_ = os.Setenv("COLUMNS", strconv.Itoa(columns))
	code := m.Run()
	simulated.close()
	live.close()
	os.Exit(code)
}

// liveCluster is a cluster whose time goes by on its own, and whose nodes burn what
// load says.
type liveCluster struct {
	*pooled
	kube kubernetes.Interface
}

// newLive lets the app wait a moment where it would wait for the next sync.
func newLive(t *testing.T, a *app) liveCluster {
	t.Helper()
	return liveOn(t, a, live.take(t))
}

func liveOn(t *testing.T, a *app, c *pooled) liveCluster {
	t.Helper()
	c.flow(t)
	kube, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		t.Fatal(err)
	}
	a.waits = quick{}
	return liveCluster{c, kube}
}

// newManaged is a cluster that somebody else runs: upstream's HPA controller drives.
func newManaged(t *testing.T, a *app) liveCluster {
	t.Helper()
	m := newLive(t, a)
	p := hpa.DefaultParams()
	p.SyncPeriod, p.CPUInitializationPeriod = time.Second, 0
	startManaged(t, m.config, p)
	a.kubeconfig = m.Info().Kubeconfig
	a.target = target{attach: lab.Attachment{Context: "stepscale", Kubeconfig: a.kubeconfig}, image: "app", mode: "drive", yes: true}
	return m
}

// shop is a namespace that somebody has made for the app.
func (m liveCluster) shop(t *testing.T, a *app) string {
	t.Helper()
	a.target.namespace = unique("shop")
	if _, err := m.kube.CoreV1().Namespaces().Create(t.Context(), namespaceObject(a.target.namespace), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return a.target.namespace
}

// load puts a load on the namespace that the app will make, from now on.
func (m liveCluster) load(t *testing.T, namespace string, segments ...string) {
	t.Helper()
	if len(segments) == 0 {
		segments = []string{"{at: 0s, step: 190m}"}
	}
	s, err := scenarios.Parse("scenario.yaml", []byte("title: x\nhpa: web\ntarget: web\nload:\n  segments:\n  - "+strings.Join(segments, "\n  - ")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetLoad(t.Context(), namespace, lab.NewLoad(s)); err != nil {
		t.Fatal(err)
	}
}

// scaleUp steps through two passes and returns the frames of the one that scales,
// from our write on: what the other actors then do is told from watches.
func scaleUp(t *testing.T, s stage) []trace.Frame {
	t.Helper()
	frames, err := s.Session().Continue(func(f trace.Frame) bool { return f.Step == "hpa/5-pods/run" && f.Pass == 2 })
	if err != nil {
		t.Fatal(err)
	}
	var moved []trace.Frame
	for _, f := range frames {
		if scaled(f) || len(moved) > 0 && f.Pass == moved[0].Pass {
			moved = append(moved, f)
		}
	}
	if len(moved) != 5 {
		t.Fatalf("nothing was scaled in %d frames", len(frames))
	}
	for i, want := range []struct{ actor, what string }{{"deployment-controller", "spec.replicas"}, {"replicaset-controller", "created"}, {"scheduler", "bound"}, {"kubelet", "ready"}} {
		f := moved[i+1]
		if len(f.Seen) == 0 || f.Seen[0].Actor != want.actor || f.Seen[0].What != want.what || f.Seen[0].After < 0 || f.Seen[0].After > time.Minute {
			t.Errorf("%s: seen %+v", f.Step, f.Seen)
		}
		if len(f.Changes) == 0 || len(f.Waiting) > 0 {
			t.Errorf("%s: changes %v, waiting %v", f.Step, f.Changes, f.Waiting)
		}
	}
	return moved
}

func within(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(limit); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// scaled tells whether the frame changed the pods' number or size, in any loop.
func scaled(f trace.Frame) bool {
	for _, l := range loops {
		if l.Changed(f) {
			return true
		}
	}
	return false
}
