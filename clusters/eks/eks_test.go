package eks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/clustertest"
	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/clusters/embedded"
)

var (
	node     *rest.Config // the control plane behind the stand-in
	nodeInfo clusters.Info
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// asPlugin makes the test binary the exec plugin of a kubeconfig.
const asPlugin = "EKS_TEST_PLUGIN"

// plugin is "stepscale eks-token", which cmd tests as a command.
func plugin() int {
	c := eks.New(eks.Options{Name: os.Args[3], Region: os.Args[5]})
	credential, err := c.ExecCredential(context.Background())
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(credential)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func run(m *testing.M) int {
	if os.Getenv(asPlugin) != "" {
		return plugin()
	}
	dir, err := os.MkdirTemp("", "eks") // short: unix sockets live below it
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	webhook, err := serveTokenReviews(dir)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	c := embedded.New(embedded.Options{Dir: dir, TokenWebhook: webhook})
	if node, err = c.Up(context.Background()); err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { _ = c.Down(context.Background()) }()
	nodeInfo = c.Info()
	return m.Run()
}

func TestAttachByName(t *testing.T) {
	a := newAccount(t)
	c := eks.New(eks.Options{Name: clusterName, Region: "ap-northeast-2"})
	cfg, err := c.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info := c.Info()
	if info.Name != "eks-class" || info.Version != nodeInfo.Version || info.Disposable || len(info.Simulated) > 0 {
		t.Errorf("info %+v", info)
	}
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := kube.Discovery().ServerVersion(); err != nil {
			t.Fatal(err)
		}
	}
	if again, err := c.Up(t.Context()); err != nil || again.Host != cfg.Host {
		t.Errorf("the second Up says %v, %v", again, err)
	}
	if len(a.tokens) != 1 {
		t.Errorf("%d tokens were made for a few calls", len(a.tokens))
	}
	if err := errors.Join(c.Down(t.Context()), c.Down(t.Context())); err != nil {
		t.Error(err)
	}
}

// TestKubeconfig: kubectl gets in with tokens that it asks us for.
func TestKubeconfig(t *testing.T) {
	a := newAccount(t)
	c := eks.New(eks.Options{Name: clusterName, Region: "ap-northeast-2"})
	file := filepath.Join(t.TempDir(), "new", "kubeconfig")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.WriteKubeconfig(file, self); err == nil {
		t.Error("written before the cluster was found")
	}
	if _, err := c.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteKubeconfig(file, self); err != nil || c.Info().Kubeconfig != file {
		t.Fatalf("%v, info %+v", err, c.Info())
	}
	text, err := os.ReadFile(file)
	if stat, e := os.Stat(file); err != nil || e != nil || stat.Mode().Perm() != 0o600 || strings.Contains(string(text), "k8s-aws-v1") || strings.Contains(string(text), "secret") {
		t.Errorf("the file is %s\n%s", stat.Mode(), text)
	}
	t.Setenv(asPlugin, "1")
	anotherToken()
	a.mu.Lock()
	clear(a.tokens)
	a.mu.Unlock()
	again := attached.New(attached.Options{Context: "eks-" + clusterName, Kubeconfig: file})
	if _, err := again.Up(t.Context()); err != nil || len(a.tokens) != 1 {
		t.Errorf("through the kubeconfig: %v, %d tokens", err, len(a.tokens))
	}
}

// anotherToken waits until a token differs from the last one, in its second: the API
// server remembers for a while whom it has let in.
func anotherToken() { time.Sleep(1100 * time.Millisecond) }

func TestAttachByContext(t *testing.T) {
	c := attached.New(attached.Options{Context: "stepscale", Kubeconfig: nodeInfo.Kubeconfig})
	if _, err := c.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r, err := c.Examine(t.Context(), attached.Needs{}); err != nil || r.Identity != "" || r.Username == "" {
		t.Errorf("report %+v, %v", r, err)
	}
	_, err := attached.New(attached.Options{Context: "absent", Kubeconfig: nodeInfo.Kubeconfig}).Up(t.Context())
	wantReason(t, err, attached.NoContext)
	_, err = attached.New(attached.Options{Context: "x", Kubeconfig: filepath.Join(t.TempDir(), "absent")}).Up(t.Context())
	wantReason(t, err, attached.BadKubeconfig)
}

// withKubeconfig is the cluster with a kubeconfig for kubectl, as a lesson has it.
type withKubeconfig struct {
	*eks.Cluster
	file, program string
}

func (w withKubeconfig) Up(ctx context.Context) (*rest.Config, error) {
	cfg, err := w.Cluster.Up(ctx)
	if err == nil {
		err = w.WriteKubeconfig(w.file, w.program)
	}
	return cfg, err
}

// TestContract: a cluster that is not ours to make or to remove keeps the contract
// all the same, and is there when we are gone.
func TestContract(t *testing.T) {
	newAccount(t)
	t.Setenv(asPlugin, "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	kube := kubernetes.NewForConfigOrDie(node)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	s := &clustertest.Subject{
		New: func() clusters.Provider {
			return withKubeconfig{eks.New(eks.Options{Name: clusterName, Region: "ap-northeast-2"}), file, self}
		},
		Interrupt: time.Millisecond, PodsReady: time.Minute, Image: "app",
		Leftovers: func() (left []string, err error) {
			list, err := kube.CoreV1().Namespaces().List(context.Background(), metav1.ListOptions{LabelSelector: clusters.LabelManaged})
			for _, ns := range list.Items {
				left = append(left, ns.Name)
			}
			return left, err
		},
	}
	for _, c := range clustertest.Checks() {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Do(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := kube.Discovery().ServerVersion(); err != nil {
		t.Errorf("the cluster went with us: %v", err)
	}
}

func TestFaults(t *testing.T) {
	type where struct {
		account *account
		options *eks.Options
	}
	for name, c := range map[string]struct {
		break_ func(t *testing.T, w where)
		want   eks.Reason
	}{
		"no such cluster":  {func(_ *testing.T, w where) { w.options.Name = "other" }, eks.NoCluster},
		"no region":        {func(_ *testing.T, w where) { w.options.Region = "" }, eks.NoRegion},
		"no such profile":  {func(_ *testing.T, w where) { w.options.Profile = "absent" }, eks.NoProfile},
		"expired":          {func(_ *testing.T, w where) { w.account.fault = "ExpiredTokenException" }, eks.Expired},
		"wrong signature":  {func(_ *testing.T, w where) { w.account.fault = "SignatureDoesNotMatch" }, eks.BadSignature},
		"request expired":  {func(_ *testing.T, w where) { w.account.fault = "RequestExpired" }, eks.BadSignature},
		"denied by IAM":    {func(_ *testing.T, w where) { w.account.fault = "AccessDeniedException" }, eks.Denied},
		"throttled":        {func(_ *testing.T, w where) { w.account.fault = "ThrottlingException" }, attached.Throttled},
		"no access entry":  {func(_ *testing.T, w where) { w.account.unknown = true }, attached.NoEntry},
		"API server slow":  {func(_ *testing.T, w where) { w.account.limit.Store(100) }, attached.Throttled},
		"API server gone":  {func(_ *testing.T, w where) { w.account.api.Listener.Close() }, attached.Unreachable},
		"no AWS endpoints": {func(_ *testing.T, w where) { w.account.aws.Close() }, attached.Unreachable},
		"no credentials": {func(t *testing.T, _ where) {
			t.Setenv("AWS_ACCESS_KEY_ID", "")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		}, eks.NoCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			anotherToken()
			options := eks.Options{Name: clusterName, Region: "ap-northeast-2"}
			c.break_(t, where{newAccount(t), &options})
			_, err := eks.New(options).Up(t.Context())
			wantReason(t, err, c.want)
			if err != nil && (strings.Contains(err.Error(), "k8s-aws-v1.") || strings.Contains(err.Error(), "secret")) {
				t.Errorf("a credential is told: %v", err)
			}
		})
	}
}

// TestSlowDown: a few refusals are waited for, as client-go does.
func TestSlowDown(t *testing.T) {
	newAccount(t).limit.Store(2)
	if _, err := eks.New(eks.Options{Name: clusterName, Region: "ap-northeast-2"}).Up(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestInterrupted(t *testing.T) {
	newAccount(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := eks.New(eks.Options{Name: clusterName, Region: "ap-northeast-2"}).Up(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func wantReason(t *testing.T, err error, want eks.Reason) {
	t.Helper()
	var e *attached.Error
	if !errors.As(err, &e) || e.Reason != want {
		t.Errorf("error %v; want %s", err, want)
	}
}
