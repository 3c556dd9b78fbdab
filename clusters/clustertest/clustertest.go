// Package clustertest is the contract that every provider of clusters has to
// keep. It is no test by itself: a provider's tests run it, and so does a user
// who wants to know whether a kind cluster works on this machine.
package clustertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/engine/trace"
)

// ErrNotUp is returned by the checks that need a cluster where Up has failed.
var ErrNotUp = errors.New("the cluster is not up")

const pollEvery = 100 * time.Millisecond

// Subject is a provider under test.
type Subject struct {
	// New returns a provider for the same cluster, which is not up at first.
	New func() clusters.Provider
	// Interrupt is how long after its begin the interrupted start is cancelled.
	Interrupt time.Duration
	// Leftovers lists what is left of the cluster: processes, containers, files.
	Leftovers func() ([]string, error)
	// PodsReady is how long a pod may take to become Ready.
	PodsReady time.Duration
	// Image of the pod; when it is empty, the one that keeps a pod's network is
	// taken, which every real node has.
	Image string

	provider clusters.Provider
	config   *rest.Config
}

// Check is one clause of the contract.
type Check struct {
	Name string
	Do   func(context.Context, *Subject) error
}

// Checks is the contract, in the order in which it has to run: the first check
// takes the cluster up, and the last ones take it down. Run all of them, also
// after one has failed, or something will be left.
func Checks() []Check {
	return []Check{
		{"interrupted start leaves nothing", interrupted},
		{"up", up},
		{"up again finds it", upAgain},
		{"info is true", infoIsTrue},
		{"a lesson's objects are applied and removed", objects},
		{"the gate holds writes, where there is one", gate},
		{"down", down},
		{"down again is no error", down},
		{"nothing is left", nothingLeft},
	}
}

func interrupted(ctx context.Context, s *Subject) error {
	cut, cancel := context.WithTimeout(ctx, s.Interrupt)
	defer cancel()
	_, err := s.New().Up(cut)
	if err == nil {
		return fmt.Errorf("the start was over within %s: nothing was interrupted", s.Interrupt)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("an interrupted start says %w", err)
	}
	return nothingLeft(ctx, s)
}

func nothingLeft(_ context.Context, s *Subject) error {
	left, err := s.Leftovers()
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("left behind: %q", left)
	}
	return err
}

func up(ctx context.Context, s *Subject) (err error) {
	s.provider = s.New()
	s.config, err = s.provider.Up(ctx)
	return err
}

func upAgain(ctx context.Context, s *Subject) error {
	if s.config == nil {
		return ErrNotUp
	}
	again, err := s.provider.Up(ctx)
	if err != nil {
		return err
	}
	if again.Host != s.config.Host {
		return fmt.Errorf("the first Up says %s, the second %s", s.config.Host, again.Host)
	}
	return nil
}

// infoIsTrue holds the info against the API server, which is reached through the
// kubeconfig as kubectl would.
func infoIsTrue(_ context.Context, s *Subject) error {
	if s.config == nil {
		return ErrNotUp
	}
	info := s.provider.Info()
	if info.Name == "" {
		return errors.New("no name")
	}
	stat, err := os.Stat(info.Kubeconfig)
	if err != nil {
		return err
	}
	if mode := stat.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("others may read the kubeconfig: %s", mode)
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", info.Kubeconfig)
	if err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	version, err := kube.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	if version.GitVersion != info.Version {
		return fmt.Errorf("the info says %s, the API server %s", info.Version, version.GitVersion)
	}
	return nil
}

func objects(ctx context.Context, s *Subject) error {
	return s.inNamespace(ctx, func(kube kubernetes.Interface, namespace, image string) error {
		if _, err := kube.AppsV1().Deployments(namespace).Create(ctx, deployment(image), metav1.CreateOptions{}); err != nil {
			return err
		}
		return awaitReady(ctx, kube, namespace, s.PodsReady)
	})
}

// Gate is what a provider has that can hold the actors' writes to a namespace.
type Gate interface {
	Hold(ctx context.Context, namespace string) error
	Release(ctx context.Context, namespace string) error
	Waiting(ctx context.Context) ([]trace.Waiting, error)
}

// gate lets a Deployment wait for its controller until the gate is gone.
func gate(ctx context.Context, s *Subject) error {
	g, ok := s.provider.(Gate)
	if !ok {
		return nil
	}
	return s.inNamespace(ctx, func(kube kubernetes.Interface, namespace, image string) (err error) {
		if err := g.Hold(ctx, namespace); err != nil {
			return err
		}
		released := false
		defer func() {
			if !released {
				err = errors.Join(err, g.Release(ctx, namespace))
			}
		}()
		if _, err := kube.AppsV1().Deployments(namespace).Create(ctx, deployment(image), metav1.CreateOptions{}); err != nil {
			return err
		}
		err = wait.PollUntilContextTimeout(ctx, pollEvery, s.PodsReady, true, func(ctx context.Context) (bool, error) {
			held, err := g.Waiting(ctx)
			return len(held) > 0, err
		})
		if err != nil {
			return fmt.Errorf("nobody waits at the gate: %w", err)
		}
		sets, err := kube.AppsV1().ReplicaSets(namespace).List(ctx, metav1.ListOptions{})
		if err != nil || len(sets.Items) > 0 {
			return errors.Join(err, fmt.Errorf("%d ReplicaSets came through the gate", len(sets.Items)))
		}
		released = true
		if err := g.Release(ctx, namespace); err != nil {
			return err
		}
		return awaitReady(ctx, kube, namespace, s.PodsReady)
	})
}

// inNamespace makes a namespace, and waits until it is gone after do.
func (s *Subject) inNamespace(ctx context.Context, do func(kube kubernetes.Interface, namespace, image string) error) error {
	if s.config == nil {
		return ErrNotUp
	}
	kube, err := kubernetes.NewForConfig(s.config)
	if err != nil {
		return err
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "stepscale-contract-", Labels: map[string]string{clusters.LabelManaged: "true"}}}
	if ns, err = kube.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil {
		return err
	}
	image, err := s.image(ctx, kube)
	if err == nil {
		err = do(kube, ns.Name, image)
	}
	if e := kube.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{}); e != nil {
		return errors.Join(err, e)
	}
	gone := wait.PollUntilContextTimeout(ctx, pollEvery, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := kube.CoreV1().Namespaces().Get(ctx, ns.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
	if gone != nil {
		gone = fmt.Errorf("namespace %s is still there: %w", ns.Name, gone)
	}
	return errors.Join(err, gone)
}

func (s *Subject) image(ctx context.Context, kube kubernetes.Interface) (string, error) {
	if s.Image != "" {
		return s.Image, nil
	}
	nodes, err := kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, n := range nodes.Items {
		for _, image := range n.Status.Images {
			for _, name := range image.Names {
				if strings.Contains(name, "/pause:") {
					return name, nil
				}
			}
		}
	}
	return "", errors.New("no node has an image of pause")
}

func deployment(image string) *appsv1.Deployment {
	labels := map[string]string{"app": "contract"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "contract", Labels: map[string]string{clusters.LabelManaged: "true"}},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					TerminationGracePeriodSeconds: new(int64(0)), Containers: []corev1.Container{{Name: "contract", Image: image, ImagePullPolicy: corev1.PullIfNotPresent}},
				},
			},
		},
	}
}

func awaitReady(ctx context.Context, kube kubernetes.Interface, namespace string, limit time.Duration) error {
	ready := int32(0)
	err := wait.PollUntilContextTimeout(ctx, pollEvery, limit, true, func(ctx context.Context) (bool, error) {
		d, err := kube.AppsV1().Deployments(namespace).Get(ctx, "contract", metav1.GetOptions{})
		if err == nil {
			ready = d.Status.ReadyReplicas
		}
		return ready == 2, err
	})
	if err != nil {
		return fmt.Errorf("%d of 2 pods are Ready: %w", ready, err)
	}
	return nil
}

func down(ctx context.Context, s *Subject) error { return s.provider.Down(ctx) }
