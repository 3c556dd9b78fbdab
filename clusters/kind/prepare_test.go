package kind_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/kind"
	"github.com/stepscale/stepscale/clusters/kind/standin"
)

// TestPrepare puts the workload's image into the nodes, once, and the Metrics Server
// where none is.
func TestPrepare(t *testing.T) {
	c := kind.New(kind.Options{Dir: t.TempDir(), Name: "prep"})
	cfg, err := c.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Down(context.Background()) })
	made := 0
	for range 2 {
		err := c.LoadImage(t.Context(), "stepscale.io/workload:1", func() ([]byte, error) { made++; return []byte("archive"), nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(state, "prep-control-plane", "image")); err != nil || string(got) != "archive" || made != 1 {
		t.Errorf("the node has %q, %v; made %d times", got, err, made)
	}

	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.InstallMetrics(t.Context(), cfg, time.Second); err != nil { // the stand-in's control plane has one
		t.Fatal(err)
	}
	if _, err := kube.AppsV1().Deployments("kube-system").Get(t.Context(), "metrics-server", metav1.GetOptions{}); err == nil {
		t.Fatal("installed beside the one that is there")
	}
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	services := dyn.Resource(schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"})
	remove := func() {
		if err := services.Delete(t.Context(), "v1beta1.metrics.k8s.io", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		within(t, func() bool {
			_, err := kube.Discovery().ServerResourcesForGroupVersion("metrics.k8s.io/v1beta1")
			return apierrors.IsNotFound(err)
		})
	}
	remove()
	var e *kind.Error
	if err := c.InstallMetrics(t.Context(), cfg, time.Millisecond); !errors.As(err, &e) || e.Reason != kind.NoMetrics {
		t.Errorf("without an answer: %v", err)
	}
	if err := c.InstallMetrics(t.Context(), cfg, 20*time.Second); err != nil { // the stand-in's resolver leads to its own
		t.Error(err)
	}
	d, err := kube.AppsV1().Deployments("kube-system").Get(t.Context(), "metrics-server", metav1.GetOptions{})
	if err != nil || d.Labels[clusters.LabelManaged] != "true" || !slices.Contains(d.Spec.Template.Spec.Containers[0].Args, "--kubelet-insecure-tls") {
		t.Fatalf("applied %+v, %v", d, err)
	}
	remove()
	image := d.Spec.Template.Spec.Containers[0].Image
	t.Setenv(standin.EnvImage, image)
	node := filepath.Join(state, "prep-control-plane", "image")
	if err := errors.Join(os.Remove(node), c.InstallMetrics(t.Context(), cfg, 20*time.Second)); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(node); err != nil || string(got) != "archive of "+image {
		t.Errorf("the node has %q, %v", got, err)
	}
	remove()
	notPulled(t, kube)
	err = c.InstallMetrics(t.Context(), cfg, 5*time.Second)
	if !errors.As(err, &e) || e.Reason != kind.NoImage || !strings.Contains(e.Image, "metrics-server:v") {
		t.Errorf("without the image: %v", err)
	}
}

// notPulled gives a pod of the Metrics Server the status that a kubelet writes
// which cannot pull its image.
func notPulled(t *testing.T, kube kubernetes.Interface) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "unpulled", Namespace: "kube-system", Labels: map[string]string{"k8s-app": "metrics-server"}},
		Spec:       corev1.PodSpec{SchedulerName: "nobody", Containers: []corev1.Container{{Name: "a", Image: "registry.k8s.io/metrics-server/metrics-server:v0.9.0"}}},
	}
	pods := kube.CoreV1().Pods("kube-system")
	pod, err := pods.Create(t.Context(), pod, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "a", Image: pod.Spec.Containers[0].Image, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}}}}
	if _, err := pods.UpdateStatus(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func within(t *testing.T, done func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !done(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("not within 20 seconds")
		}
	}
}
