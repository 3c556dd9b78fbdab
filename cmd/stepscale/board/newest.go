package board

import (
	"context"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	// settle is how long a write waits for what comes right behind it: a step that is
	// executed and the next question are one.
	settle = 100 * time.Millisecond
	// writeTimeout is how long one write may take.
	writeTimeout = 10 * time.Second
)

// retries is how long a write that failed waits before it is tried again; anything that
// is told in between is written with it.
func retries() wait.Backoff {
	return wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 1 << 20, Cap: 20 * time.Second}
}

var (
	errUnwritten = errors.New("the newest is not written")
	// errTaken tells that somebody else writes there now: it is not tried again.
	errTaken = errors.New("somebody else has taken over")
)

// Store is where something is written.
type Store interface {
	Write(ctx context.Context, raw []byte) error
}

// newest keeps the newest of something and writes it, one write at a time. It is safe for
// several goroutines, and nothing waits for the cluster but Close.
type newest[V any] struct {
	store   Store
	encode  func(V) []byte
	failed  func(error) // is told of the first failure; may be nil
	changed chan struct{}
	closing chan struct{}
	ended   chan struct{}
	stop    context.CancelFunc
	once    sync.Once

	mu      sync.Mutex
	value   V
	told    bool // of a failure
	version int  // of value
	written int  // the version that is in the store
}

// keep begins with a value that is not written of itself. Close has to be called. What is
// encoded is a copy: its maps and slices are never changed in place.
func keep[V any](store Store, value V, encode func(V) []byte, failed func(error)) *newest[V] {
	k := &newest[V]{store: store, value: value, encode: encode, failed: failed, changed: make(chan struct{}, 1), closing: make(chan struct{}), ended: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	k.stop = stop
	go func() {
		defer close(k.ended)
		k.run(ctx)
	}()
	return k
}

// Close writes what is not written yet, as long as the context lasts, and ends the
// writing. The error is that the newest is not in the store.
func (k *newest[V]) Close(ctx context.Context) error {
	k.once.Do(func() { close(k.closing) })
	select {
	case <-k.ended:
	case <-ctx.Done():
	}
	k.stop()
	<-k.ended
	if _, _, is := k.unwritten(); is {
		return errUnwritten
	}
	return nil
}

// look is the value as it is now.
func (k *newest[V]) look() V {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.value
}

func (k *newest[V]) change(do func(*V)) {
	k.mu.Lock()
	do(&k.value)
	k.version++
	k.mu.Unlock()
	select {
	case k.changed <- struct{}{}:
	default: // it is going to look anyway
	}
}

// unwritten is the value that is to be written, and its version; false where it has been.
func (k *newest[V]) unwritten() (V, int, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.value, k.version, k.version != k.written
}

// run writes until Close, and then once more what is not written yet.
func (k *newest[V]) run(ctx context.Context) {
	for {
		select {
		case <-k.closing:
			k.flush(ctx)
			return
		case <-k.changed:
		}
		select {
		case <-k.closing:
		case <-time.After(settle):
		}
		k.flush(ctx)
	}
}

// flush writes the newest, again and again until it is written or Close gives up. Before
// Close, something newer takes its place.
func (k *newest[V]) flush(ctx context.Context) {
	closing := k.closing
	for again := retries(); ctx.Err() == nil; {
		value, version, is := k.unwritten()
		if !is {
			return
		}
		err := k.write(ctx, k.encode(value))
		if err == nil {
			k.mu.Lock()
			k.written = version
			k.mu.Unlock()
			return // what was told meanwhile has left its mark in changed
		}
		if k.fails(err); errors.Is(err, errTaken) {
			k.stop()
			return
		}
		pause := again.Step()
		if s, asked := apierrors.SuggestsClientDelay(err); asked {
			pause = max(pause, time.Duration(s)*time.Second)
		}
		select {
		case <-ctx.Done():
		case <-closing: // there is little time left
			closing, again = nil, retries()
		case <-time.After(pause):
		}
	}
}

func (k *newest[V]) write(ctx context.Context, raw []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return k.store.Write(ctx, raw)
}

func (k *newest[V]) fails(err error) {
	k.mu.Lock()
	first := !k.told || errors.Is(err, errTaken)
	k.told = true
	k.mu.Unlock()
	if first && k.failed != nil {
		k.failed(err)
	}
}
