package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// after lets commands of a shell come before the program.
func after(before string, cmd *exec.Cmd) *exec.Cmd {
	cmd.Args = append([]string{"sh", "-c", before + ` exec "$0" "$@"`}, cmd.Args...)
	cmd.Path, cmd.Err = "/bin/sh", nil
	return cmd
}

// refused checks that a start was refused with a reason and a hint, and left nothing.
func (m *machine) refused(got outcome, words ...string) {
	m.t.Helper()
	if got.code != 1 || got.hung {
		m.t.Errorf("exit code %d, want 1; it hung: %t", got.code, got.hung)
	}
	for _, word := range append(words, "오류:", "도움:") {
		if !strings.Contains(got.text(), word) {
			m.t.Errorf("no %q in %s", word, got.screen)
		}
	}
	for _, fault := range got.faults() {
		m.t.Error(fault)
	}
	m.clean()
}

// start is a run that has to be refused.
func (m *machine) start() outcome {
	m.t.Helper()
	return call(m.t, patient, m.command("run", "web-surge", "--for", "15s"))
}

func TestFewOpenFilesAreToldOrEnough(t *testing.T) {
	t.Parallel()
	for _, n := range []int{64, 128, 160, 256, 512, 1024} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "state")
			limit := fmt.Sprintf("ulimit -n %d;", n)
			doctor := call(t, patient, after(limit, m.command("doctor")))
			got := call(t, 3*patient, after(limit, m.command("run", "web-surge", "--for", "15s")))
			if n < 400 {
				m.refused(got, fmt.Sprintf("%d개까지", n), "ulimit -n")
				if doctor.code != 1 {
					t.Errorf("doctor ends with %d, want 1", doctor.code)
				}
				return
			}
			if got.code != 0 || doctor.code != 0 {
				t.Errorf("exit code %d, of doctor %d: %s", got.code, doctor.code, got.screen)
			}
			m.clean()
		})
	}
}

// TestLowSoftLimitIsRaised: only the hard limit keeps a lesson from starting.
func TestLowSoftLimitIsRaised(t *testing.T) {
	t.Parallel()
	got := call(t, patient, after("ulimit -Sn 64;", newMachine(t, "state").command("doctor")))
	if got.code != 0 {
		t.Errorf("exit code %d: %s", got.code, got.screen)
	}
}

func TestLongStateDirectoryIsTold(t *testing.T) {
	t.Parallel()
	m := newMachine(t, strings.Repeat("x", 90))
	m.refused(m.start(), "가장 긴 소켓의 경로", "STEPSCALE_STATE_DIR")
}

func TestStateDirectoryBelowAFileIsTold(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "file/state")
	if err := os.WriteFile(filepath.Dir(m.state), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m.refused(m.start(), "상태 디렉터리에 쓸 수 없습니다", "STEPSCALE_STATE_DIR")
}

// running is the program with a lesson that goes on until something ends it.
type running struct {
	cmd    *exec.Cmd
	screen string // a file
}

// startRun returns when the scenario is on the cluster.
func (m *machine) startRun(scenario string) running {
	m.t.Helper()
	r := running{m.command("run", scenario, "--for", "20h"), filepath.Join(m.folder, "screen")}
	screen, err := os.Create(r.screen)
	if err != nil {
		m.t.Fatal(err)
	}
	defer screen.Close()
	r.cmd.Stderr = screen
	if err := r.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.await(r, "시나리오 "+scenario+" 준비됨")
	return r
}

// await polls the screen, which is a file: nothing tells when it has changed.
func (m *machine) await(r running, word string) (screen string) {
	m.t.Helper()
	for deadline := time.Now().Add(3 * patient); ; time.Sleep(50 * time.Millisecond) {
		text, err := os.ReadFile(r.screen)
		if err != nil {
			m.t.Fatal(err)
		}
		if screen = string(text); strings.Contains(screen, word) {
			return screen
		}
		if time.Now().After(deadline) {
			_ = r.cmd.Process.Kill()
			m.t.Fatalf("no %q on the screen: %s", word, screen)
		}
	}
}

// end waits for its end, and is what it said.
func (m *machine) end(r running, word string) outcome {
	m.t.Helper()
	kill := time.AfterFunc(2*patient, func() { _ = r.cmd.Process.Kill() })
	err := r.cmd.Wait()
	hung := !kill.Stop()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Fatal(err)
	}
	return outcome{code: r.cmd.ProcessState.ExitCode(), screen: m.await(r, word), hung: hung}
}

// TestCrashIsTold lets the Go runtime crash as a fault of its own would.
func TestCrashIsTold(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "state")
	r := m.startRun("web-surge")
	if err := r.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	got := m.end(r, "자세한 기록") // the last line of what is told
	if got.code == 0 {
		t.Error("a crash ends with 0")
	}
	log := filepath.Join(m.state, "upstream.log")
	for _, word := range []string{"갑자기 끝났습니다: SIGQUIT", log} {
		if !strings.Contains(got.screen, word) {
			t.Errorf("no %q in %s", word, got.screen)
		}
	}
	if strings.Contains(got.screen, "goroutine") {
		t.Errorf("a stack trace on the screen: %s", got.screen)
	}
	if kept, err := os.ReadFile(log); err != nil || !bytes.Contains(kept, []byte("goroutine ")) {
		t.Errorf("the log keeps no trace: %v", err)
	}
}
