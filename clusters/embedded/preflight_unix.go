//go:build unix

package embedded

import "golang.org/x/sys/unix"

// maxSocketPath is what fits into an address, before the byte that ends it.
const maxSocketPath = uint64(len(unix.RawSockaddrUnix{}.Path) - 1)

func openFiles() *Requirement {
	r := &Requirement{Name: OpenFiles, Need: needFiles}
	var limit unix.Rlimit
	r.Err = unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	r.Have = uint64(limit.Cur)
	return r
}

func freeSpace(dir string) *Requirement {
	r := &Requirement{Name: FreeSpace, Path: dir, Need: needSpace}
	var fs unix.Statfs_t
	r.Err = unix.Statfs(dir, &fs)
	r.Have = uint64(fs.Bavail) * uint64(fs.Bsize)
	return r
}
