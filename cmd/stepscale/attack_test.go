package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// What one call of the program may cost, whatever it was given.
const (
	mostCPU    = 5 * time.Second
	mostOutput = 100 << 10
	mostMemory = 768 << 20        // the program itself takes 170 MB
	mostTime   = 20 * time.Second // of the wall: others use this machine too
)

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
func command(ctx context.Context, folder string, env []string, argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "stepscale", argv...)
	cmd.Dir = folder
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "STEPSCALE_STATE_DIR=" + filepath.Join(folder, "state"),
		"LANG=ko_KR.UTF-8", "NO_COLOR=1", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1"}, env...)
	return cmd
}

// call runs the program to its end, with a Ctrl-C when it has none in that time and
// then a kill.
func call(t *testing.T, within time.Duration, folder string, env []string, argv ...string) outcome {
	ctx, stop := context.WithTimeout(t.Context(), within)
	defer stop()
	cmd := command(ctx, folder, env, argv...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second // of a busy machine
	if err := cmd.Start(); err != nil {
		t.Errorf("%q: %v", argv, err)
		return outcome{}
	}
	ended, memory := make(chan struct{}), make(chan int64, 1)
	go func() { memory <- memoryOf(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	close(ended)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
		t.Errorf("%q: %v", argv, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), ctx.Err() != nil, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), <-memory}
}

// goWords are those of a program that broke, and rawWords those of one that does not
// say in its own what is wrong with a file.
var (
	goWords  = regexp.MustCompile(`panic|goroutine|runtime error|\.go:\d|%!|<nil>|invalid memory|\*errors\.`)
	rawWords = regexp.MustCompile(`strconv\.|(^|[^.\w])(yaml|json): |unmarshal`)
)

// hint is what every message has that somebody can act upon; the last is of a recording
// that differs.
var hint = regexp.MustCompile(`도움:|기록을 고치지 않으셨다면`)

// faults are what is wrong with how a call ended, whatever it was given.
func (o outcome) faults() (all []string) {
	fault := func(bad bool, format string, a ...any) {
		if bad {
			all = append(all, fmt.Sprintf(format, a...))
		}
	}
	fault(o.code < 0, "it was killed")
	fault(o.cpu > mostCPU, "it took %s of CPU", o.cpu)
	fault(o.memory > mostMemory, "it took %d MB", o.memory>>20)
	fault(len(o.screen) > mostOutput, "it wrote %d bytes", len(o.screen))
	fault(goWords.MatchString(o.screen), "it says %q", goWords.FindString(o.screen))
	fault(!utf8.ValidString(o.screen), "it wrote invalid UTF-8")
	fault(strings.ContainsFunc(o.screen, controls), "it wrote %q", firstControl(o.screen))
	return all
}

// refusal are the faults of a call that had to be refused, besides.
func (o outcome) refusal() (all []string) {
	if o.code == 0 {
		all = append(all, "the exit code is 0")
	}
	if !strings.ContainsFunc(o.screen, hangul) {
		all = append(all, "it says nothing in Korean")
	}
	if !hint.MatchString(o.screen) {
		all = append(all, "it gives no hint")
	}
	return all
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

// endAll ends what a call has left behind, and tells of it.
func endAll(folder string) (faults []string) {
	for _, pid := range processes(folder) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		faults = append(faults, fmt.Sprintf("it left a process: %q", bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return faults
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

// controls tells of a character whether it may move the terminal, or the eye: C0 and
// C1 except newline and tab, directions, and characters without width.
func controls(r rune) bool {
	return r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r >= 0x200b && r <= 0x200d || r == 0x2060 || r == 0xfeff
}

func hangul(r rune) bool { return unicode.Is(unicode.Hangul, r) }

func firstControl(text string) string {
	i := strings.IndexFunc(text, controls)
	if i < 0 {
		return ""
	}
	return text[i:min(i+12, len(text))]
}

// head is the beginning of a screen, as a test shows it.
func head(text string) string {
	const most = 1500
	return strings.ToValidUTF8(text[:min(len(text), most)], "?")
}
