package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/scenarios"
)

// TestKilledWithEveryKind: whatever a scenario may have, a reaper removes.
func TestKilledWithEveryKind(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	namespace := classOn(t, a, m)
	dir := filepath.Join("..", "lab", "testdata") // with a scenario that has an object of every kind
	dyn, err := dynamic.NewForConfig(m.config)
	if err != nil {
		t.Fatal(err)
	}
	left := func() (kinds []string) {
		for _, k := range scenarios.Kinds() {
			list, err := dyn.Resource(k.Resource).Namespace(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: clusters.LabelOwner}) // what makes up a student's namespace has no owner
			if err != nil && !apierrors.IsNotFound(err) {                                                                                        // a new CRD is not served at once
				t.Fatalf("%s: %v", k.Kind, err)
			}
			if err == nil && len(list.Items) > 0 {
				kinds = append(kinds, k.Kind)
			}
		}
		return kinds
	}
	cmd := a.program(t, "run", "every", "--scenarios", dir, "--loop", "vpa", "--context", "stepscale", "--image", "app", "--namespace", namespace, "--hpa-mode", "disarmed", "--yes")
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	within(t, time.Minute, "an object of every kind is there", func() bool { return len(left()) == len(scenarios.Kinds()) })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	within(t, time.Minute, "the reaper removes everything", func() bool { return len(left()) == 0 })

	s, err := scenarios.Load(os.DirFS(dir), "every")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range s.Parts() {
		if !strings.Contains(strings.ReplaceAll(said.String(), "\n ", ""), o.GetKind()+"/"+o.GetName()) {
			t.Errorf("%s/%s was not announced:\n%s", o.GetKind(), o.GetName(), said.String())
		}
	}
}
