package vpa

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/stepscale/stepscale/clusters/manifest"
)

// TestLacking: resource types of somebody else's are taken where they have all that
// lessons write.
func TestLacking(t *testing.T) {
	for name, c := range map[string]struct {
		change func(text string) string
		want   []string
	}{
		"upstream's": {func(text string) string { return text }, nil},
		"older modes": {func(text string) string { return strings.ReplaceAll(text, "- InPlaceOrRecreate\n", "- Auto\n") },
			[]string{"spec.updatePolicy.updateMode InPlaceOrRecreate"}},
		"no recommenders": {func(text string) string { return strings.ReplaceAll(text, "recommenders:", "recommender:") }, []string{"spec.recommenders"}},
		"another version": {func(text string) string { return strings.ReplaceAll(text, "name: v1\n", "name: v2\n") }, []string{"v1"}},
	} {
		var got []string
		err := manifest.EachObject([]byte(c.change(string(crdManifest))), func(obj *unstructured.Unstructured) error {
			got = append(got, lacking(obj)...)
			return nil
		})
		if slices.Sort(got); err != nil || !slices.Equal(slices.Compact(got), c.want) {
			t.Errorf("%s: lacks %q, %v; want %q", name, got, err, c.want)
		}
	}
}

// TestStudentObjects: the student comes in last, and only there.
func TestStudentObjects(t *testing.T) {
	objects, err := Student{Namespace: "s01", Users: []string{"kim"}, Groups: []string{"red", "blue"}}.Objects()
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for i, o := range objects {
		kinds = append(kinds, o.GetKind())
		if i > 0 && o.GetNamespace() != "s01" || i == 0 && o.GetName() != "s01" {
			t.Errorf("%s %s in %q", o.GetKind(), o.GetName(), o.GetNamespace())
		}
	}
	if want := []string{"Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "RoleBinding"}; !slices.Equal(kinds, want) {
		t.Errorf("made are %q", kinds)
	}
	if subjects, _, err := unstructured.NestedSlice(objects[4].Object, "subjects"); err != nil || len(subjects) != 3 {
		t.Errorf("bound are %v, %v", subjects, err)
	}
}
