package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/embedded"
	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/scenarios"
)

const (
	clusterLog  = "cluster.log" // what the process in the background writes to its standard error
	logTail     = 10            // lines of it that are shown when it has died
	maxLogTail  = 64 << 10
	lockFD      = 3 // after the standard ones
	pollCluster = 50 * time.Millisecond
)

// newClusterServeCommand is what `cluster up` starts.
func newClusterServeCommand(d deps) *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "클러스터를 이 프로세스에서 켭니다", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := d.clusterDir()
			if err != nil {
				return err
			}
			lock, err := inherited(dir)
			if err != nil {
				return problem.Usage("이 명령은 stepscale cluster up이 실행합니다.", "stepscale cluster up을 실행해 주십시오.")
			}
			ctx, end := context.WithCancelCause(cmd.Context())
			defer end(nil)
			err = embedded.InBackground(ctx, lock, embedded.Options{Dir: dir, Failed: end}, parseLoad)
			switch {
			case ctx.Err() != nil && cmd.Context().Err() == nil: // it ended by itself
				return endedError(filepath.Dir(dir), context.Cause(ctx))
			case err != nil:
				return startError(dir, err)
			}
			return nil
		},
	}
}

// inherited is the lock that spawn hands on.
func inherited(dir string) (*os.File, error) {
	unix.CloseOnExec(lockFD)
	lock := os.NewFile(lockFD, filepath.Join(dir, embedded.LockName))
	_, err := lock.Stat()
	return lock, err
}

func parseLoad(raw []byte) (embedded.Load, error) {
	s, err := scenarios.Parse("scenario.yaml", raw)
	if err != nil {
		return nil, err
	}
	return lab.NewLoad(s), nil
}

// server is the process that `cluster up` started. It lives on without us.
type server struct {
	cmd   *exec.Cmd
	ended chan struct{}
	log   string
}

// spawn starts this program again as the server, in a session of its own. The lock is
// the server's from then on, and ends with it.
func spawn(dir string, lock *os.File) (*server, error) {
	defer lock.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{ended: make(chan struct{}), log: filepath.Join(dir, clusterLog), cmd: exec.Command(self, "cluster", "serve")}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, startError(dir, err)
	}
	defer log.Close()
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	s.cmd.Dir = "/"
	s.cmd.Env = append(os.Environ(), state.Variable+"="+filepath.Dir(dir)) // ours may be relative
	s.cmd.Stderr = log
	s.cmd.ExtraFiles = []*os.File{lock} // lockFD
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	_ = embedded.HandOn(lock, s.cmd.Process.Pid) // it writes it too, and says why it cannot
	return s, nil
}

func (s *server) alive() bool {
	if s == nil {
		return false
	}
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// stop ends a server that is not to be finished.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(stopWithin):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// failure says how the server ended, with the end of what it wrote.
func (s *server) failure() error {
	e := &problem.Error{What: "클러스터를 켜지 못했습니다", Where: s.log, Hint: "위 파일에 이유가 적혀 있습니다. stepscale doctor도 실행해 보십시오."}
	status, _ := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled():
		e.What = fmt.Sprintf("클러스터의 프로세스가 신호 %d(%s) 때문에 끝났습니다", status.Signal(), status.Signal())
		if status.Signal() == syscall.SIGKILL {
			e.Hint = "누가 강제로 끝냈거나, 메모리가 모자라 커널이 끝낸 것(OOM)입니다. 메모리를 확인하시고 다시 실행해 주십시오."
		}
	case status.ExitStatus() == problem.ExitOK:
		e.What, e.Where = "켜지는 동안 다른 곳에서 cluster down을 실행해 클러스터가 꺼졌습니다", ""
		e.Hint = "stepscale cluster up으로 다시 켤 수 있습니다."
	}
	if tail := s.tail(); tail != "" {
		e.Cause = errors.New("기록의 끝은 이렇습니다.\n" + tail)
	}
	return e
}

// tail is the end of what the server wrote, without what the API server's etcd client
// repeats there.
func (s *server) tail() string {
	b, err := os.ReadFile(s.log)
	if err != nil {
		return ""
	}
	b = b[max(0, len(b)-maxLogTail):]
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(b), "")), "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, `{"level":"warn"`) })
	return strings.Join(lines[max(0, len(lines)-logTail):], "\n")
}

// raising brings the cluster in the background up, or waits for somebody else who does.
type raising struct {
	dir     string
	phases  lab.Phases
	waiting func() // called once when it is somebody else's
	child   *server
	shown   int // phases
}

// up returns when the cluster is ready.
func (r *raising) up(ctx context.Context) (clusters.Info, error) {
	for {
		info, err := r.await(ctx)
		switch {
		case err == nil:
			return info, nil
		case ctx.Err() != nil:
			if r.child.alive() {
				r.child.stop()
				_, _ = embedded.Sweep(r.dir)
			}
			return info, ctx.Err()
		case !errors.Is(err, embedded.ErrNotRunning):
			return info, backgroundError(r.dir, err)
		case r.child != nil:
			return info, r.child.failure()
		}
		lock, err := embedded.Claim(r.dir)
		switch {
		case errors.Is(err, embedded.ErrTaken): // somebody was faster
			continue
		case err != nil:
			return info, backgroundError(r.dir, err)
		}
		if r.child, err = spawn(r.dir, lock); err != nil {
			return info, err
		}
	}
}

// await returns when the cluster is ready, or when there is none and ours has ended.
// The error is that of embedded.Find.
func (r *raising) await(ctx context.Context) (clusters.Info, error) {
	for {
		status, err := embedded.Find(ctx, r.dir)
		switch {
		case err == nil && status.State == embedded.Ready:
			if r.shown > 0 {
				r.show(status)
			}
			return *status.Info, nil
		case err == nil:
			r.show(status)
		case !errors.Is(err, embedded.ErrNotRunning) || !r.child.alive():
			return clusters.Info{}, err
		}
		select {
		case <-ctx.Done():
			return clusters.Info{}, ctx.Err()
		case <-time.After(pollCluster):
		}
	}
}

// show tells of the phases that are new. Another cluster than before has fewer.
func (r *raising) show(s embedded.Status) {
	if !r.child.alive() && r.waiting != nil {
		r.waiting()
		r.waiting = nil
	}
	if len(s.Phases) < r.shown {
		r.shown = 0
	}
	for _, p := range s.Phases[r.shown:] {
		r.phases.Phase(p.Name, p.Took)
	}
	r.shown = len(s.Phases)
}

// backgroundError says what is wrong with the process in the background.
func backgroundError(dir string, err error) error {
	var path *fs.PathError
	switch {
	case errors.As(err, &path):
		return startError(dir, err)
	case errors.Is(err, embedded.ErrOtherVersion):
		return &problem.Error{What: "다른 버전의 stepscale이 백그라운드에 켜 둔 클러스터입니다", Where: embedded.Socket(dir),
			Hint: "stepscale cluster down으로 끈 뒤 다시 실행해 주십시오."}
	case errors.Is(err, embedded.ErrSilent):
		return &problem.Error{What: "백그라운드 클러스터의 프로세스가 답하지 않습니다", Where: embedded.Socket(dir),
			Hint: "stepscale cluster down으로 끝낼 수 있습니다. 답하지 않아도 끝냅니다."}
	case errors.Is(err, embedded.ErrBusy):
		return &problem.Error{What: "백그라운드 클러스터를 다른 stepscale이 이미 쓰고 있습니다",
			Hint: "시간과 게이트는 하나뿐이어서 한 번에 한 수업만 쓸 수 있습니다. 다른 터미널의 수업을 마치고 다시 실행해 주십시오."}
	}
	return err
}
