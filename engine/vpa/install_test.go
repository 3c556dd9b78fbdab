package vpa

import (
	"errors"
	"slices"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	fakediscovery "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/stepscale/stepscale/clusters/manifest"
)

// TestInstallWaitsForWhatIsGoing: a resource type that a lesson brought and that goes with
// its end is made anew when it has gone, and not taken for one that stays.
func TestInstallWaitsForWhatIsGoing(t *testing.T) {
	const name = "verticalpodautoscalers.autoscaling.k8s.io"
	types := apiextensionsv1.SchemeGroupVersion.WithResource("customresourcedefinitions")
	var crd *unstructured.Unstructured
	mapper := meta.NewDefaultRESTMapper(nil)
	for _, m := range [][]byte{crdManifest, fenceManifest, studentManifest} {
		err := manifest.EachObject(m, func(obj *unstructured.Unstructured) error {
			mapper.Add(obj.GroupVersionKind(), meta.RESTScopeRoot)
			if obj.GetName() == name {
				crd = obj.DeepCopy()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	now := metav1.Now()
	manifest.Mark(crd)
	crd.SetDeletionTimestamp(&now)
	crd.SetFinalizers([]string{apiextensionsv1.CustomResourceCleanupFinalizer})
	scheme := runtime.NewScheme()
	dyn := fake.NewSimpleDynamicClientWithCustomListKinds(scheme, map[schema.GroupVersionResource]string{types: "CustomResourceDefinitionList"}, crd)
	var applied []string // the name, and whether the old one was still there
	dyn.PrependReactor("patch", "*", func(a clienttesting.Action) (bool, runtime.Object, error) {
		patch := a.(clienttesting.PatchAction)
		if _, err := dyn.Tracker().Get(types, "", patch.GetName()); err == nil {
			applied = append(applied, "going "+patch.GetName())
		} else {
			applied = append(applied, patch.GetName())
		}
		return true, &unstructured.Unstructured{Object: map[string]any{}}, nil
	})
	kinds := &fakediscovery.FakeDiscovery{Fake: &clienttesting.Fake{Resources: []*metav1.APIResourceList{{GroupVersion: policyAPI}}}}
	class := &Class{cluster: manifest.Client{Dynamic: dyn, Mapper: mapper}, discovery: kinds}
	gone := make(chan error, 1)
	time.AfterFunc(goingPoll/2, func() { gone <- dyn.Tracker().Delete(types, "", name) })
	made, err := class.Install(t.Context())
	if err := errors.Join(err, <-gone); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(applied, name) || slices.Contains(applied, "going "+name) {
		t.Errorf("applied were %q", applied)
	}
	if i := slices.IndexFunc(made, func(p Prepared) bool { return p.Name == name }); i < 0 || made[i].There {
		t.Errorf("made are %+v", made)
	}
}
