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

// guarded is what a guard has to know: never a credential, which it takes from the
// environment as we do.
type guarded struct {
	Attach    eks.Options
	Namespace string
}

const (
	guardDone  = "done"
	guardEvery = 15 * time.Second // the network may be what ended the lesson
	guardFor   = 15 * time.Minute
	guardEnds  = 5 * time.Second // it has nothing to do; less where the machine is not busy
)

// guard is a process that outlives this one: a lesson on somebody's cluster is
// removed, and its HPA armed again, also when we are killed.
type guard struct {
	in    io.WriteCloser
	ended chan struct{}
}

func startGuard(state state.Dir, p place) (*guard, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := state.Path()
	if err != nil {
		return nil, err
	}
	order, err := json.Marshal(guarded{Attach: p.attach, Namespace: p.namespace})
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "cluster", "guard")
	cmd.Env = append(os.Environ(), stateVariable+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C and a closed terminal are not for it
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	g := &guard{in, make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(g.ended)
	}()
	_, err = in.Write(append(order, '\n'))
	return g, err
}

// leave tells the guard whether everything was removed. Where it was not, the guard
// goes on trying; where it was, it ends at once, and nothing of ours runs after us.
func (g *guard) leave(removed bool) error {
	var err error
	if removed {
		_, err = io.WriteString(g.in, guardDone+"\n")
	}
	if e := g.in.Close(); !errors.Is(e, os.ErrClosed) { // it may have ended already, which closes the pipe
		err = errors.Join(err, e)
	}
	if removed {
		select {
		case <-g.ended:
		case <-time.After(guardEnds):
		}
	}
	return err
}

// errStateGone ends a guard whose directory somebody has removed: it makes none again.
var errStateGone = errors.New("the state directory is gone")

// clusterGuard is what startGuard starts. What goes wrong is left in a file: there
// is nobody to tell.
func (a *app) clusterGuard() *cobra.Command {
	return &cobra.Command{
		Use: "guard", Short: "남은 것을 지울 때를 기다립니다", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in := bufio.NewScanner(a.in)
			var order guarded
			var last error
			if !in.Scan() {
				return in.Err()
			}
			if err := json.Unmarshal(in.Bytes(), &order); err != nil {
				return err
			}
			if in.Scan() && in.Text() == guardDone {
				return nil
			}
			err := wait.PollUntilContextTimeout(cmd.Context(), guardEvery, guardFor, true, func(ctx context.Context) (bool, error) {
				if !a.state.Exists() { // and with it the key: nothing can be proven to be ours
					return false, errStateGone
				}
				_, last = a.clean(ctx, place{attach: order.Attach, namespace: order.Namespace}, nil)
				if errors.Is(last, errPlaying) { // somebody with a guard of their own
					last = nil
				}
				return last == nil, nil
			})
			if err == nil || errors.Is(err, errStateGone) {
				return err
			}
			err = errors.Join(err, last)
			if file, e := a.state.Path("guard.log"); e == nil {
				_ = state.WriteAtomically(file, []byte(err.Error()+"\n"))
			}
			return err
		},
	}
}
