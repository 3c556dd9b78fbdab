package main

import (
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

func TestManyUpsAtOnceMakeOneCluster(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "state")
	for _, n := range []int{2, 5} {
		var group sync.WaitGroup
		for range n {
			group.Go(func() {
				if up := m.run("cluster", "up"); up.code != 0 || !strings.Contains(up.screen, "export KUBECONFIG=") {
					t.Errorf("cluster up ended with %d: %s", up.code, up.screen)
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

// TestKilledUp kills `cluster up` at any moment, and as soon as there is a daemon: what
// status says is true, and down ends what goes on.
func TestKilledUp(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "state")
	for round := range 3 {
		up := m.command("cluster", "up")
		if err := up.Start(); err != nil {
			t.Fatal(err)
		}
		after := time.Duration(rand.Int64N(int64(2 * time.Second)))
		if round == 0 {
			m.within(patient, "a daemon", func() bool { return len(m.daemons()) > 0 })
		} else {
			time.Sleep(after)
		}
		_ = up.Process.Kill()
		_ = up.Wait()
		m.within(patient, "what was about to become a daemon", func() bool { return len(m.running(" cluster up ")) == 0 }) // killed between fork and exec
		alive := m.status().State != ""
		if alive {
			m.within(patient, "the daemon that status tells of", func() bool { return len(m.daemons()) > 0 })
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
	t.Parallel()
	m := newMachine(t, "state")
	for round := range 3 {
		said := make(chan outcome, 1)
		go func() { said <- m.run("cluster", "up") }()
		m.within(patient, "a daemon", func() bool { return len(m.daemons()) > 0 })
		time.Sleep(time.Duration(rand.Int64N(int64(time.Duration(round)*500*time.Millisecond + 1))))
		for _, pid := range m.daemons() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if up := <-said; up.code != 0 && !strings.Contains(up.text(), "신호 9(killed)") {
			t.Errorf("up does not tell how it ended: %s", up.screen)
		}
		m.within(patient, "end of the daemon", func() bool { return len(m.daemons()) == 0 })
		if s := m.status(); s.State != "" || s.Running {
			t.Errorf("status of a killed daemon: %+v", s)
		}
		m.clean()
	}
}

// TestUpTellsTheDaemonsReason shows the end of what the daemon wrote.
func TestUpTellsTheDaemonsReason(t *testing.T) {
	t.Parallel()
	m := newMachine(t, strings.Repeat("long", 30)) // no unix socket fits below it
	up := m.run("cluster", "up")
	for _, word := range []string{"cluster.log", "기록의 끝", "가장 긴 소켓의 경로"} {
		if up.code != 1 || !strings.Contains(up.text(), word) {
			t.Errorf("exit code %d, no %s in %s", up.code, word, up.screen)
		}
	}
	m.clean()
}

// TestInterruptedUpLeavesNothing is Ctrl-C during the start.
func TestInterruptedUpLeavesNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "state")
	up := m.command("cluster", "up")
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	m.within(patient, "a start", func() bool { return m.status().State == "starting" })
	_ = up.Process.Signal(os.Interrupt)
	if _ = up.Wait(); up.ProcessState.ExitCode() != 130 {
		t.Errorf("exit code %d, want 130", up.ProcessState.ExitCode())
	}
	m.clean()
}

// TestKubeconfigLineForTheShell has everything in its path that a shell looks at.
func TestKubeconfigLineForTheShell(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
		if got := m.run(args...); got.code != 1 || !strings.Contains(got.text(), "다른 버전") || !strings.Contains(got.text(), "cluster down") {
			t.Errorf("%v ended with %d: %s", args, got.code, got.screen)
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
