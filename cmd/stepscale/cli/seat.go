package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/stepscale/stepscale/clusters"
)

// takeSeat locks a namespace of a cluster against the other processes of this
// installation: one that plays there is not disturbed, and one that was killed has
// left its lock. It reports false where somebody is.
func takeSeat(cluster, namespace string) (seat *os.File, free bool, err error) {
	dir, err := stateDir()
	if err != nil {
		return nil, false, err
	}
	dir = filepath.Join(dir, "seats")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, err
	}
	seat, err = clusters.TryLock(filepath.Join(dir, fileName(cluster+"_"+namespace)))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, false, nil
	}
	return seat, err == nil, err
}

// fileName is a name of a cluster or context as that of a file; an ARN may be one.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == ':' || r == os.PathSeparator || r == os.PathListSeparator {
			return '-'
		}
		return r
	}, name)
}
