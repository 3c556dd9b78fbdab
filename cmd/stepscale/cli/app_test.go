package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/lines"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine"
)

// loops are all that there are.
var loops = lab.Definitions()

// app is the command line in the hands of a test, with one session of it.
type app struct {
	deps
	target  target
	session *session
}

func newApp() *app { return &app{deps: newDeps(os.Stdin, os.Stdout, os.Stderr)} }

// testApp is an app on a state directory of its own.
func testApp(t *testing.T) *app {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli") // short: unix sockets live below it
	if err != nil {
		t.Fatal(err)
	}
	a := newApp()
	a.state = state.At(dir)
	t.Cleanup(func() {
		if err := a.disconnect(); err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	return a
}

// told runs a command line with what is typed, and returns all that it says.
func (a *app) told(typed string, argv ...string) (string, int) {
	var out bytes.Buffer
	d := a.deps
	d.out, d.errOut, d.in = &out, &out, strings.NewReader(typed)
	d.typed = lines.NewReader(d.in, d.out)
	code := d.execute(context.Background(), argv)
	return out.String(), code
}

// openStage begins a session, where there is none, and opens a stage.
func (a *app) openStage(ctx context.Context, loop, scenario string, phases lab.Phases) (stage, func() error, error) {
	if a.session == nil {
		a.session = a.opener(a.deps, a.target, a.scenarios).(*session)
	}
	a.session.scenarios = a.scenarios
	s, err := a.session.open(ctx, loop, scenario, phases)
	if err != nil {
		return nil, nil, err
	}
	opened := &clusterStage{Stage: s.(*lab.Stage), session: s.Session(), namespace: s.(*lab.Stage).Namespace(), cluster: a.session.cluster}
	opened.config, opened.info = a.session.cluster.Access().Config, a.session.cluster.Access().Info
	opened.kube, err = kubernetes.NewForConfig(opened.config)
	return opened, func() error { return s.Close(ctx) }, err
}

// program is this program as a process of its own, in the app's state directory.
func (a *app) program(t *testing.T, argv ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	dir, err2 := a.state.Path()
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, argv...)
	cmd.Env = append(os.Environ(), state.Variable+"="+dir)
	if a.kubeconfig != "" {
		cmd.Env = append(cmd.Env, "KUBECONFIG="+a.kubeconfig)
	}
	return cmd
}

// disconnect ends the session.
func (a *app) disconnect() error {
	if a.session == nil {
		return nil
	}
	s := a.session
	a.session = nil
	return s.close(nil)
}

// clusterStage is a lab's stage, with what a test looks at the cluster with.
type clusterStage struct {
	*lab.Stage
	session   *engine.Session
	namespace string
	kube      kubernetes.Interface
	config    *rest.Config
	info      clusters.Info
	cluster   running
}

// quick waits a moment where a lesson would wait for the next sync.
type quick struct{}

func (quick) Pause(ctx context.Context, _ time.Duration) error {
	time.Sleep(400 * time.Millisecond)
	return ctx.Err()
}

func (quick) Busy(string) (done func()) { return func() {} }

// testStage is closed with the test, and has to leave nothing then.
func testStage(t *testing.T, a *app, ctx context.Context, loop, scenario string) *clusterStage {
	t.Helper()
	s, closeStage, err := a.openStage(ctx, loop, scenario, silent{})
	if err != nil {
		t.Fatal(err)
	}
	stage := s.(*clusterStage)
	t.Cleanup(func() {
		if err := closeStage(); err != nil {
			t.Errorf("close: %v", err)
		}
		removed(t, stage)
	})
	return stage
}

// removed fails where the namespace of a stage is there, and not about to go.
func removed(t *testing.T, s *clusterStage) {
	t.Helper()
	ns, err := s.kube.CoreV1().Namespaces().Get(context.Background(), s.namespace, metav1.GetOptions{})
	if err == nil && ns.DeletionTimestamp == nil || err != nil && !apierrors.IsNotFound(err) {
		t.Errorf("namespace %s is left: %+v, %v", s.namespace, ns.Status, err)
	}
}

type silent struct{}

func (silent) Phase(string, time.Duration) {}

func (silent) Note(string) {}
