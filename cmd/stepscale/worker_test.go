package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stepscale/stepscale/cmd/stepscale/cli"
)

// A worker is a process that runs the program again and again, each time with the
// arguments, the environment and the folder of another call: a process of its own takes a
// quarter of a second of CPU to start, more than all else that a refusal costs. What a
// call breaks breaks its worker, and is told as the end of that call.
const asWorker = "STEPSCALE_TEST_WORKER"

// job is one call, and done how it ended.
type (
	job struct {
		Folder    string
		Env, Argv []string
		Screen    string // the file for what it writes
	}
	done struct {
		Code int
		CPU  time.Duration
	}
)

// program is what the test binary does under the name of the program.
func program() {
	if os.Getenv(asWorker) == "" {
		os.Exit(cli.Main())
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// work takes jobs from the standard input. What is said about them goes to the first file
// behind the standard ones.
func work() error {
	jobs, answers := json.NewDecoder(bufio.NewReader(os.NewFile(uintptr(dup(0)), "jobs"))), json.NewEncoder(os.NewFile(3, "answers"))
	unix.CloseOnExec(3)
	stdin, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	if err := unix.Dup2(int(stdin.Fd()), 0); err != nil {
		return err
	}
	if err := answers.Encode(done{}); err != nil { // it has started
		return err
	}
	for {
		var j job
		if err := jobs.Decode(&j); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		before := cpuTime()
		code, err := j.run()
		if err != nil {
			return err
		}
		if err := answers.Encode(done{code, cpuTime() - before}); err != nil {
			return err
		}
	}
}

func dup(fd int) int {
	to, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 4)
	if err != nil {
		panic(err)
	}
	return to
}

func (j job) run() (int, error) {
	screen, err := os.Create(j.Screen)
	if err != nil {
		return 0, err
	}
	defer screen.Close()
	os.Clearenv()
	for _, v := range j.Env {
		name, value, _ := strings.Cut(v, "=")
		if err := os.Setenv(name, value); err != nil {
			return 0, err
		}
	}
	os.Args = append([]string{"stepscale"}, j.Argv...)
	if err := errors.Join(os.Chdir(j.Folder), unix.Dup2(int(screen.Fd()), 1), unix.Dup2(int(screen.Fd()), 2)); err != nil {
		return 0, err
	}
	return cli.Main(), nil
}

func cpuTime() time.Duration {
	var self, children unix.Rusage
	_, _ = unix.Getrusage(unix.RUSAGE_SELF, &self), unix.Getrusage(unix.RUSAGE_CHILDREN, &children)
	return time.Duration(self.Utime.Nano() + self.Stime.Nano() + children.Utime.Nano() + children.Stime.Nano())
}

// worker is one from the outside.
type worker struct {
	cmd     *exec.Cmd
	jobs    *json.Encoder
	answers *json.Decoder
	screen  string
	close   func()
}

// workers are those that have nothing to do.
var workers = make(chan *worker, 16)

func newWorker() (*worker, error) {
	dir, err := os.MkdirTemp("", "worker")
	if err != nil {
		return nil, err
	}
	answers, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: exec.Command("stepscale"), answers: json.NewDecoder(answers), screen: filepath.Join(dir, "screen")}
	w.cmd.Env = []string{asWorker + "=1", "PATH=" + os.Getenv("PATH")}
	w.cmd.ExtraFiles = []*os.File{theirs}
	w.cmd.Stderr = os.Stderr
	in, err := w.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	w.jobs = json.NewEncoder(in)
	w.close = sync.OnceFunc(func() { _, _, _ = in.Close(), answers.Close(), os.RemoveAll(dir) })
	return w, errors.Join(w.cmd.Start(), theirs.Close(), w.answers.Decode(&done{}))
}

// callMany is call by a worker. Arguments and variables that are no UTF-8 do not survive
// the way to it.
func callMany(t testing.TB, within time.Duration, cmd *exec.Cmd) outcome {
	t.Helper()
	var w *worker
	var err error
	select {
	case w = <-workers:
	default:
		if w, err = newWorker(); err != nil {
			t.Fatal(err)
		}
	}
	o, goesOn := w.call(within, cmd)
	if goesOn {
		select {
		case workers <- w:
			return o
		default:
		}
	}
	w.end()
	return o
}

// call tells how the job ended, and whether the worker may go on.
func (w *worker) call(within time.Duration, cmd *exec.Cmd) (o outcome, goesOn bool) {
	var hung atomic.Bool
	interrupt := time.AfterFunc(within, func() { hung.Store(true); _ = w.cmd.Process.Signal(os.Interrupt) })
	kill := time.AfterFunc(within+more, func() { _ = w.cmd.Process.Kill() })
	ended, memory := make(chan struct{}), make(chan int64, 1)
	go func() { memory <- memoryOf(w.cmd.Process.Pid, ended) }()
	var d done
	err := w.jobs.Encode(job{cmd.Dir, cmd.Env, cmd.Args[1:], w.screen})
	if err == nil {
		err = w.answers.Decode(&d)
	}
	interrupt.Stop()
	kill.Stop()
	close(ended)
	screen, _ := os.ReadFile(w.screen)
	o = outcome{d.Code, string(screen), hung.Load(), d.CPU, <-memory}
	if err != nil { // it is gone: that is how the call ended
		_ = w.cmd.Wait()
		o.code = w.cmd.ProcessState.ExitCode()
		return o, false
	}
	return o, !hung.Load() && o.memory < mostMemory/2 // what this call took is not told of the next
}

func (w *worker) end() {
	w.close()
	kill := time.AfterFunc(more, func() { _ = w.cmd.Process.Kill() })
	_ = w.cmd.Wait()
	kill.Stop()
}

// endWorkers lets those go that have nothing to do.
func endWorkers() {
	for {
		select {
		case w := <-workers:
			w.end()
		default:
			return
		}
	}
}

// TestWorkerTellsWhatACallDoes: a call by a worker ends as one in a process of its own,
// and one that breaks it is told.
func TestWorkerTellsWhatACallDoes(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"version", "laern", "lessons", "check --lessons nothing", "run web-surge --for x"} {
		own, shared := call(t, mostTime, command(t.TempDir(), nil, words(line)...)), callMany(t, mostTime, command(t.TempDir(), nil, words(line)...))
		if own.code != shared.code || own.screen != shared.screen {
			t.Errorf("%s: exit code %d and %q, by a worker %d and %q", line, own.code, own.screen, shared.code, shared.screen)
		}
	}
	w, err := newWorker()
	if err != nil {
		t.Fatal(err)
	}
	defer w.end()
	_ = w.cmd.Process.Signal(syscall.SIGKILL)
	if o, goesOn := w.call(mostTime, command(t.TempDir(), nil, "version")); goesOn || len(o.faults()) == 0 {
		t.Errorf("a worker that was killed: %+v", o)
	}
}
