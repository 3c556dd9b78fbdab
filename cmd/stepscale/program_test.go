package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patient is how long something may take that takes no time: others use this machine too.
const patient = time.Minute

// more is how long a program that is interrupted may take to end, on a busy machine.
const more = 30 * time.Second

// outcome is how one call of the program ended.
type outcome struct {
	code   int // of the exit; -1 after a signal
	screen string
	hung   bool
	cpu    time.Duration
	memory int64
}

// command is the program as a user runs it, in a folder and with an environment of its
// own: nothing of this machine's is read.
func command(folder string, env []string, argv ...string) *exec.Cmd {
	cmd := exec.Command("stepscale", argv...)
	cmd.Dir = folder
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "STEPSCALE_STATE_DIR=" + filepath.Join(folder, "state"),
		"LANG=ko_KR.UTF-8", "NO_COLOR=1", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1"}, env...)
	return cmd
}

// call runs the program to its end, with a Ctrl-C when it has none in that time and
// then a kill.
func call(t testing.TB, within time.Duration, cmd *exec.Cmd) outcome {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = more
	if err := cmd.Start(); err != nil {
		t.Errorf("%q: %v", cmd.Args, err)
		return outcome{}
	}
	var hung atomic.Bool
	interrupt := time.AfterFunc(within, func() { hung.Store(true); _ = cmd.Process.Signal(os.Interrupt) })
	kill := time.AfterFunc(within+more, func() { _ = cmd.Process.Kill() })
	ended, memory := make(chan struct{}), make(chan int64, 1)
	go func() { memory <- memoryOf(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	close(ended)
	interrupt.Stop()
	kill.Stop()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !hung.Load() {
		t.Errorf("%q: %v", cmd.Args, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), hung.Load(), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), <-memory}
}

// memoryOf is the most that a process took until it ended. One that takes more than it
// may is killed, before it takes everything. (The rusage of a child begins with its
// parent's.)
func memoryOf(pid int, ended <-chan struct{}) (most int64) {
	for {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if _, after, ok := strings.Cut(string(text), "VmHWM:"); ok {
			var kilobytes int64
			_, _ = fmt.Sscan(after, &kilobytes)
			most = max(most, kilobytes<<10)
		}
		if most > mostMemory {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		select {
		case <-ended:
			return most
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// text is what was said, in one line: the screen breaks lines.
func (o outcome) text() string { return strings.Join(strings.Fields(o.screen), " ") }

// shortDir is a directory whose path leaves room for those of the sockets.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "step")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// machine is a learner's home and state directory, and the processes that work on them.
type machine struct {
	t             testing.TB
	folder, state string
}

func newMachine(t testing.TB, state string) *machine {
	t.Helper()
	folder := shortDir(t)
	m := &machine{t, folder, filepath.Join(folder, state)}
	t.Cleanup(func() {
		if len(processes(folder)) > 0 {
			_ = call(t, patient, m.command("cluster", "down"))
			endAll(folder)
		}
	})
	return m
}

func (m *machine) command(argv ...string) *exec.Cmd {
	return command(m.folder, []string{"STEPSCALE_STATE_DIR=" + m.state, "COLUMNS=120"}, argv...)
}

// run is a call that may take its time: a cluster may have to be started.
func (m *machine) run(argv ...string) outcome {
	m.t.Helper()
	return call(m.t, 3*patient, m.command(argv...))
}

// ok is what a call said that has to end well.
func (m *machine) ok(argv ...string) string {
	m.t.Helper()
	got := m.run(argv...)
	if faults := got.faults(); got.code != 0 || len(faults) > 0 {
		m.t.Fatalf("stepscale %s ended with %d: %s\n%s", strings.Join(argv, " "), got.code, strings.Join(faults, "; "), head(got.screen))
	}
	return got.screen
}

// status is what the command says.
func (m *machine) status() (s struct {
	Running    bool
	State      string
	Kubeconfig string
}) {
	m.t.Helper()
	said := m.ok("cluster", "status", "--output", "json")
	if err := json.Unmarshal([]byte(said), &s); err != nil {
		m.t.Fatalf("%v: %s", err, said)
	}
	return s
}

func (m *machine) within(d time.Duration, what string, cond func() bool) {
	m.t.Helper()
	for end := time.Now().Add(d); !cond(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			m.t.Fatalf("not within %s: %s", d, what)
		}
	}
}

// daemons are the processes that run a cluster in the background.
func (m *machine) daemons() []int { return m.running(" cluster serve ") }

// running are the processes of the machine that run a command.
func (m *machine) running(command string) (pids []int) {
	for _, pid := range processes(m.folder) {
		if strings.Contains(commandLine(pid), command) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// clean fails where a process is left, or a file that may not stay.
func (m *machine) clean() {
	m.t.Helper()
	for _, fault := range append(endAll(m.folder), leftovers(m.state)...) {
		m.t.Error(fault)
	}
}

// processes are those that have the folder in their environment.
func processes(folder string) (all []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if env, err := os.ReadFile(file); err == nil && pid != os.Getpid() && bytes.Contains(env, []byte(folder+"\x00")) {
			all = append(all, pid)
		}
	}
	return all
}

// commandLine is that of a process, with a space behind every word.
func commandLine(pid int) string {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
}

// endAll ends what a call has left behind, and tells of it.
func endAll(folder string) (faults []string) {
	for _, pid := range processes(folder) {
		faults = append(faults, fmt.Sprintf("it left a process: %q", commandLine(pid)))
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return faults
}

// kept is what may stay in a state directory: progress, logs, locks and their folders;
// and, until the next write, the half of a write that was killed. Of a cluster that is
// the log, and of sessions their recordings.
var kept = regexp.MustCompile(`^(\.|recordings(/[\w.-]+\.jsonl)?|embedded(/cluster\.log)?|namespaces(/[a-z-.]*lock)?|progress\.json(\.tmp-\d+)?|[a-z-.]*(lock|log))$`)

func leftovers(state string) (faults []string) {
	_ = filepath.WalkDir(state, func(path string, entry fs.DirEntry, err error) error {
		name, e := filepath.Rel(state, path)
		if err != nil || e != nil || kept.MatchString(name) {
			return nil
		}
		faults = append(faults, "left: "+name)
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	return faults
}
