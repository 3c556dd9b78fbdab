package embedded

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/zap"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
)

// What the rest of the program does before there is a cluster: it silences klog, and
// takes the panics of a controller of its own.
func init() {
	klog.SetLogger(logr.Discard())
	utilruntime.PanicHandlers = append(utilruntime.PanicHandlers, func(_ context.Context, p any) {
		if p == errElsewhere {
			runtime.Goexit()
		}
	})
}

var errElsewhere = errors.New("a panic of somebody else's")

// hear returns what the listeners are told from now on.
func hear(t *testing.T) <-chan error {
	t.Helper()
	captureUpstream()
	upstream.mu.Lock()
	muted := upstream.muted // by starts that other tests interrupted
	upstream.muted = 0
	upstream.mu.Unlock()
	t.Cleanup(func() {
		upstream.mu.Lock()
		defer upstream.mu.Unlock()
		upstream.muted += muted
	})
	told := make(chan error, 100)
	t.Cleanup(upstream.listen(func(err error) { told <- err }))
	return told
}

func TestUpstreamsExitsAreToldAndEndNothing(t *testing.T) {
	for name, end := range map[string]func(){
		"klog fatal, 1": func() { klog.Fatalf("hook %q failed", "klog fatal, 1") },
		"klog exit, 2":  func() { klog.ErrorS(nil, "klog exit, 2"); klog.FlushAndExit(time.Second, 1) },
		"zap fatal, 3":  func() { etcdLogger().Fatal("zap", zap.Error(errors.New("zap fatal, 3"))) },
		"zap panic, 4":  func() { etcdLogger().Panic("zap panic, 4") },
		"a panic, 5":    func() { defer utilruntime.HandleCrash(); panic("a panic, 5") },
	} {
		told := hear(t)
		go end()
		for heard := false; !heard; {
			select {
			case err := <-told: // and perhaps one of another cluster
				heard = strings.Contains(err.Error(), name)
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: nobody was told", name)
			}
		}
		if log := strings.Join(LastWords(), "\n"); !strings.Contains(log, name) || strings.Contains(log, "goroutine 1 [") {
			t.Errorf("%s: the log says %s", name, log)
		}
	}
}

func TestPanicOfSomebodyElseIsNoEnd(t *testing.T) {
	told := hear(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer utilruntime.HandleCrash()
		panic(errElsewhere)
	}()
	<-ended
	go klog.Fatal("a later one")
	for {
		err := <-told
		if strings.Contains(err.Error(), errElsewhere.Error()) {
			t.Fatal(err)
		}
		if strings.Contains(err.Error(), "a later one") {
			return
		}
	}
}

func TestAbortedRequestIsNoEnd(t *testing.T) {
	told := hear(t)
	func() {
		defer utilruntime.HandleCrash()
		panic(http.ErrAbortHandler)
	}()
	go klog.Fatal("a later one")
	for {
		err := <-told
		if strings.Contains(err.Error(), "abort") {
			t.Fatal(err)
		}
		if strings.Contains(err.Error(), "a later one") {
			return
		}
	}
}

func TestAwaitReturnsWhateverHappens(t *testing.T) {
	captureUpstream()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		f    func() (int, error)
		want string
		v    int
	}{
		"a value":       {t.Context(), func() (int, error) { return 1, nil }, "", 1},
		"an exit":       {t.Context(), func() (int, error) { klog.Fatal("no more"); return 1, nil }, "no more", 0},
		"a panic":       {t.Context(), func() (int, error) { panic("broken") }, "panic: broken", 0},
		"Ctrl-C":        {cancelled, func() (int, error) { time.Sleep(50 * time.Millisecond); return 1, nil }, "context canceled", 1},
		"Ctrl-C, stuck": {cancelled, func() (int, error) { select {} }, "context canceled", 0},
	} {
		got, err := await(c.ctx, c.f)
		if got != c.v || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d, %v; want %d, %s", name, got, err, c.v, c.want)
		}
	}
}

func TestStopIsOverInItsTime(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	if err := within(time.Millisecond, "etcd", func() { <-release }); !errors.Is(err, ErrLate) {
		t.Errorf("%v, want ErrLate", err)
	}
	if err := within(time.Minute, "etcd", func() {}); err != nil {
		t.Error(err)
	}
}
