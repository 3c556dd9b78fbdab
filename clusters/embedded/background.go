package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/rpc"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stepscale/stepscale/clusters"
)

const (
	// LockName is the file that the cluster in the background holds, with its process ID.
	LockName   = "cluster.lock"
	socketName = "cluster.sock"

	look        = 50 * time.Millisecond
	holderLooks = 40
	killWithin  = 5 * time.Second
)

// ErrTaken is returned to a second cluster in the background.
var ErrTaken = errors.New("a cluster runs in the background already")

// ErrSilent tells that there is a process that does not answer.
var ErrSilent = errors.New("the cluster in the background does not answer")

// Claim takes the lock of the cluster in the background, which is for one process and
// those that inherit it: who starts that cluster claims it first and hands the lock on,
// so that there is no moment at which a cluster begins that nobody sees. The error is
// ErrTaken, or ErrOtherVersion for one that runs without a lock.
func Claim(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o700); err != nil { // the socket has no mode of its own at first
		return nil, err
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	if answers(Socket(dir)) {
		return nil, errors.Join(ErrOtherVersion, giveLock(lock))
	}
	if err := os.Remove(Socket(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a killed process
		return nil, errors.Join(err, giveLock(lock))
	}
	return lock, nil
}

// HandOn writes down whose the lock is.
func HandOn(lock *os.File, pid int) error {
	_, err := lock.WriteAt(fmt.Appendln(nil, pid), 0)
	return err
}

// InBackground runs a cluster for other processes, with the lock that was claimed for
// it, until ctx is done or one of them asks to stop. Its socket is open from the
// beginning, so that a start can be watched and stopped; whoever gets the lock after it
// finds nothing left.
func InBackground(ctx context.Context, lock *os.File, opts Options, parse func([]byte) (Load, error)) (err error) {
	defer func() { err = errors.Join(err, giveLock(lock)) }()
	if err := HandOn(lock, os.Getpid()); err != nil { // again: who claimed it may have been killed
		return err
	}
	if err := preflight(opts.Dir); err != nil { // before the control socket, which needs the same
		return err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	control := &control{parse: parse, stop: stop}
	opts.Progress = control.phase
	control.cluster = New(opts)
	end, err := control.listen(serving, Socket(opts.Dir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if _, err := control.cluster.Up(serving); err != nil {
		if serving.Err() != nil && ctx.Err() == nil {
			return nil // asked to stop
		}
		return err
	}
	control.ready()
	<-serving.Done()
	control.drain()
	return control.cluster.Down(context.WithoutCancel(ctx))
}

// Socket is where the cluster in the background of a directory answers.
func Socket(dir string) string { return filepath.Join(dir, socketName) }

// Find asks the cluster in the background how it is. The error is ErrNotRunning when
// there is none, ErrOtherVersion, or ErrSilent.
func Find(ctx context.Context, dir string) (Status, error) {
	waiting, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	remote := NewRemote(Socket(dir))
	defer remote.client.CloseIdleConnections()
	for {
		status, err := remote.Status(waiting)
		if err == nil || errors.Is(err, ErrOtherVersion) {
			return status, err
		}
		if err := ctx.Err(); err != nil {
			return status, err
		}
		if _, err := holder(dir); err != nil {
			return status, err
		}
		if missing(Socket(dir)) {
			return Status{Protocol: protocol, State: Starting}, nil
		}
		select { // it is at its end, or hangs
		case <-time.After(look):
		case <-waiting.Done():
			return status, errors.Join(ErrSilent, ctx.Err())
		}
	}
}

// Ending is how a cluster in the background ended.
type Ending int

// Endings.
const (
	NoneRan Ending = iota
	Ended
	Killed
)

// Stop ends the cluster in the background, also one that is starting. One that has not
// ended within that time is killed.
func Stop(ctx context.Context, dir string, within time.Duration) (Ending, error) {
	pid, err := holder(dir)
	switch {
	case errors.Is(err, ErrNotRunning):
		return NoneRan, nil
	case errors.Is(err, ErrOtherVersion):
		return Ended, stopOld(ctx, dir, within)
	case err != nil:
		return NoneRan, err
	}
	remote := NewRemote(Socket(dir))
	defer remote.client.CloseIdleConnections()
	gone := func(ctx context.Context) bool {
		_ = remote.Stop(ctx) // again: it may have had no socket yet
		return ended(dir, pid)
	}
	if err := until(ctx, within, gone); !errors.Is(err, ErrSilent) {
		return Ended, err
	}
	if err := kill(dir, pid); err != nil {
		return Killed, err
	}
	return Killed, until(ctx, killWithin, func(context.Context) bool { return ended(dir, pid) })
}

// ended tells whether that process has given up the lock.
func ended(dir string, pid int) bool {
	now, err := holder(dir)
	if err != nil {
		return errors.Is(err, ErrNotRunning) || errors.Is(err, ErrOtherVersion)
	}
	return now != pid
}

// kill ends a process that holds the lock. The process is taken hold of first, so that
// it is not another one that has got the same ID since.
func kill(dir string, pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer p.Release()
	if ended(dir, pid) {
		return nil
	}
	return p.Kill()
}

// stopOld ends a cluster of a version that took no lock and spoke net/rpc.
func stopOld(ctx context.Context, dir string, within time.Duration) error {
	conn, err := net.DialTimeout("unix", Socket(dir), answerWithin)
	if err != nil {
		return nil // it has ended
	}
	client := rpc.NewClient(conn)
	defer client.Close()
	client.Go("Cluster.Stop", none{}, &none{}, make(chan *rpc.Call, 1)) // the answer may be lost with it
	return until(ctx, within, func(context.Context) bool { return !answers(Socket(dir)) })
}

// until polls; the error is ErrSilent when the time is over.
func until(ctx context.Context, within time.Duration, done func(context.Context) bool) error {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for !done(limited) {
		select {
		case <-time.After(look):
		case <-limited.Done():
			if err := ctx.Err(); err != nil {
				return err
			}
			return ErrSilent
		}
	}
	return nil
}

// holder returns the process ID of the cluster in the background. The error is
// ErrNotRunning, or ErrOtherVersion for one that answers and has no lock.
func holder(dir string) (int, error) {
	file, socket := filepath.Join(dir, LockName), Socket(dir)
	if missing(file) && missing(socket) {
		return 0, ErrNotRunning
	}
	for range holderLooks {
		lock, err := takeLock(dir)
		switch {
		case err == nil && answers(socket):
			return 0, errors.Join(ErrOtherVersion, giveLock(lock))
		case err == nil:
			return 0, errors.Join(ErrNotRunning, giveLock(lock))
		case !errors.Is(err, ErrTaken):
			return 0, err
		}
		b, _ := os.ReadFile(file)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			return pid, nil
		}
		time.Sleep(look) // it has not written it yet, or is one of us that only looks
	}
	return 0, ErrSilent
}

// takeLock empties the file: an ID in it is always that of who has the lock.
func takeLock(dir string) (*os.File, error) {
	lock, err := clusters.TryLock(filepath.Join(dir, LockName))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, ErrTaken
	}
	if err != nil {
		return nil, err
	}
	return lock, lock.Truncate(0)
}

// giveLock removes the file first: the lock of a file that is gone is nobody's.
func giveLock(lock *os.File) error { return errors.Join(os.Remove(lock.Name()), lock.Close()) }

// sweepSocket removes the socket of a process that was killed.
func sweepSocket(dir string) (bool, error) {
	lock, err := takeLock(dir)
	if errors.Is(err, ErrTaken) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer giveLock(lock)
	if missing(Socket(dir)) || answers(Socket(dir)) { // of an old version, which takes no lock
		return false, nil
	}
	err = os.Remove(Socket(dir))
	return err == nil, err
}

// answers tells whether somebody listens behind the socket.
func answers(socket string) bool {
	conn, err := net.DialTimeout("unix", socket, answerWithin)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

func missing(file string) bool {
	_, err := os.Lstat(file)
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
