package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
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

// TestSweepNeverTakesAFreshDirectory lets many sweep while others start.
func TestSweepNeverTakesAFreshDirectory(t *testing.T) {
	base := t.TempDir()
	done := make(chan struct{})
	var sweepers, starters sync.WaitGroup
	for range 4 {
		sweepers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if removed, err := Sweep(base); err != nil || len(removed) > 0 && filepath.Dir(removed[0]) != base {
					t.Errorf("swept %v, %v", removed, err)
				}
			}
		})
	}
	for range 4 {
		starters.Go(func() {
			for range 100 {
				d, err := newRunDir(base)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(d.file(lockName)); err != nil {
					t.Errorf("swept under a living process: %v", err)
				}
				if err := d.remove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	starters.Wait()
	close(done)
	sweepers.Wait()
	if _, err := Sweep(base); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(base); len(entries) > 0 {
		t.Errorf("left: %v", entries)
	}
}

func TestSweepTellsWhatItRemoved(t *testing.T) {
	base := t.TempDir()
	if removed, err := Sweep(filepath.Join(base, "nothing")); err != nil || len(removed) > 0 {
		t.Errorf("of no directory: %v, %v", removed, err)
	}
	d, err := newRunDir(base)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.lock.Close(); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(base, deadPrefix+"1") // of a sweeper that was killed
	if err := os.MkdirAll(filepath.Join(half, "etcd"), 0o700); err != nil {
		t.Fatal(err)
	}
	removed, err := Sweep(base)
	if err != nil || len(removed) != 2 || removed[0] != half || removed[1] != d.path {
		t.Errorf("removed %v, %v; want %s and %s", removed, err, half, d.path)
	}
}

// TestSweepLink: the link to a kubeconfig goes with what it leads to, and not before.
func TestSweepLink(t *testing.T) {
	base := t.TempDir()
	file, link := filepath.Join(base, "there"), filepath.Join(base, KubeconfigLink)
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	if removed, err := Sweep(base); err != nil || len(removed) > 0 {
		t.Errorf("in use: removed %q, %v", removed, err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if removed, err := Sweep(base); err != nil || len(removed) != 1 || removed[0] != link {
		t.Errorf("leads to nothing: removed %q, %v", removed, err)
	}
	if _, err := os.Lstat(link); err == nil {
		t.Error("the link is left")
	}
}
