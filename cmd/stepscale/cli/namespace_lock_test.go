package cli

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
)

// Owner is this installation's.
func owner(a *app) (string, error) {
	s, err := a.state.Signer()
	return s.Owner(), err
}

// TestNamespaceLock: two lessons of one learner on a cluster leave each other alone, and so
// does cluster clean.
func TestNamespaceLock(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	m := newManaged(t, a)
	id, err := owner(a)
	if err != nil {
		t.Fatal(err)
	}
	second := newApp()
	second.state, second.target, second.waits = a.state, a.target, a.waits
	t.Cleanup(func() { _ = second.disconnect() })
	base := "stepscale-web-surge-" + id
	for i, one := range []*app{a, second} {
		s, closeStage, err := one.openStage(t.Context(), "hpa", "web-surge", silent{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = closeStage() })
		if got, want := s.(*clusterStage).namespace, base+[]string{"", "-2"}[i]; got != want {
			t.Errorf("lesson %d is in %s; want %s", i+1, got, want)
		}
	}
	if removed, err := lab.Clean(t.Context(), a.state, a.target.guest(), func(*lab.Leftovers) error { return nil }); !errors.Is(err, lab.ErrPlaying) || len(removed) > 0 {
		t.Errorf("cleaned %q, %v", removed, err)
	}
	for _, name := range []string{base, base + "-2"} {
		ns, err := m.kube.CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil || ns.DeletionTimestamp != nil {
			t.Errorf("namespace %s: %v, %v", name, ns.DeletionTimestamp, err)
		}
	}

	shop := m.shop(t, a)
	for _, one := range []*app{a, second} {
		if err := one.disconnect(); err != nil {
			t.Fatal(err)
		}
		one.target.namespace = shop
	}
	_, closeStage, err := a.openStage(t.Context(), "hpa", "web-surge", silent{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := second.openStage(t.Context(), "hpa", "web-surge", silent{}); err == nil || !strings.Contains(err.Error(), "다른 stepscale이 수업을") {
		t.Errorf("a second lesson in one namespace: %v", err)
	}
	if err := closeStage(); err != nil {
		t.Fatal(err)
	}
	_, closeStage, err = second.openStage(t.Context(), "hpa", "web-surge", silent{})
	if err != nil {
		t.Fatalf("after the first lesson: %v", err)
	}
	if err := closeStage(); err != nil {
		t.Fatal(err)
	}
}
