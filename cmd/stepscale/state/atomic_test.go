package state

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTemporaryFiles of a writer that was killed go with a later write; those of one
// that may still be writing stay.
func TestTemporaryFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "progress.json")
	old, fresh, other := file+".tmp-1", file+".tmp-2", file+".broken-1"
	for _, name := range []string{old, fresh, other} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * temporaryFor)
	if err := errors.Join(os.Chtimes(old, long, long), os.Chtimes(other, long, long), WriteAtomically(file, []byte("{}"))); err != nil {
		t.Fatal(err)
	}
	for name, stays := range map[string]bool{old: false, fresh: true, other: true, file: true} {
		if _, err := os.Stat(name); (err == nil) != stays {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
}
