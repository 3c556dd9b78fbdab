package lines

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/cmd/stepscale/view/viewtest"
)

// learnerTypes makes this test binary the program whose lines are typed.
const learnerTypes = "STEPSCALE_TEST_LEARNER_TYPES"

func TestMain(m *testing.M) {
	if os.Getenv(learnerTypes) != "" {
		tellLines()
		return
	}
	os.Exit(m.Run())
}

// tellLines tells every line that it reads, until it is interrupted.
func tellLines() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	in := NewReader(os.Stdin, os.Stdout)
	for {
		line, err := in.Ask(ctx, view.New(os.Stdout), "다음>")
		if err != nil {
			fmt.Printf("\nended: %v\n", err)
			return
		}
		fmt.Printf("\nread: %q\n", line)
	}
}

// TestLineIsEdited types on a pseudo-terminal: over Hangul, with the arrow keys, and what
// was typed before. Whoever interrupts has the terminal back as it was.
func TestLineIsEdited(t *testing.T) {
	typed, seat := viewtest.Terminal(t, 80, 24)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), learnerTypes+"=1", "TERM=xterm", "NO_COLOR=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = seat, seat, seat
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // who may be interrupted from it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	_ = seat.Close()
	told := make(chan string, 100)
	go func() {
		defer close(told)
		for screen := bufio.NewScanner(typed); screen.Scan(); {
			if text := strings.TrimSpace(screen.Text()); strings.HasPrefix(text, "read: ") || strings.HasPrefix(text, "ended: ") {
				told <- text
			}
		}
	}()
	const left, up, home, backspace = "\x1b[D", "\x1b[A", "\x1b[H", "\x7f"
	for _, c := range []struct{ keys, want string }{
		{"가나다\r", `read: "가나다"`},
		{"가나다" + backspace + "라\r", `read: "가나라"`},
		{"확장" + backspace + backspace + "유지\r", `read: "유지"`},
		{"두개" + left + " " + home + "\r", `read: "두 개"`},
		{"축" + left + backspace + "단" + left + backspace + "\r", `read: "단축"`},
		{"\r", `read: ""`},
		{up + "\r", `read: "단축"`},
		{up + up + "\r", `read: "두 개"`},
		{"4\x03", "ended: context canceled"},
	} {
		await(t, told, typed, c.keys, c.want)
	}
	if raw(t, typed) {
		t.Error("the terminal is left raw")
	}
}

// raw tells whether the program, and not the terminal, makes lines of what is typed.
func raw(t *testing.T, terminal *os.File) bool {
	t.Helper()
	mode, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return mode.Lflag&(unix.ICANON|unix.ECHO) == 0
}

// await types as soon as the line can be edited, and waits for what the program makes of it.
func await(t *testing.T, told <-chan string, typed *os.File, keys, want string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !raw(t, typed); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("lines are not edited here")
		}
	}
	if _, err := typed.WriteString(keys); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-told:
		if got != want {
			t.Errorf("%q: %s, want %s", keys, got, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%q: no answer, want %s", keys, want)
	}
}
