package cli

import (
	"flag"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"
	"k8s.io/klog/v2"

	"github.com/stepscale/stepscale/engine/hpa/referee"
	"github.com/stepscale/stepscale/engine/outside"
)

const upstreamLog = "upstream.log"

// setGlobals is the one place where what belongs to the whole process is set: what
// libraries log, and what ends the process. Only Main calls it, and the tests' main.
// The embedded cluster sets upstream's own when it starts (clusters/embedded/upstream.go).
func setGlobals(errOut io.Writer) {
	runtime.MemProfileRate = 0     // nobody reads it: the API server's profiles are off
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is a write error, so that everything is taken down
	referee.Quiet()
	filterLogs(errOut)
}

// stderr is literal: os.Stderr may be another file, as that of a test binary is its
// standard output.
const stderr = 2

// ownStderr is a second handle on the standard error, so that our own messages
// still arrive there after divertStderr.
func ownStderr() *os.File {
	fd, err := unix.Dup(stderr)
	if err != nil {
		return os.Stderr
	}
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "stderr")
}

// filterLogs lets the libraries' logs through to the standard error as a screen may show
// them: client-go writes there the warnings that a server sends.
func filterLogs(w io.Writer) {
	w = outside.Writer(w)
	log.SetOutput(w)
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	for _, f := range [][2]string{{"logtostderr", "false"}, {"stderrthreshold", "FATAL"}, {"one_output", "true"}} {
		_ = flags.Set(f[0], f[1])
	}
	klog.SetOutput(w)
}

// divertStderr sends what upstream's libraries write to the standard error into
// a file. The API server's etcd client logs there whatever its level is set to
// (apiserver, storagebackend/factory/etcd3.go, etcdClientDebugLevel), in the
// middle of the learner's screen. When the file cannot be made, nothing changes. Only
// Main diverts: a process that is somebody else's, a test binary, keeps its own.
func divertStderr(stateDir string) {
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		return
	}
	f, err := os.OpenFile(filepath.Join(stateDir, upstreamLog), os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	screen := ownStderr()
	defer screen.Close()
	if unix.Dup2(int(f.Fd()), stderr) == nil {
		tellCrash(screen, f.Name())
	}
}

// mourner waits for what the Go runtime writes when it crashes. It is a shell, because
// nothing of this process is left to tell of it, and a second one of this program
// would take its memory all the time. $1 is the log.
const mourner = `trap '' INT TERM HUP
IFS= read -r reason || exit 0
cat >/dev/null
reason=$(printf %s "$reason" | LC_ALL=C tr -d '\000-\037\177')
printf '\n✘ stepscale이 갑자기 끝났습니다: %s\n  %s\n  → 위 파일에 자세한 기록이 있습니다. 다시 실행하시면 남은 것은 치우고 시작합니다.\n' "$reason" "$1"`

// tellCrash lets the learner know on the screen why the process crashed, if it does:
// the runtime's own words go to the diverted standard error.
func tellCrash(screen *os.File, log string) {
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	defer r.Close()
	defer w.Close()
	cmd := exec.Command("/bin/sh", "-c", mourner, "sh", log)
	cmd.Stdin, cmd.Stdout = r, screen
	if cmd.Start() != nil {
		return
	}
	go func() { _ = cmd.Wait() }()
	_ = debug.SetCrashOutput(w, debug.CrashOptions{})
}
