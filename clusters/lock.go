package clusters

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// TryLock takes the lock of a file, which is made where it is not there. The lock ends
// with Close, or with the process. The error is syscall.EWOULDBLOCK where somebody else
// has it. Who has it may remove the file: the lock of a file that is gone is nobody's.
func TryLock(name string) (*os.File, error) {
	return lock(context.Background(), name, syscall.LOCK_EX|syscall.LOCK_NB)
}

// Lock waits for its turn, in which the system keeps an order, and for no longer than the
// context.
func Lock(ctx context.Context, name string) (*os.File, error) {
	type result struct {
		held *os.File
		err  error
	}
	got := make(chan result)
	go func() {
		held, err := lock(ctx, name, syscall.LOCK_EX)
		select {
		case got <- result{held, err}:
		case <-ctx.Done(): // nobody waits for it any more
			if err == nil {
				_ = held.Close()
			}
		}
	}()
	select {
	case r := <-got:
		return r.held, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func lock(ctx context.Context, name string, how int) (*os.File, error) {
	for {
		if err := ctx.Err(); err != nil { // a file is made for somebody only
			return nil, err
		}
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), how); err != nil {
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
