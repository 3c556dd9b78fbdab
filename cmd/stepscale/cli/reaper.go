package cli

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

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/stepscale/stepscale/clusters/eks"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
)

// reaperOrder is what a reaper has to know: never a credential, which it takes from the
// environment as we do.
type reaperOrder struct {
	Attach    eks.Options
	Namespace string
}

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

func startReaper(state state.Dir, p target) (*reaper, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := state.Path()
	if err != nil {
		return nil, err
	}
	order, err := json.Marshal(reaperOrder{Attach: p.attach, Namespace: p.namespace})
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "cluster", "reaper")
	cmd.Env = append(os.Environ(), stateVariable+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C and a closed terminal are not for it
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	g := &reaper{in, make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(g.ended)
	}()
	_, err = in.Write(append(order, '\n'))
	return g, err
}

// leave tells the reaper whether everything was removed. Where it was not, the reaper
// goes on trying; where it was, it ends at once, and nothing of ours runs after us.
func (g *reaper) leave(removed bool) error {
	var err error
	if removed {
		_, err = io.WriteString(g.in, reaperDone+"\n")
	}
	if e := g.in.Close(); !errors.Is(e, os.ErrClosed) { // it may have ended already, which closes the pipe
		err = errors.Join(err, e)
	}
	if removed {
		select {
		case <-g.ended:
		case <-time.After(reaperEnds):
		}
	}
	return err
}

// errStateGone ends a reaper whose directory somebody has removed: it makes none again.
var errStateGone = errors.New("the state directory is gone")

// clusterReaper is what startReaper starts. What goes wrong is left in a file: there
// is nobody to tell.
func (a *app) clusterReaper() *cobra.Command {
	return &cobra.Command{
		Use: "reaper", Short: "남은 것을 지울 때를 기다립니다", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in := bufio.NewScanner(a.in)
			var order reaperOrder
			var last error
			if !in.Scan() {
				return in.Err()
			}
			if err := json.Unmarshal(in.Bytes(), &order); err != nil {
				return err
			}
			if in.Scan() && in.Text() == reaperDone {
				return nil
			}
			err := wait.PollUntilContextTimeout(cmd.Context(), reaperEvery, reaperFor, true, func(ctx context.Context) (bool, error) {
				if !a.state.Exists() { // and with it the key: nothing can be proven to be ours
					return false, errStateGone
				}
				last = a.reap(ctx, target{attach: order.Attach, namespace: order.Namespace})
				if errors.Is(last, errPlaying) { // somebody with a reaper of their own
					last = nil
				}
				return last == nil, nil
			})
			if err == nil || errors.Is(err, errStateGone) {
				return err
			}
			err = errors.Join(err, last)
			if file, e := a.state.Path("reaper.log"); e == nil {
				_ = state.WriteAtomically(file, []byte(err.Error()+"\n"))
			}
			return err
		},
	}
}

// reap cleans. Who was killed loses the pipe first and the lock of the namespace a moment
// later: until then it looks as if somebody played there.
func (a *app) reap(ctx context.Context, p target) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, lockEvery, lockGoes, true, func(ctx context.Context) (bool, error) {
		_, last = a.clean(ctx, p, nil)
		return !errors.Is(last, errPlaying), nil
	})
	if last == nil && !wait.Interrupted(err) {
		return err
	}
	return last
}
