package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/stepscale/stepscale/clusters"
)

// LockNamespace locks a namespace of a cluster against the other processes of this
// installation: one that plays there is not disturbed, and one that was killed has
// left its lock. It reports false where somebody is.
func (d Dir) LockNamespace(cluster, namespace string) (held *os.File, free bool, err error) {
	dir, err := d.Path("namespaces")
	if err != nil {
		return nil, false, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, err
	}
	held, err = clusters.TryLock(filepath.Join(dir, FileName(cluster+"_"+namespace)))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, false, nil
	}
	return held, err == nil, err
}

// FileName is a name of a cluster or context as that of a file; an ARN may be one.
func FileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == ':' || r == os.PathSeparator || r == os.PathListSeparator {
			return '-'
		}
		return r
	}, name)
}
