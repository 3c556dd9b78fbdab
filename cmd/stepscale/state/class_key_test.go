package state

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
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
	if err := errors.Join(err, there.Adopt(class, "u1", carried)); err != nil || class != "k8s" {
		t.Fatal(class, err)
	}
	keys, err := there.Adopted("k8s")
	if err != nil || len(keys) != 1 || !keys[0].Proves("Namespace", ns) || keys[0].Owner() != own.For("k8s").Owner() {
		t.Fatalf("brought here: %d, %v", len(keys), err)
	}
	got := keys[0]
	for _, other := range []string{"other", "k8", "k8s-2"} {
		if keys, err := there.Adopted(other); len(keys) > 0 || err != nil {
			t.Errorf("another class: %d, %v", len(keys), err)
		}
	}
	for name, s := range map[string]Signer{"this installation": own, "another class": own.For("other"), "another class of the carried": got.For("k8s")} {
		if s.Proves("Namespace", ns) || s.Owner() == got.Owner() {
			t.Errorf("the key of %s proves it", name)
		}
	}
	kept, err := there.Path(adoptedFolder, "k8s.u1.key")
	if info, statErr := os.Stat(kept); err != nil || statErr != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", err, statErr)
	}
	for range 2 {
		if err := there.Disown("k8s", "u1"); err != nil {
			t.Fatal(err)
		}
	}
	if keys, err := there.Adopted("k8s"); len(keys) > 0 || err != nil {
		t.Errorf("forgotten: %d, %v", len(keys), err)
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

// TestKeysOfOneName: classes of one name on several clusters have a key each, and none is lost
// when another one is brought or goes.
func TestKeysOfOneName(t *testing.T) {
	d := At(t.TempDir())
	owners := func() (all []string) {
		t.Helper()
		keys, err := d.Adopted("k8s")
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			all = append(all, k.Owner())
		}
		slices.Sort(all)
		return all
	}
	a, b := Signer{[]byte(strings.Repeat("a", keyBytes))}, Signer{[]byte(strings.Repeat("b", keyBytes))}
	old, err := d.Path(adoptedFolder, "k8s.key") // of a program before, which kept one
	raw, errRaw := a.Carry("k8s")
	if err := errors.Join(err, errRaw, WriteAtomically(old, raw), d.Adopt("k8s", "u1", b), d.Adopt("k8s", "u2", a), d.Adopt("k8s", "u2", a), d.Adopt("k8s-2", "u3", b)); err != nil {
		t.Fatal(err)
	}
	both := []string{a.Owner(), a.Owner(), b.Owner()}
	slices.Sort(both)
	if got := owners(); !slices.Equal(got, both) {
		t.Errorf("keys of %v, not of %v", got, both)
	}
	if err := d.Disown("k8s", "u2"); err != nil || !slices.Contains(owners(), b.Owner()) || len(owners()) != 2 {
		t.Errorf("%v, keys of %v", err, owners())
	}
	if err := d.Adopt("k8s", "../../u", a); err != nil || len(owners()) != 3 { // a UID is the API server's word
		t.Errorf("%v, keys of %v", err, owners())
	}
	if keys, err := Nowhere(errors.New("none")).Adopted("k8s"); len(keys) > 0 || err != nil {
		t.Errorf("who has no directory: %v", err)
	}
	broken, err := d.Path(adoptedFolder, "k8s.u9.key")
	if err := errors.Join(err, os.WriteFile(broken, raw[:20], 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Adopted("k8s"); !errors.Is(err, ErrNoClassKey) || !strings.Contains(err.Error(), "k8s.u9.key") {
		t.Errorf("a broken one: %v", err)
	}
	raw, err = a.Carry("prod") // a file that somebody has put there
	if err := errors.Join(err, WriteAtomically(broken, raw)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Adopted("k8s"); !errors.Is(err, ErrNoClassKey) {
		t.Errorf("another class's key: %v", err)
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
