package cli

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const upstreamLog = "upstream.log"

// ownStderr is a second handle on the standard error, so that our own messages
// still arrive there after divertStderr.
func ownStderr() *os.File {
	fd, err := unix.Dup(int(os.Stderr.Fd()))
	if err != nil {
		return os.Stderr
	}
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "stderr")
}

// divertStderr sends what upstream's libraries write to the standard error into
// a file. The API server's etcd client logs there whatever its level is set to
// (apiserver, storagebackend/factory/etcd3.go, etcdClientDebugLevel), in the
// middle of the learner's screen. When the file cannot be made, nothing changes.
func divertStderr(stateDir string) {
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		return
	}
	f, err := os.OpenFile(filepath.Join(stateDir, upstreamLog), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	_ = unix.Dup2(int(f.Fd()), int(os.Stderr.Fd()))
}
