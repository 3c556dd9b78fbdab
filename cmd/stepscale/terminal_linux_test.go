package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/sys/unix"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/view/viewtest"
)

// recorded is a lesson about a recording: it needs no cluster.
const recorded = "replay/01-rewind"

// sitting is a terminal of 80 by 24 with the program at it.
type sitting struct {
	t     *testing.T
	typed *os.File
	mode  *unix.Termios // of the terminal before the program
	cmd   *exec.Cmd
	ended chan struct{} // closed when the program has ended and all is read
	read  chan struct{} // closed when nobody reads what it writes any more
	away  atomic.Bool   // nobody is to read it

	mu    sync.Mutex
	shown bytes.Buffer
}

func sit(t *testing.T, argv ...string) *sitting {
	t.Helper()
	typed, seat := viewtest.Terminal(t, 80, 24)
	s := &sitting{t: t, typed: typed, cmd: command(shortDir(t), []string{"TERM=xterm-256color"}, argv...), ended: make(chan struct{}), read: make(chan struct{})}
	var err error
	if s.mode, err = unix.IoctlGetTermios(int(typed.Fd()), unix.TCGETS); err != nil {
		t.Fatal(err)
	}
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = seat, seat, seat
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(patient, func() { _ = s.cmd.Process.Kill() })
	go func() {
		defer close(s.read)
		for chunk := make([]byte, 1<<16); ; {
			n, err := typed.Read(chunk)
			s.mu.Lock()
			s.shown.Write(chunk[:n])
			s.mu.Unlock()
			if err != nil || s.away.Load() {
				return
			}
		}
	}()
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait()
		kill.Stop()
		time.Sleep(100 * time.Millisecond) // what is in the terminal yet: this side stays open
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.ended
		_ = seat.Close()
		_ = typed.Close()
		<-s.read
	})
	return s
}

// raw is all that was written to the terminal so far.
func (s *sitting) raw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

// written is the same without what moves the cursor, and without spaces: it skips those.
func written(raw string) string { return strings.Join(strings.Fields(ansi.Strip(raw)), "") }

// sees waits for a text, which it types keys for again and again.
func (s *sitting) sees(text, keys string) {
	s.t.Helper()
	for until := time.Now().Add(patient); !strings.Contains(written(s.raw()), text); {
		if _, err := s.typed.WriteString(keys); err != nil || time.Now().After(until) {
			s.t.Fatalf("no %q: %v\n%s", text, err, ansi.Strip(s.raw()))
		}
		select {
		case <-s.ended:
			s.t.Fatalf("it ended with %d before %q\n%s", s.cmd.ProcessState.ExitCode(), text, ansi.Strip(s.raw()))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// types types keys until the program has ended.
func (s *sitting) types(keys string) {
	for until := time.Now().Add(patient); time.Now().Before(until); {
		_, _ = s.typed.WriteString(keys)
		select {
		case <-s.ended:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// ends waits for the program's end; the terminal is then as it was.
func (s *sitting) ends(code int) {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patient / 2):
		s.t.Fatalf("it does not end\n%s", ansi.Strip(s.raw()))
	}
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d", got, code)
	}
	raw := s.raw()
	for on, off := range map[string]string{"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h"} {
		if at := strings.LastIndex(raw, on); at < 0 || strings.LastIndex(raw, off) < at {
			s.t.Errorf("%q is not taken back", on)
		}
	}
	mode, err := unix.IoctlGetTermios(int(s.typed.Fd()), unix.TCGETS)
	if err != nil || *mode != *s.mode {
		s.t.Errorf("the terminal is left as %+v, was %+v, %v", mode, s.mode, err)
	}
}

// TestLessonOnATerminal plays a lesson about a recording to its end, where there is no cluster
// to speak of.
func TestLessonOnATerminal(t *testing.T) {
	t.Parallel()
	s := sit(t, "learn", recorded)
	s.sees("Enter를누르시면끝냅니다.", "\r")
	if strings.Contains(written(s.raw()), "클러스터를정리") {
		t.Error("it speaks of a cluster")
	}
	s.types("\r") // what it said last is read first
	s.ends(0)
}

// TestSignalsOnATerminal: whatever ends the program, the shell finds its terminal as it was.
func TestSignalsOnATerminal(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*sitting){
		"ctrl-c":  func(s *sitting) { _, _ = s.typed.WriteString("\x03") },
		"SIGINT":  func(s *sitting) { _ = s.cmd.Process.Signal(syscall.SIGINT) },
		"SIGTERM": func(s *sitting) { _ = s.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGHUP":  func(s *sitting) { _ = s.cmd.Process.Signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sit(t, "learn", recorded)
			s.sees("Enter다음단계", "")
			end(s)
			s.ends(problem.ExitInterrupted)
		})
	}
}

// TestTerminalGoesAway: a window that is closed takes the program with it.
func TestTerminalGoesAway(t *testing.T) {
	t.Parallel()
	s := sit(t, "learn", recorded)
	s.sees("Enter다음단계", "")
	s.away.Store(true)
	_ = viewtest.Resize(s.typed, 100, 30) // who reads holds the terminal open, and leaves it with what is drawn now
	<-s.read
	_ = s.typed.Close()
	select {
	case <-s.ended:
	case <-time.After(patient / 2):
		t.Fatal("it does not end")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != problem.ExitInterrupted {
		t.Errorf("exit code %d, want %d", code, problem.ExitInterrupted)
	}
}
