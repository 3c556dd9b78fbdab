package state

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTemporaryFiles of a writer that was killed go with a later write; those of one
// that may still be writing stay, and so does what is not ours.
func TestTemporaryFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "progress.json")
	old, fresh, aside, backup, another := file+".tmp-1", file+".tmp-2", file+".broken-1", file+".tmp-backup", filepath.Join(filepath.Dir(file), "notes.tmp-1")
	long := time.Now().Add(-2 * temporaryFor)
	for _, name := range []string{old, fresh, aside, backup, another} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if name != fresh {
			if err := os.Chtimes(name, long, long); err != nil {
				t.Fatal(err)
			}
		}
	}
	pattern := filepath.Join(filepath.Dir(file), "*") // is a name like any other
	if err := errors.Join(WriteAtomically(file, []byte("{}")), WriteAtomically(pattern, nil)); err != nil {
		t.Fatal(err)
	}
	for name, stays := range map[string]bool{old: false, fresh: true, aside: true, backup: true, another: true, file: true} {
		if _, err := os.Stat(name); (err == nil) != stays {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
}
