package kind

import (
	"bytes"
	"context"
	_ "embed" // the manifest
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"

	"github.com/stepscale/stepscale/clusters/manifest"
)

//go:embed metrics-server.yaml
var metricsServer []byte

const (
	metricsAPI      = "metrics.k8s.io/v1beta1"
	metricsSelector = "k8s-app=metrics-server"
)

// LoadImage puts an image into every node, unless it is there: archive is what
// `docker save` writes. Nothing is pulled.
func (c *Cluster) LoadImage(ctx context.Context, image string, archive func() ([]byte, error)) error {
	provider, err := c.provider()
	if err != nil {
		return err
	}
	nodes, err := provider.ListInternalNodes(c.opts.Name)
	if err != nil {
		return failed(ctx, err)
	}
	var body []byte
	for _, n := range nodes {
		if ctx.Err() != nil { // the library takes no context
			return ctx.Err()
		}
		if id, err := nodeutils.ImageID(n, image); err == nil && id != "" {
			continue
		}
		if body == nil {
			if body, err = archive(); err != nil {
				return err
			}
		}
		if err := nodeutils.LoadImageArchive(n, bytes.NewReader(body)); err != nil {
			return fmt.Errorf("load image %s into node %s: %w", image, n, failed(ctx, err))
		}
	}
	return nil
}

// InstallMetrics applies the Metrics Server, unless metrics.k8s.io is served, and
// waits until it answers. Errors are *Error with NoImage or NoMetrics.
func (c *Cluster) InstallMetrics(ctx context.Context, cfg *rest.Config, within time.Duration) error {
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	served := func() bool {
		_, err := kube.Discovery().ServerResourcesForGroupVersion(metricsAPI)
		return err == nil
	}
	if served() {
		return nil
	}
	if err := c.loadLocal(ctx, metricsImage()); err != nil {
		return err
	}
	if err := apply(ctx, cfg, metricsServer); err != nil {
		return fmt.Errorf("apply the Metrics Server: %w", err)
	}
	err = wait.PollUntilContextTimeout(ctx, pollEvery, within, true, func(ctx context.Context) (bool, error) {
		if image := unpulled(ctx, kube); image != "" {
			return false, &Error{Reason: NoImage, Image: image, Err: errors.New("the node cannot pull it")}
		}
		return served(), nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return &Error{Reason: NoMetrics, Err: fmt.Errorf("%s is not served after %s", metricsAPI, within)}
	}
	return err
}

// apply applies the objects of a manifest.
func apply(ctx context.Context, cfg *rest.Config, text []byte) error {
	c, err := manifest.NewClient(cfg)
	if err != nil {
		return err
	}
	return manifest.EachObject(text, func(obj *unstructured.Unstructured) error {
		_, err := c.Apply(ctx, obj)
		return err
	})
}

// unpulled is the image for which a pod of the Metrics Server waits in vain.
func unpulled(ctx context.Context, kube kubernetes.Interface) string {
	pods, err := kube.CoreV1().Pods(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{LabelSelector: metricsSelector})
	if err != nil {
		return "" // the wait goes on
	}
	for _, p := range pods.Items {
		i := slices.IndexFunc(p.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool {
			return s.State.Waiting != nil && s.State.Waiting.Reason == "ImagePullBackOff"
		})
		if i >= 0 {
			return p.Status.ContainerStatuses[i].Image
		}
	}
	return ""
}
