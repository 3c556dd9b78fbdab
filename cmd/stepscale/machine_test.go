package main

import (
	"bytes"
	"context"
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

// endsWithin is how long a start that cannot work may take to say so. The checks need
// none of it; a machine that is busy does.
const endsWithin = 30 * time.Second

// runEnd is how a run of the program ended.
type runEnd struct {
	code   int
	stderr string
}

// stepscale runs the program with a state directory, after the commands of a shell.
func stepscale(t *testing.T, state, before string, limit time.Duration, argv ...string) runEnd {
	t.Helper()
	cmd := inShell(t.Context(), state, before, argv...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	begin := time.Now()
	err := cmd.Run()
	if took := time.Since(begin); took > limit {
		t.Errorf("it took %s, at most %s", took, limit)
	}
	return runEnd{exitCode(t, err), stderr.String()}
}

func inShell(ctx context.Context, state, before string, argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", before + ` exec stepscale "$@"`, "sh"}, argv...)...)
	cmd.Env = append(os.Environ(), "STEPSCALE_STATE_DIR="+state, "NO_COLOR=1", "LANG=ko_KR.UTF-8", "COLUMNS=1000")
	return cmd
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

// refused checks that a start was refused with a reason and a hint, and left nothing.
func refused(t *testing.T, got runEnd, state string, words ...string) {
	t.Helper()
	if got.code != 1 {
		t.Errorf("exit code %d, want 1", got.code)
	}
	text := strings.Join(strings.Fields(got.stderr), " ") // the screen breaks lines
	for _, word := range append(words, "오류:", "도움:") {
		if !strings.Contains(text, word) {
			t.Errorf("no %q in %s", word, got.stderr)
		}
	}
	for _, never := range []string{"panic", "goroutine"} {
		if strings.Contains(text, never) {
			t.Errorf("%q in %s", never, got.stderr)
		}
	}
	nothingLeft(t, state)
}

func nothingLeft(t *testing.T, state string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(state, "embedded", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// shortDir is a directory whose path leaves room for those of the sockets.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "step")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestFewOpenFilesAreToldOrEnough(t *testing.T) {
	for _, n := range []int{64, 128, 160, 256, 512, 1024} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			state := shortDir(t)
			limit := fmt.Sprintf("ulimit -n %d;", n)
			doctor := stepscale(t, state, limit, endsWithin, "doctor")
			if n < 400 {
				got := stepscale(t, state, limit, endsWithin, "run", "web-surge", "--for", "15s")
				refused(t, got, state, fmt.Sprintf("%d개까지", n), "ulimit -n")
				if doctor.code != 1 {
					t.Errorf("doctor ends with %d, want 1", doctor.code)
				}
				return
			}
			got := stepscale(t, state, limit, 3*time.Minute, "run", "web-surge", "--for", "15s")
			if got.code != 0 || doctor.code != 0 {
				t.Errorf("exit code %d, of doctor %d: %s", got.code, doctor.code, got.stderr)
			}
			nothingLeft(t, state)
		})
	}
}

// TestLowSoftLimitIsRaised: only the hard limit keeps a lesson from starting.
func TestLowSoftLimitIsRaised(t *testing.T) {
	got := stepscale(t, shortDir(t), "ulimit -Sn 64;", endsWithin, "doctor")
	if got.code != 0 {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
}

func TestLongStateDirectoryIsTold(t *testing.T) {
	state := filepath.Join(shortDir(t), strings.Repeat("x", 90))
	got := stepscale(t, state, "", endsWithin, "run", "web-surge", "--for", "15s")
	refused(t, got, state, "가장 긴 소켓의 경로", "STEPSCALE_STATE_DIR")
}

func TestStateDirectoryBelowAFileIsTold(t *testing.T) {
	file := filepath.Join(shortDir(t), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(file, "state")
	got := stepscale(t, state, "", endsWithin, "run", "web-surge", "--for", "15s")
	refused(t, got, state, "상태 디렉터리에 쓸 수 없습니다", "STEPSCALE_STATE_DIR")
}

// running is the program with a lesson that goes on until something ends it.
type running struct {
	cmd    *exec.Cmd
	stderr *os.File
}

// startRun returns when the scenario is on the cluster.
func startRun(t *testing.T, state string) running {
	t.Helper()
	stderr, err := os.Create(filepath.Join(shortDir(t), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stderr.Close() })
	r := running{inShell(t.Context(), state, "", "run", "web-surge", "--for", "20h"), stderr}
	r.cmd.Stderr = stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.await(t, "시나리오 web-surge 준비됨", 3*time.Minute)
	return r
}

// await polls the screen, which is a file: nothing tells when it has changed.
func (r running) await(t *testing.T, word string, limit time.Duration) string {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		screen, err := os.ReadFile(r.stderr.Name())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(screen), word) {
			return string(screen)
		}
		if time.Now().After(deadline) {
			_ = r.cmd.Process.Kill()
			t.Fatalf("no %q within %s: %s", word, limit, screen)
		}
	}
}

// TestCrashIsTold lets the Go runtime crash as a fault of its own would.
func TestCrashIsTold(t *testing.T) {
	state := shortDir(t)
	r := startRun(t, state)
	if err := r.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(t, r.cmd.Wait()); code == 0 {
		t.Error("a crash ends with 0")
	}
	log := filepath.Join(state, "upstream.log")
	screen := r.await(t, "자세한 기록", endsWithin) // the last line of what is told
	for _, word := range []string{"갑자기 끝났습니다: SIGQUIT", log} {
		if !strings.Contains(screen, word) {
			t.Errorf("no %q in %s", word, screen)
		}
	}
	if strings.Contains(screen, "goroutine") {
		t.Errorf("a stack trace on the screen: %s", screen)
	}
	if kept, err := os.ReadFile(log); err != nil || !bytes.Contains(kept, []byte("goroutine ")) {
		t.Errorf("the log keeps no trace: %v", err)
	}
}
