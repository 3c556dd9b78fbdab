package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
)

const (
	reaperDone  = "done"
	reaperEvery = 15 * time.Second // the network may be what ended the lesson
	reaperFor   = 15 * time.Minute
	reaperEnds  = 5 * time.Second // it has nothing to do; less where the machine is not busy

	lockGoes  = 2 * time.Second // after the pipe of a process that was killed
	lockEvery = 200 * time.Millisecond
)

// reaper is a process that outlives this one: a lesson on somebody's cluster is
// removed, and its HPA armed again, also when we are killed.
type reaper struct {
	in    io.WriteCloser
	ended chan struct{}
}

// startReaper hands the target on, and never a credential, which the reaper takes from the
// environment as we do.
func startReaper(home state.Dir, t Target) (*reaper, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := home.Path()
	if err != nil {
		return nil, err
	}
	order, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "cluster", "reaper")
	cmd.Env = append(os.Environ(), state.Variable+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C and a closed terminal are not for it
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &reaper{in, make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(r.ended)
	}()
	_, err = in.Write(append(order, '\n'))
	return r, err
}

// leave tells the reaper whether everything was removed. Where it was not, the reaper
// goes on trying; where it was, it ends at once, and nothing of ours runs after us.
func (r *reaper) leave(removed bool) error {
	var err error
	if removed {
		_, err = io.WriteString(r.in, reaperDone+"\n")
	}
	if e := r.in.Close(); !errors.Is(e, os.ErrClosed) { // it may have ended already, which closes the pipe
		err = errors.Join(err, e)
	}
	if removed {
		select {
		case <-r.ended:
		case <-time.After(reaperEnds):
		}
	}
	return err
}

// ErrStateGone ends a reaper whose directory somebody has removed: it makes none again.
var ErrStateGone = errors.New("the state directory is gone")

// Reap is what the process does that was started to outlive a stage: it waits until in
// ends, and cleans unless it was told that there is nothing left. What goes wrong is left
// in a file: there is nobody to tell.
func Reap(ctx context.Context, in io.Reader, home state.Dir) error {
	said := bufio.NewScanner(in)
	var t Target
	if !said.Scan() {
		return said.Err()
	}
	if err := json.Unmarshal(said.Bytes(), &t); err != nil {
		return err
	}
	if said.Scan() && said.Text() == reaperDone {
		return nil
	}
	var last error
	err := wait.PollUntilContextTimeout(ctx, reaperEvery, reaperFor, true, func(ctx context.Context) (bool, error) {
		if !home.Exists() { // and with it the key: nothing can be proven to be ours
			return false, ErrStateGone
		}
		last = reap(ctx, home, t)
		if errors.Is(last, ErrPlaying) { // somebody with a reaper of their own
			last = nil
		}
		return last == nil, nil
	})
	if err == nil || errors.Is(err, ErrStateGone) {
		return err
	}
	err = errors.Join(err, last)
	if file, e := home.Path("reaper.log"); e == nil {
		_ = state.WriteAtomically(file, []byte(err.Error()+"\n"))
	}
	return err
}

// reap cleans. Who was killed loses the pipe first and the lock of the namespace a moment
// later: until then it looks as if somebody played there. Only that is waited for so long;
// the removal itself takes what it takes.
func reap(ctx context.Context, home state.Dir, t Target) (err error) {
	_ = wait.PollUntilContextTimeout(ctx, lockEvery, lockGoes, true, func(context.Context) (bool, error) {
		_, err = Clean(ctx, home, t, func(*Leftovers) error { return nil })
		return !errors.Is(err, ErrPlaying), nil
	})
	return err
}
