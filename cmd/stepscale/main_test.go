package main

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"stepscale": program})
}

// TestScripts runs the commands as a user does. The scripts that need a cluster
// share the background one that TestMain's first script starts.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/scripts",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"mkfifo": mkfifo, "sparse": sparse, "unescape": unescape, "crash": crash, "filled": filled, "flowing": flowing, "burns": burns},
		Setup: func(env *testscript.Env) error {
			state, err := os.MkdirTemp("", "step") // short: unix sockets live below it
			if err != nil {
				return err
			}
			env.Defer(func() {
				down := exec.Command("stepscale", "cluster", "down") // of a script that failed
				down.Env = append(os.Environ(), "STEPSCALE_STATE_DIR="+state)
				_ = down.Run()
				_ = os.RemoveAll(state)
			})
			env.Setenv("STEPSCALE_STATE_DIR", state)
			env.Setenv("NO_COLOR", "1")
			env.Setenv("LANG", "ko_KR.UTF-8")
			env.Setenv("HOSTILE", "\x1b]0;x\a\u202e\r\u200b")
			return nil
		},
	})
}

// mkfifo makes a pipe that nobody writes to.
func mkfifo(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(syscall.Mkfifo(ts.MkAbs(args[0]), 0o600))
}

// sparse makes a file of so many bytes that takes no room.
func sparse(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(errors.Join(err, os.WriteFile(ts.MkAbs(args[0]), nil, 0o600), os.Truncate(ts.MkAbs(args[0]), size)))
}

// unescape puts the character in place of every \xNN and \uNNNN of a file.
func unescape(ts *testscript.TestScript, _ bool, args []string) {
	escape := regexp.MustCompile(`\\x[0-9a-f]{2}|\\u[0-9a-f]{4}`)
	text := escape.ReplaceAllStringFunc(ts.ReadFile(args[0]), func(e string) string {
		plain, err := strconv.Unquote(`"` + e + `"`)
		ts.Check(err)
		return plain
	})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// crash kills the process whose ID is in a lock file, and waits until it is gone.
func crash(ts *testscript.TestScript, _ bool, args []string) {
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	lock, err := os.Open(args[0])
	ts.Check(err)
	defer lock.Close()
	ts.Check(syscall.Kill(pid, syscall.SIGKILL))
	ts.Check(syscall.Flock(int(lock.Fd()), syscall.LOCK_SH))
}

// filled waits until something is written into a file.
func filled(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(patient); ; time.Sleep(20 * time.Millisecond) {
		if info, err := os.Stat(ts.MkAbs(args[0])); err == nil && info.Size() > 0 {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("nothing is written into %s", args[0])
		}
	}
}
