package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestClassKey: a class's key proves what its class has signed, on another computer too, and
// nothing else; what is no key is refused.
func TestClassKey(t *testing.T) {
	dir := t.TempDir()
	own, err := At(filepath.Join(dir, "here")).Signer()
	if err != nil {
		t.Fatal(err)
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "k8s-s01"}}
	own.For("k8s").Sign("Namespace", ns)
	raw, err := own.For("k8s").Carry("k8s")
	file := filepath.Join(dir, "k8s.key")
	if err := errors.Join(err, WriteAtomically(file, raw)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), mustRead(t, filepath.Join(dir, "here", keyFile))[:20]) {
		t.Error("the installation's own key is carried")
	}
	class, carried, err := ReadClassKey(file)
	there := At(filepath.Join(dir, "there"))
	if err := errors.Join(err, there.Adopt(class, carried)); err != nil || class != "k8s" {
		t.Fatal(class, err)
	}
	got, is, err := there.Adopted("k8s")
	if err != nil || !is || !got.Proves("Namespace", ns) || got.Owner() != own.For("k8s").Owner() {
		t.Errorf("brought here: %t, %v", is, err)
	}
	if _, is, err := there.Adopted("other"); is || err != nil {
		t.Errorf("another class: %t, %v", is, err)
	}
	for name, s := range map[string]Signer{"this installation": own, "another class": own.For("other"), "another class of the carried": got.For("k8s")} {
		if s.Proves("Namespace", ns) || s.Owner() == got.Owner() {
			t.Errorf("the key of %s proves it", name)
		}
	}
	kept, err := there.Path(adoptedFolder, "k8s.key")
	if info, statErr := os.Stat(kept); err != nil || statErr != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", err, statErr)
	}
	for range 2 {
		if err := there.Disown("k8s"); err != nil {
			t.Fatal(err)
		}
	}
	if _, is, err := there.Adopted("k8s"); is || err != nil {
		t.Errorf("forgotten: %t, %v", is, err)
	}
	for _, text := range []string{"", "{}", `{"version":"stepscale.class-key/v1","class":"k8s","key":"00"}`, strings.Replace(string(raw), "k8s", "", 1), strings.Replace(string(raw), "/v1", "/v9", 1)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if class, _, err := ReadClassKey(file); !errors.Is(err, ErrNoClassKey) {
			t.Errorf("%q is the key of %q: %v", text, class, err)
		}
	}
}

func mustRead(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
