package clusters

import (
	"errors"
	"os"
	"syscall"
)

// TryLock takes the lock of a file, which is made where it is not there. The lock ends
// with Close, or with the process. The error tells that somebody else has it.
func TryLock(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
