package embedded

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStaleRunDirectoriesAreRemovedAndLiveOnesKept(t *testing.T) {
	base := t.TempDir()
	live, err := newRunDir(base)
	if err != nil {
		t.Fatal(err)
	}
	dead, err := newRunDir(base)
	if err != nil {
		t.Fatal(err)
	}
	if err := dead.lock.Close(); err != nil { // as when its process was killed
		t.Fatal(err)
	}
	other := filepath.Join(base, "mine")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	next, err := newRunDir(base)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{live.path: true, dead.path: false, next.path: true, other: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s exists: %v, want %v", path, err == nil, want)
		}
	}
	if err := next.remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(next.path); err == nil {
		t.Error("removed directory is still there")
	}
}

func TestRunDirectoryIsPrivate(t *testing.T) {
	d, err := newRunDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(d.path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("mode %o, want 700", got)
	}
}
