package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stepscale/stepscale/clusters"
)

// runDir is the directory of one running cluster: keys, the etcd store, the
// kubeconfig. It is locked while the process lives, so that the next start can
// tell a directory that a killed process left behind, and removes it.
type runDir struct {
	path string
	lock *os.File
}

const (
	lockName  = "lock"
	runPrefix = "run-"
)

// newRunDir makes a fresh directory under base with mode 0700 and removes
// those of processes that are gone.
func newRunDir(base string) (*runDir, error) {
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, fmt.Errorf("state directory %s: %w", base, err)
	}
	if err := removeStale(base); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(base, runPrefix)
	if err != nil {
		return nil, fmt.Errorf("state directory %s: %w", base, err)
	}
	lock, err := clusters.TryLock(filepath.Join(path, lockName))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	_, err = fmt.Fprintln(lock, os.Getpid()) // for whoever wonders whose directory this is
	return &runDir{path: path, lock: lock}, err
}

func (d *runDir) file(name string) string { return filepath.Join(d.path, name) }

// remove deletes the directory and gives up the lock, in that order.
func (d *runDir) remove() error {
	return errors.Join(os.RemoveAll(d.path), d.lock.Close())
}

func removeStale(base string) error {
	entries, err := os.ReadDir(base)
	if err != nil {
		return fmt.Errorf("state directory %s: %w", base, err)
	}
	var errs []error
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), runPrefix) {
			continue
		}
		path := filepath.Join(base, e.Name())
		lock, err := clusters.TryLock(filepath.Join(path, lockName))
		if err != nil {
			continue // in use
		}
		errs = append(errs, os.RemoveAll(path), lock.Close())
	}
	return errors.Join(errs...)
}
