package clusters

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// TryLock takes the lock of a file, which is made where it is not there. The lock ends
// with Close, or with the process. The error is syscall.EWOULDBLOCK where somebody else
// has it. Who has it may remove the file: the lock of a file that is gone is nobody's.
func TryLock(name string) (*os.File, error) {
	for {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		there, err := sameFile(f, name)
		if there {
			return f, nil
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
}

// sameFile tells whether f is still what the name leads to.
func sameFile(f *os.File, name string) (bool, error) {
	ours, err := f.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(ours, named), err
}
