package manifest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"

	"github.com/stepscale/stepscale/clusters/manifest"
)

var configMaps = corev1.SchemeGroupVersion.WithResource("configmaps")

// clientOf is a client of a cluster that holds these objects.
func clientOf(there ...runtime.Object) manifest.Client {
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("ConfigMap"), meta.RESTScopeNamespace)
	return manifest.Client{Dynamic: fake.NewSimpleDynamicClient(scheme.Scheme, there...), Mapper: mapper}
}

func configMap(data string, labels map[string]string, deleted *metav1.Time) *corev1.ConfigMap {
	m := metav1.ObjectMeta{Name: "x", Namespace: "n", Labels: labels, DeletionTimestamp: deleted}
	if deleted != nil {
		m.Finalizers = []string{"wait"}
	}
	return &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: m, Data: map[string]string{"k": data}}
}

func wanted(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(configMap("new", map[string]string{"app": "web"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: object}
}

// TestCreate: only what nobody has is made, and nothing is taken over.
func TestCreate(t *testing.T) {
	ours, now := map[string]string{manifest.LabelManaged: "true"}, metav1.Now()
	for name, c := range map[string]struct {
		there []runtime.Object
		err   error
		data  string // what is there afterwards
	}{
		"nothing there":      {nil, nil, "new"},
		"left behind":        {[]runtime.Object{configMap("old", ours, nil)}, nil, "old"},
		"somebody else's":    {[]runtime.Object{configMap("old", nil, nil)}, manifest.ErrForeign, "old"},
		"going and not gone": {[]runtime.Object{configMap("old", ours, &now)}, context.DeadlineExceeded, "old"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			client := clientOf(c.there...)
			before, err := client.Create(ctx, wanted(t))
			if !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if stays := c.err == nil && c.data == "old"; (before != nil) != stays {
				t.Errorf("was there: %v", before)
			}
			live, err := client.Dynamic.Resource(configMaps).Namespace("n").Get(t.Context(), "x", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if data, _, _ := unstructured.NestedString(live.Object, "data", "k"); data != c.data || c.data == "new" && !manifest.Marked(live) {
				t.Errorf("there is %v, want %q", live.Object, c.data)
			}
		})
	}
}

// TestCreateWaits for what is being deleted, and makes it then.
func TestCreateWaits(t *testing.T) {
	now := metav1.Now()
	client := clientOf(configMap("old", map[string]string{manifest.LabelManaged: "true"}, &now))
	resource := client.Dynamic.Resource(configMaps).Namespace("n")
	gone := make(chan error, 1)
	time.AfterFunc(60*time.Millisecond, func() { gone <- resource.Delete(context.Background(), "x", metav1.DeleteOptions{}) })
	before, err := client.Create(t.Context(), wanted(t))
	if err := errors.Join(err, <-gone); err != nil || before != nil {
		t.Fatal(before, err)
	}
	live, err := resource.Get(t.Context(), "x", metav1.GetOptions{})
	if apierrors.IsNotFound(err) || live.GetDeletionTimestamp() != nil {
		t.Errorf("there is %v, %v", live, err)
	}
}

// TestCreateAgain: what goes between the refusal and the look is made after all.
func TestCreateAgain(t *testing.T) {
	dyn := fake.NewSimpleDynamicClient(scheme.Scheme, configMap("old", nil, nil))
	dyn.PrependReactor("get", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return false, nil, dyn.Tracker().Delete(configMaps, "n", "x")
	})
	client := manifest.Client{Dynamic: dyn, Mapper: clientOf().Mapper}
	if before, err := client.Create(t.Context(), wanted(t)); err != nil || before != nil {
		t.Error(before, err)
	}
}

// TestUnknownKind is an error that names the kind.
func TestUnknownKind(t *testing.T) {
	obj := &unstructured.Unstructured{}
	obj.SetAPIVersion("example.com/v1")
	obj.SetKind("Thing")
	_, applied := clientOf().Apply(t.Context(), obj)
	if _, created := clientOf().Create(t.Context(), obj); !meta.IsNoMatchError(applied) || !meta.IsNoMatchError(created) {
		t.Errorf("applied: %v, created: %v", applied, created)
	}
}

// TestEachObject reads documents in their order, empty ones left out, until one fails.
func TestEachObject(t *testing.T) {
	stop := errors.New("stop")
	for text, want := range map[string]struct {
		kinds string
		err   error
	}{
		"kind: A\n---\n---\nkind: B\n":           {"A;B;", nil},
		"# nothing\n":                            {"", nil},
		"kind: A\n---\nkind: Stop\n---\nkind: B": {"A;", stop},
	} {
		var kinds string
		err := manifest.EachObject([]byte(text), func(obj *unstructured.Unstructured) error {
			if obj.GetKind() == "Stop" {
				return stop
			}
			kinds += obj.GetKind() + ";"
			return nil
		})
		if kinds != want.kinds || !errors.Is(err, want.err) {
			t.Errorf("%q: %q, %v", text, kinds, err)
		}
	}
}
