package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/stepscale/stepscale/clusters"
)

// runDir is the directory of one running cluster: keys, the etcd store, the
// kubeconfig. It is locked while the process lives, so that everybody can tell a
// directory that a killed process left behind, and remove it.
type runDir struct {
	path string
	lock *os.File
}

const (
	lockName   = "lock"
	runPrefix  = "run-"
	deadPrefix = "dead-" // is being removed

	// KubeconfigLink is the name below the base under which a session may link its
	// kubeconfig, the same every time. Sweep removes it with what it leads to.
	KubeconfigLink = "kubeconfig"
)

// newRunDir makes a fresh directory under base with mode 0700 and removes
// those of processes that are gone.
func newRunDir(base string) (*runDir, error) {
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, fmt.Errorf("state directory %s: %w", base, err)
	}
	_, _ = Sweep(base) // what cannot be removed does not stand in the way; doctor tells it
	for {
		path, err := os.MkdirTemp(base, runPrefix)
		if err != nil {
			return nil, fmt.Errorf("state directory %s: %w", base, err)
		}
		lock, err := clusters.TryLock(filepath.Join(path, lockName))
		switch {
		case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, fs.ErrNotExist):
			continue // somebody swept it away before it was locked
		case err != nil:
			return nil, errors.Join(err, os.RemoveAll(path))
		}
		_, err = fmt.Fprintln(lock, os.Getpid()) // for whoever wonders whose directory this is
		return &runDir{path: path, lock: lock}, err
	}
}

func (d *runDir) file(name string) string { return filepath.Join(d.path, name) }

// remove deletes the directory and gives up the lock, in that order.
func (d *runDir) remove() error {
	return errors.Join(bury(d.path), d.lock.Close())
}

// bury renames the directory before it removes it: as long as it has its name its lock
// is in it, so that nobody takes a lock in what is being removed.
func bury(path string) error {
	dead := filepath.Join(filepath.Dir(path), deadPrefix+strings.TrimPrefix(filepath.Base(path), runPrefix))
	if err := os.Rename(path, dead); err != nil {
		return err
	}
	return os.RemoveAll(dead)
}

// Sweep removes what processes that are gone left behind under base, and returns the
// paths. Nobody's who lives is touched, not even one's who is just starting.
func Sweep(base string) (removed []string, err error) {
	entries, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	errs := []error{err}
	for _, e := range entries {
		path := filepath.Join(base, e.Name())
		gone := false
		switch {
		case e.IsDir() && strings.HasPrefix(e.Name(), runPrefix):
			gone, err = sweepRun(path)
		case e.IsDir() && strings.HasPrefix(e.Name(), deadPrefix): // somebody was killed while removing it
			gone, err = true, os.RemoveAll(path)
		case e.Name() == socketName, e.Name() == LockName:
			gone, err = sweepSocket(base)
		}
		errs = append(errs, err)
		if gone && err == nil {
			removed = append(removed, path)
		}
	}
	link := filepath.Join(base, KubeconfigLink)
	gone, err := sweepLink(link)
	if gone {
		removed = append(removed, link)
	}
	return removed, errors.Join(append(errs, err)...)
}

// sweepLink removes a link that leads to nothing any more.
func sweepLink(path string) (bool, error) {
	if _, err := os.Lstat(path); err != nil {
		return false, nil
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	err := os.Remove(path)
	return err == nil, err
}

// sweepRun removes the directory where nobody has its lock.
func sweepRun(path string) (bool, error) {
	lock, err := clusters.TryLock(filepath.Join(path, lockName))
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, fs.ErrNotExist) {
		return false, nil // in use, or swept by somebody else
	}
	if err != nil {
		return false, err
	}
	defer lock.Close()
	return true, bury(path)
}
