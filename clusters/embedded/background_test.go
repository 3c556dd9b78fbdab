package embedded_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stepscale/stepscale/clusters/embedded"
)

// hangingDir names the state directory to a process that is to hang.
const hangingDir = "TEST_HANGING"

// hang has the lock and the socket, and answers nothing.
func hang(dir string) int {
	lock, err := embedded.Claim(dir)
	if err == nil {
		err = embedded.HandOn(lock, os.Getpid())
	}
	if err == nil {
		_, err = net.Listen("unix", embedded.Socket(dir))
	}
	fmt.Println("hanging", err)
	select {} // with a listener there is always something to wait for
}

func startHanging(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), hangingDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "hanging <nil>\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return cmd
}

// TestStopKillsWhatDoesNotEnd and nothing else.
func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	dir, err := os.MkdirTemp("", "hang")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cmd := startHanging(t, dir)
	if _, err := embedded.Find(t.Context(), dir); !errors.Is(err, embedded.ErrSilent) {
		t.Errorf("find says %v, want ErrSilent", err)
	}
	if _, err := embedded.Claim(dir); !errors.Is(err, embedded.ErrTaken) {
		t.Errorf("claim says %v, want ErrTaken", err)
	}
	if ending, err := embedded.Stop(t.Context(), dir, 200*time.Millisecond); err != nil || ending != embedded.Killed {
		t.Fatalf("stop says %v, %v, want that it was killed", ending, err)
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
	if ending, err := embedded.Stop(t.Context(), dir, time.Second); err != nil || ending != embedded.NoneRan {
		t.Errorf("a second stop says %v, %v, want that nothing ran", ending, err)
	}
	if removed, err := embedded.Sweep(dir); err != nil || len(removed) != 1 || removed[0] != embedded.Socket(dir) {
		t.Errorf("swept %v, %v, want the socket", removed, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("left: %v", entries)
	}
}

// TestStaleIDIsNotKilled: the file of a process that was killed names one that may be
// somebody else's by now, here our own.
func TestStaleIDIsNotKilled(t *testing.T) {
	dir := t.TempDir()
	lock, err := embedded.Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(embedded.HandOn(lock, os.Getpid()), lock.Close()); err != nil {
		t.Fatal(err)
	}
	if ending, err := embedded.Stop(t.Context(), dir, time.Second); err != nil || ending != embedded.NoneRan {
		t.Errorf("stop says %v, %v, want that nothing ran", ending, err)
	}
	if _, err := embedded.Find(t.Context(), dir); !errors.Is(err, embedded.ErrNotRunning) {
		t.Errorf("find says %v, want ErrNotRunning", err)
	}
}
