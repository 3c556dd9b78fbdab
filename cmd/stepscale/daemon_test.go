package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// machine is a state directory, and the processes that work on it.
type machine struct {
	t     *testing.T
	state string
}

func newMachine(t *testing.T, name string) *machine {
	t.Helper()
	parent, err := os.MkdirTemp("", "step") // short: unix sockets live below it
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, state: filepath.Join(parent, name)}
	t.Cleanup(func() {
		_, _ = m.run("cluster", "down")
		for _, pid := range m.daemons() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		_ = os.RemoveAll(parent)
	})
	return m
}

func (m *machine) command(args ...string) *exec.Cmd {
	cmd := exec.Command("stepscale", args...)
	cmd.Env = append(os.Environ(), "STEPSCALE_STATE_DIR="+m.state, "NO_COLOR=1")
	return cmd
}

// run returns what was said, and the exit code.
func (m *machine) run(args ...string) (string, int) {
	cmd := m.command(args...)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

func (m *machine) ok(args ...string) string {
	m.t.Helper()
	said, code := m.run(args...)
	if code != 0 {
		m.t.Fatalf("stepscale %s ended with %d: %s", strings.Join(args, " "), code, said)
	}
	return said
}

// daemons are the processes that run a cluster in the background of this state directory.
func (m *machine) daemons() (pids []int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		m.t.Skip("processes cannot be listed here: ", err)
	}
	for _, e := range entries {
		var pid int
		if _, err := fmt.Sscan(e.Name(), &pid); err != nil {
			continue
		}
		argv, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		env, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if bytes.Contains(argv, []byte("\x00cluster\x00serve\x00")) && bytes.Contains(append([]byte{0}, env...), []byte("\x00STEPSCALE_STATE_DIR="+m.state+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
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

// clean fails where a process or a file is left that is not the log.
func (m *machine) clean() {
	m.t.Helper()
	if pids := m.daemons(); len(pids) > 0 {
		m.t.Errorf("processes %v are left", pids)
	}
	entries, _ := os.ReadDir(filepath.Join(m.state, "embedded"))
	for _, e := range entries {
		if e.Name() != "cluster.log" {
			m.t.Errorf("%s is left", e.Name())
		}
	}
}

func (m *machine) within(d time.Duration, what string, cond func() bool) {
	m.t.Helper()
	for end := time.Now().Add(d); !cond(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			m.t.Fatalf("not within %s: %s", d, what)
		}
	}
}

func TestManyUpsAtOnceMakeOneCluster(t *testing.T) {
	m := newMachine(t, "state")
	for _, n := range []int{2, 5} {
		var group sync.WaitGroup
		for range n {
			group.Go(func() {
				if said, code := m.run("cluster", "up"); code != 0 || !strings.Contains(said, "export KUBECONFIG=") {
					t.Errorf("cluster up ended with %d: %s", code, said)
				}
			})
		}
		group.Wait()
		if pids := m.daemons(); len(pids) != 1 {
			t.Errorf("%d at once made the processes %v, want one", n, pids)
		}
		if dirs, _ := filepath.Glob(filepath.Join(m.state, "embedded", "run-*")); len(dirs) != 1 {
			t.Errorf("run directories %v, want one", dirs)
		}
		m.ok("cluster", "down")
		m.clean()
	}
}

// TestKilledUp kills `cluster up` at any moment: what status says is true, and down ends
// what goes on.
func TestKilledUp(t *testing.T) {
	m := newMachine(t, "state")
	for round := range 4 {
		up := m.command("cluster", "up")
		if err := up.Start(); err != nil {
			t.Fatal(err)
		}
		after := time.Duration(rand.Int64N(int64(2 * time.Second)))
		if round == 0 {
			m.within(10*time.Second, "a daemon", func() bool { return len(m.daemons()) > 0 })
		} else {
			time.Sleep(after)
		}
		_ = up.Process.Kill()
		_ = up.Wait()
		alive := m.status().State != ""
		if alive {
			m.within(10*time.Second, "the daemon that status tells of", func() bool { return len(m.daemons()) > 0 })
		} else if pids := m.daemons(); len(pids) > 0 {
			t.Errorf("killed after %s: status tells of no cluster, and there are the processes %v", after, pids)
		}
		said := m.ok("cluster", "down")
		if alive != strings.Contains(said, "끄고 정리했습니다") {
			t.Errorf("killed after %s: there was a daemon: %t, down says %s", after, alive, said)
		}
		m.clean()
	}
}

// TestKilledDaemon kills the daemon at any moment: `cluster up` says so where it waits,
// and the next status sweeps.
func TestKilledDaemon(t *testing.T) {
	m := newMachine(t, "state")
	for round := range 3 {
		var said bytes.Buffer
		up := m.command("cluster", "up")
		up.Stdout, up.Stderr = io.Discard, &said
		if err := up.Start(); err != nil {
			t.Fatal(err)
		}
		m.within(10*time.Second, "a daemon", func() bool { return len(m.daemons()) > 0 })
		time.Sleep(time.Duration(rand.Int64N(int64(time.Duration(round)*500*time.Millisecond + 1))))
		for _, pid := range m.daemons() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err := up.Wait(); err != nil && !strings.Contains(said.String(), "신호 9(killed)") {
			t.Errorf("up does not tell how it ended: %s", said.String())
		}
		m.within(10*time.Second, "end of the daemon", func() bool { return len(m.daemons()) == 0 })
		if s := m.status(); s.State != "" || s.Running {
			t.Errorf("status of a killed daemon: %+v", s)
		}
		m.clean()
	}
}

// TestUpTellsTheDaemonsReason shows the end of what the daemon wrote.
func TestUpTellsTheDaemonsReason(t *testing.T) {
	m := newMachine(t, strings.Repeat("long", 30)) // no unix socket fits below it
	said, code := m.run("cluster", "up")
	if code != 1 || !strings.Contains(said, "cluster.log") || !strings.Contains(said, "기록의 끝") || !strings.Contains(said, "가장 긴 소켓의 경로") {
		t.Errorf("%d, %s", code, said)
	}
	m.clean()
}

// TestInterruptedUpLeavesNothing is Ctrl-C during the start.
func TestInterruptedUpLeavesNothing(t *testing.T) {
	m := newMachine(t, "state")
	up := m.command("cluster", "up")
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	m.within(20*time.Second, "a start", func() bool { return m.status().State == "starting" })
	_ = up.Process.Signal(os.Interrupt)
	if _ = up.Wait(); up.ProcessState.ExitCode() != 130 {
		t.Errorf("exit code %d, want 130", up.ProcessState.ExitCode())
	}
	m.clean()
}

// TestKubeconfigLineForTheShell has everything in its path that a shell looks at.
func TestKubeconfigLineForTheShell(t *testing.T) {
	m := newMachine(t, "it's `date` $(id) \"$HOME\" \\n")
	m.ok("cluster", "up")
	line := m.ok("cluster", "kubeconfig")
	want := m.status().Kubeconfig
	for _, shell := range []string{"sh", "bash", "zsh"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		for name, script := range map[string]string{
			"eval":   `eval "$1"; printf %s "$KUBECONFIG"`,
			"pasted": line + `printf %s "$KUBECONFIG"`,
		} {
			out, err := exec.Command(path, "-c", script, shell, line).CombinedOutput()
			if err != nil || string(out) != want {
				t.Errorf("%s, %s: %v, %q, want %q", shell, name, err, out, want)
			}
		}
	}
}

// OldControl is the control of the versions that spoke net/rpc.
type OldControl struct{ stop chan struct{} }

func (c *OldControl) Stop(struct{}, *struct{}) error { close(c.stop); return nil }

// TestDaemonOfAnOldVersion is told as such, and down stops it.
func TestDaemonOfAnOldVersion(t *testing.T) {
	m := newMachine(t, "state")
	if err := os.MkdirAll(filepath.Join(m.state, "embedded"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(m.state, "embedded", "cluster.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	old := &OldControl{stop: make(chan struct{})}
	server := rpc.NewServer()
	if err := server.RegisterName("Cluster", old); err != nil {
		t.Fatal(err)
	}
	go server.Accept(l)
	go func() {
		<-old.stop
		_ = l.Close()
	}()
	for _, args := range [][]string{{"cluster", "status"}, {"cluster", "up"}, {"cluster", "kubeconfig"}, {"run", "web-surge", "--for", "15s"}} {
		if said, code := m.run(args...); code != 1 || !strings.Contains(said, "다른 버전") || !strings.Contains(said, "cluster down") {
			t.Errorf("%v ended with %d: %s", args, code, said)
		}
	}
	m.ok("cluster", "down")
	select {
	case <-old.stop:
	default:
		t.Error("it was not stopped")
	}
	m.clean()
}
