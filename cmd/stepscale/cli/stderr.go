package cli

import (
	"flag"
	"io"
	"log"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
	"k8s.io/klog/v2"

	"github.com/stepscale/stepscale/engine/outside"
)

const upstreamLog = "upstream.log"

// ownStderr is a second handle on the standard error, so that our own messages
// still arrive there after divertStderr.
func ownStderr() *os.File {
	fd, err := unix.Dup(int(os.Stderr.Fd()))
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
// middle of the learner's screen. When the file cannot be made, nothing changes.
func divertStderr(stateDir string) {
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		return
	}
	f, err := os.OpenFile(filepath.Join(stateDir, upstreamLog), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	_ = unix.Dup2(int(f.Fd()), int(os.Stderr.Fd()))
}
