package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The requirements of a start.
const (
	OpenFiles  = "open files"  // descriptors that the process may have open
	FreeSpace  = "free space"  // bytes below the state directory
	SocketPath = "socket path" // bytes of the longest path of a unix socket
	Writable   = "writable"    // whether files can be made in the state directory
)

// Requirement is something that a start needs of this machine. One that is not
// met is the error of a start.
type Requirement struct {
	Name       string
	Path       string // that it is about; may be empty
	Have, Need uint64
	Err        error // why it is not met, or cannot be found out
}

// Met tells whether the machine has what is needed.
func (r *Requirement) Met() bool {
	if r.Name == SocketPath {
		return r.Err == nil && r.Have <= r.Need
	}
	return r.Err == nil && r.Have >= r.Need
}

func (r *Requirement) Error() string {
	if r.Err != nil {
		return r.Err.Error()
	}
	return fmt.Sprintf("%s: %d, needed: %d", r.Name, r.Have, r.Need)
}

func (r *Requirement) Unwrap() error { return r.Err }

const (
	// needFiles covers the 180 or so that a cluster has open, the 150 that etcd keeps
	// back from its clients, and a lesson. The Go runtime has raised the soft limit to
	// the hard one before main runs.
	needFiles = 400
	// needSpace is etcd's two write-ahead logs of 64 MB, which it sets aside at
	// once, and its store.
	needSpace = 192 << 20
)

// Requirements examines what a start with this directory for its clusters needs,
// and makes the directory. A start does the same.
func Requirements(dir string) []*Requirement {
	return []*Requirement{openFiles(), socketPath(dir), writable(dir), freeSpace(dir)}
}

func preflight(dir string) error {
	for _, r := range Requirements(dir) {
		if !r.Met() {
			return r
		}
	}
	return nil
}

// socketPath has the length of the longest path that is bound to a socket, and needs
// at most what the system has room for.
func socketPath(dir string) *Requirement {
	longest := filepath.Join(dir, runPrefix+strings.Repeat("0", len("4294967295")), etcdSocket) // os.MkdirTemp adds a uint32
	return &Requirement{Name: SocketPath, Path: dir, Have: uint64(len(longest)), Need: maxSocketPath}
}

func writable(dir string) *Requirement {
	r := &Requirement{Name: Writable, Path: dir}
	if r.Err = os.MkdirAll(dir, 0o700); r.Err != nil {
		return r
	}
	f, err := os.CreateTemp(dir, "probe-")
	if err != nil {
		r.Err = err
		return r
	}
	removed := os.Remove(f.Name()) // first: whoever is killed now leaves nothing
	_, err = f.WriteString("x")    // a full disk may well take an empty file
	r.Err = errors.Join(removed, err, f.Close())
	return r
}
