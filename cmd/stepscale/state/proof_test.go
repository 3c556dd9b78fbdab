package state

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestProof: what somebody copies proves nothing of another object.
func TestProof(t *testing.T) {
	mine, err := At(t.TempDir()).Signer()
	if err != nil {
		t.Fatal(err)
	}
	signed := &metav1.ObjectMeta{Name: "web", Namespace: "shop", Annotations: map[string]string{"kept": "yes"}}
	mine.Sign("Deployment", signed)
	other := Signer{[]byte("somebody else's key")}
	for what, c := range map[string]struct {
		by   Signer
		kind string
		o    metav1.ObjectMeta
		want bool
	}{
		"ours":              {mine, "Deployment", *signed, true},
		"unsigned":          {mine, "Deployment", metav1.ObjectMeta{Name: "web", Namespace: "shop"}, false},
		"another key":       {other, "Deployment", *signed, false},
		"another kind":      {mine, "Service", *signed, false},
		"another name":      {mine, "Deployment", metav1.ObjectMeta{Name: "db", Namespace: "shop", Annotations: signed.Annotations}, false},
		"another namespace": {mine, "Deployment", metav1.ObjectMeta{Name: "web", Namespace: "prod", Annotations: signed.Annotations}, false},
		"a cluster of ours": {Signer{}, "Deployment", metav1.ObjectMeta{Name: "web"}, true},
	} {
		if got := c.by.Proves(c.kind, &c.o); got != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
	if signed.Annotations["kept"] != "yes" || len(mine.Owner()) != ownerLen || mine.Owner() == other.Owner() {
		t.Errorf("annotations %v, owners %s and %s", signed.Annotations, mine.Owner(), other.Owner())
	}
}

// TestKey: processes that begin at once have one key, which nobody else can read; one
// that is damaged is not replaced in silence.
func TestKey(t *testing.T) {
	dir := t.TempDir()
	owner := func() (string, error) {
		s, err := At(dir).Signer()
		return s.Owner(), err
	}
	owners := make([]string, 20)
	var all sync.WaitGroup
	for i := range owners {
		all.Go(func() { owners[i], _ = owner() })
	}
	all.Wait()
	for _, o := range owners {
		if o == "" || o != owners[0] {
			t.Fatalf("owners %q", owners)
		}
	}
	file := filepath.Join(dir, keyFile)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info.Mode(), err)
	}
	if files, err := filepath.Glob(file + "?*"); err != nil || len(files) > 0 {
		t.Errorf("left behind: %q, %v", files, err)
	}
	if err := os.WriteFile(file, []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := owner(); err == nil || !strings.Contains(err.Error(), "열쇠") {
		t.Errorf("a damaged key: %v", err)
	}
}
