// Package kind makes clusters with sigs.k8s.io/kind as a library: nodes are
// containers of docker, podman or nerdctl, whichever is found. The control plane
// runs without its HPA controller, so that ours is the only one.
package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	kindcluster "sigs.k8s.io/kind/pkg/cluster"

	"github.com/stepscale/stepscale/clusters"
)

// DefaultName is the cluster that is made when no name is given.
const DefaultName = "stepscale"

// names are the library's, without those that lead out of Options.Dir.
var names = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)

const (
	readyWithin = 4 * time.Minute
	pollEvery   = time.Second
)

// Options configure a Cluster.
type Options struct {
	Name      string // of the kind cluster; DefaultName when empty
	Dir       string // where the kubeconfigs are kept, a folder for each name
	NodeImage string // the library's own default when empty
	// Progress, if set, is told of every phase when it begins (took is zero) and
	// when it has ended. Phases are the library's words, such as "Starting control-plane".
	Progress func(phase string, took time.Duration)
}

// Cluster is a kind cluster. It satisfies clusters.Provider. Only clusters that
// have a folder in Options.Dir are ours: others of the same name are left alone.
type Cluster struct {
	opts    Options
	version string
}

// New returns a cluster that may or may not exist yet.
func New(opts Options) *Cluster {
	if opts.Name == "" {
		opts.Name = DefaultName
	}
	return &Cluster{opts: opts}
}

// Info describes the cluster. The version is known after Up.
func (c *Cluster) Info() clusters.Info {
	return clusters.Info{Name: "kind-" + c.opts.Name, Version: c.version, Disposable: true, Kubeconfig: c.kubeconfig()}
}

func (c *Cluster) dir() string        { return filepath.Join(c.opts.Dir, c.opts.Name) }
func (c *Cluster) kubeconfig() string { return filepath.Join(c.dir(), "kubeconfig") }

// Up finds the cluster or makes it, and waits until its nodes are Ready. What a
// start leaves that is interrupted or fails is removed, unless there is a cluster
// whose nodes only do not get Ready. Errors are *Error where the cause is known.
func (c *Cluster) Up(ctx context.Context) (*rest.Config, error) {
	provider, err := c.provider()
	if err != nil {
		return nil, failed(ctx, err)
	}
	exists, err := c.exists(provider)
	if err != nil {
		return nil, failed(ctx, err)
	}
	if exists && !c.Ours() {
		return nil, &Error{Reason: NameTaken, Err: fmt.Errorf("a kind cluster %q exists and is not ours", c.opts.Name)}
	}
	if exists && !c.complete() { // a start was killed
		if err := c.remove(provider); err != nil {
			return nil, err
		}
		exists = false
	}
	if exists {
		return c.config(ctx)
	}
	if err := c.make(ctx, provider); err != nil {
		return nil, errors.Join(err, c.remove(provider))
	}
	cfg, err := c.config(ctx)
	if ctx.Err() != nil {
		return nil, errors.Join(ctx.Err(), c.remove(provider))
	}
	return cfg, err // with the reason, where the cluster stays to be looked at
}

// Down deletes the cluster if it is ours.
func (c *Cluster) Down(context.Context) error {
	if !c.Ours() {
		return nil
	}
	provider, err := c.provider()
	if err != nil {
		return err
	}
	return c.remove(provider)
}

// provider finds the container engine. NewProvider alone would fall back to
// docker and show the error of a program that is not there.
func (c *Cluster) provider() (*kindcluster.Provider, error) {
	if !names.MatchString(c.opts.Name) {
		return nil, &Error{Reason: BadName, Err: fmt.Errorf("%q", c.opts.Name)}
	}
	engine, err := kindcluster.DetectNodeProvider()
	if err != nil {
		return nil, &Error{Reason: NoEngine, Err: err}
	}
	return kindcluster.NewProvider(engine, kindcluster.ProviderWithLogger(&phases{report: c.opts.Progress})), nil
}

func (c *Cluster) exists(p *kindcluster.Provider) (bool, error) {
	list, err := p.List()
	return slices.Contains(list, c.opts.Name), err
}

// Ours tells whether a start of ours was ever begun under this name.
func (c *Cluster) Ours() bool {
	_, err := os.Stat(c.dir())
	return err == nil
}

// complete tells whether a start came to its end: the library writes the
// kubeconfig last.
func (c *Cluster) complete() bool {
	_, err := os.Stat(c.kubeconfig())
	return err == nil
}

// Left lists what there is of the cluster: its containers and its folder.
func (c *Cluster) Left() ([]string, error) {
	provider, err := c.provider()
	if err != nil {
		return nil, err
	}
	nodes, err := provider.ListNodes(c.opts.Name)
	if err != nil {
		return nil, explain(err)
	}
	var left []string
	for _, n := range nodes {
		left = append(left, n.String())
	}
	if c.Ours() {
		left = append(left, c.dir())
	}
	return left, nil
}

// make has no context to hand to the library: an interrupted start ends when its
// nodes are deleted under it.
func (c *Cluster) make(ctx context.Context, p *kindcluster.Provider) error {
	if err := errors.Join(os.RemoveAll(c.logs()), os.MkdirAll(c.dir(), 0o700)); err != nil {
		return err
	}
	image := c.opts.NodeImage
	if image == "" {
		image = nodeImage(ctx)
	}
	options := []kindcluster.CreateOption{
		kindcluster.CreateWithV1Alpha4Config(configuration(c.opts.Name, c.patches(ctx)...)), kindcluster.CreateWithNodeImage(image),
		kindcluster.CreateWithKubeconfigPath(c.kubeconfig()), // never the user's own
		kindcluster.CreateWithDisplayUsage(false), kindcluster.CreateWithDisplaySalutation(false),
		kindcluster.CreateWithRetain(true), // their logs are kept first; Up removes them
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Create(c.opts.Name, options...) }()
	select {
	case err := <-ended:
		return c.keepLogs(p, failed(ctx, err))
	case <-ctx.Done():
	}
	for { // without its nodes it gives up; a pull of the image it ends first
		_ = p.Delete(c.opts.Name, c.kubeconfig())
		select {
		case <-ended:
			return ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

// remove deletes the nodes, and then what says that they are ours.
func (c *Cluster) remove(p *kindcluster.Provider) error {
	if err := p.Delete(c.opts.Name, c.kubeconfig()); err != nil {
		return explain(err)
	}
	return os.RemoveAll(c.dir())
}

// config reads the kubeconfig and waits for the cluster behind it: the library's
// own WaitForReady says nothing when the time is over.
func (c *Cluster) config(ctx context.Context) (*rest.Config, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig())
	if err != nil {
		return nil, &Error{Reason: HalfMade, Err: err}
	}
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, &Error{Reason: HalfMade, Err: err}
	}
	last := errors.New("no node")
	err = wait.PollUntilContextTimeout(ctx, pollEvery, readyWithin, true, func(ctx context.Context) (bool, error) {
		last = c.look(ctx, kube)
		var final *Error
		if errors.As(last, &final) {
			return false, last
		}
		return last == nil, nil
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if wait.Interrupted(err) {
		err = &Error{Reason: NotReady, Err: last}
	}
	return cfg, err
}

// look returns nil when the version is known, every node is Ready, and the HPA
// controller is known to be off.
func (c *Cluster) look(ctx context.Context, kube kubernetes.Interface) error {
	version, err := kube.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	nodes, err := kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	if len(nodes.Items) == 0 {
		return errors.New("no node")
	}
	for i := range nodes.Items {
		if !ready(&nodes.Items[i]) {
			return fmt.Errorf("node %s is not Ready", nodes.Items[i].Name)
		}
	}
	c.version = version.GitVersion
	return hpaControllerOff(ctx, kube)
}

func ready(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// hpaControllerOff reads the arguments of the running kube-controller-manager: a
// kubeadm patch that does not fit is ignored without a word.
func hpaControllerOff(ctx context.Context, kube kubernetes.Interface) error {
	pods, err := kube.CoreV1().Pods(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{LabelSelector: "component=kube-controller-manager"})
	if err != nil {
		return err
	}
	if len(pods.Items) == 0 {
		return errors.New("no kube-controller-manager pod")
	}
	for _, p := range pods.Items {
		for _, c := range p.Spec.Containers {
			off := slices.ContainsFunc(append(c.Command, c.Args...), func(arg string) bool {
				list, ok := strings.CutPrefix(arg, "--controllers=")
				return ok && slices.Contains(strings.Split(list, ","), "-"+hpaController)
			})
			if !off {
				return &Error{Reason: TwoControllers, Err: fmt.Errorf("pod %s runs %s", p.Name, hpaController)}
			}
		}
	}
	return nil
}
