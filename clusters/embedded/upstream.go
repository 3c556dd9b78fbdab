package embedded

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
)

// FatalError says why upstream's code would have ended this process.
type FatalError struct{ Reason string }

func (e *FatalError) Error() string { return e.Reason }

// LastWords are the errors that upstream's code logged last, oldest first.
func LastWords() []string { return upstream.tail() }

const (
	keptLines = 60
	muteTime  = time.Minute     // hooks of an API server that was stopped in its start go on failing for half of it
	graceTime = 5 * time.Second // for what was told to end, or may yet get well
)

// upstream logs, panics and exits through globals of the process, so there is
// one of it, whatever the number of clusters.
var upstream = &lastWords{listeners: map[int]func(error){}}

// lastWords keeps what was logged last, and tells the listeners when upstream's
// code wants the process to end. The goroutine that wants it ends, and not the
// process: there is somebody to tell, and everything is still to be cleaned up.
type lastWords struct {
	mu        sync.Mutex
	lines     []string
	klogFatal string // the line of klog that an exit is about to follow
	fatal     *FatalError
	muted     int // while it is not zero nobody is told
	listeners map[int]func(error)
	last      int
}

// Write keeps log lines. The stacks that klog adds to a fatal one are dropped.
func (w *lastWords) Write(p []byte) (int, error) {
	if text := strings.TrimSpace(string(p)); text != "" && !strings.HasPrefix(text, "goroutine ") {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lines = append(w.lines, text)
		w.lines = w.lines[max(0, len(w.lines)-keptLines):]
	}
	return len(p), nil
}

func (w *lastWords) tail() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.lines)
}

// listen calls f, in a goroutine of its own, whenever upstream wants the process to end.
func (w *lastWords) listen(f func(error)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	id := w.last
	w.listeners[id] = f
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.listeners, id)
	}
}

func (w *lastWords) end(reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fatal = &FatalError{Reason: reason}
	if w.muted > 0 {
		return
	}
	for _, f := range w.listeners {
		go f(w.fatal)
	}
}

// mute lets what is left of a start that was given up end in silence: nothing tells
// its words from those of the next cluster.
func (w *lastWords) mute(api *apiServer) {
	add := func(n int) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.muted += n
	}
	add(1)
	go func() {
		if api != nil {
			for range api.done { // until it is closed
			}
		}
		time.AfterFunc(muteTime, func() { add(-1) })
	}()
}

// why is the reason of the last end.
func (w *lastWords) why() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fatal == nil {
		return errors.New("ended without a word")
	}
	return w.fatal
}

// klogHeader is what klog puts before a message: severity, time, thread, place.
var klogHeader = regexp.MustCompile(`^[IWEF]\d{4} [^\]]*\] `)

// fatalLine notes why klog is about to exit: others log before it does.
type fatalLine struct{ *lastWords }

func (f fatalLine) Write(p []byte) (int, error) {
	if line := string(p); !strings.HasPrefix(line, "goroutine ") {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.klogFatal = line
	}
	return len(p), nil
}

// exit stands in for os.Exit under klog. Where no fatal line came before it, an error did.
func (w *lastWords) exit(int) {
	w.mu.Lock()
	line := w.klogFatal
	w.klogFatal = ""
	if line == "" && len(w.lines) > 0 {
		line = w.lines[len(w.lines)-1]
	}
	w.mu.Unlock()
	reason, _, _ := strings.Cut(klogHeader.ReplaceAllString(line, ""), "\n")
	w.end(reason)
	runtime.Goexit()
}

// panicked stands in for the crash that follows a panic in a goroutine of
// Kubernetes. Handlers of requests abort with a panic of their own.
func (w *lastWords) panicked(_ context.Context, p any) {
	if p == http.ErrAbortHandler {
		return
	}
	_, _ = fmt.Fprintf(w, "panic: %v\n%s", p, debug.Stack())
	w.end(fmt.Sprintf("panic: %v", p))
}

// OnWrite stands in for the exit and the panic under zap, etcd's logger.
func (w *lastWords) OnWrite(entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	reason := "etcd: " + entry.Message
	for _, f := range fields {
		if err, ok := f.Interface.(error); ok {
			reason += ": " + err.Error()
		}
	}
	w.end(reason)
	runtime.Goexit()
}

func etcdLogger() *zap.Logger {
	encoder := zapcore.NewConsoleEncoder(zapcore.EncoderConfig{MessageKey: "msg", LineEnding: zapcore.DefaultLineEnding})
	core := zapcore.NewCore(encoder, zapcore.AddSync(upstream), zapcore.ErrorLevel)
	return zap.New(core, zap.WithFatalHook(upstream), zap.WithPanicHook(upstream))
}

// captureUpstream keeps upstream's log lines off the learner's screen and its
// exits from ending the process. A logger that somebody has set for all of klog would
// swallow the lines. Handlers of panics that somebody has set stay, before ours: they
// may know whose panic it is.
var captureUpstream = sync.OnceFunc(func() {
	klog.ClearLogger()
	fs := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(fs)
	_ = fs.Set("logtostderr", "false")
	_ = fs.Set("alsologtostderr", "false")
	_ = fs.Set("stderrthreshold", "FATAL")
	_ = fs.Set("one_output", "false")
	klog.SetOutput(io.Discard)
	klog.SetOutputBySeverity("ERROR", upstream) // fatal ones too
	klog.SetOutputBySeverity("FATAL", fatalLine{upstream})
	klog.OsExit = upstream.exit
	utilruntime.PanicHandlers = append(utilruntime.PanicHandlers, upstream.panicked)
	utilruntime.ReallyCrash = false
})

// await runs f, which knows of no context, in a goroutine of its own: it may take
// for ever, and upstream may end it. When ctx is done, f has a little time to end
// as well; its value is returned then together with the error of ctx.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	ended := make(chan result, 1)
	go func() {
		var r result
		returned := false
		defer func() {
			if p := recover(); p != nil {
				upstream.panicked(ctx, p)
			}
			if !returned {
				r.err = upstream.why()
			}
			ended <- r
		}()
		r.value, r.err = f()
		returned = true
	}()
	select {
	case r := <-ended:
		return r.value, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-ended:
		return r.value, ctx.Err()
	case <-time.After(graceTime):
		var none T
		return none, ctx.Err()
	}
}
