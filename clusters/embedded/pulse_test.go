package embedded

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
)

func TestPulseMissesNoBeat(t *testing.T) {
	p := newPulse()
	before, err := p.after(t.Context(), -1)
	if err != nil || before != 0 {
		t.Fatalf("%d, %v", before, err)
	}
	p.beat() // between the look and the wait
	if n, err := p.after(t.Context(), before); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	time.AfterFunc(time.Millisecond, p.beat)
	if n, err := p.after(t.Context(), 1); err != nil || n != 2 {
		t.Errorf("%d, %v", n, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := p.after(ctx, 2); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing moved, and it returned %v", err)
	}
}

// TestResourceOfAKey has keys as the API server writes them.
func TestResourceOfAKey(t *testing.T) {
	for key, want := range map[string]string{
		"/registry/pods/shop/web-1": "pods", "/registry/replicasets/shop/web": "replicasets", "/registry/namespaces/shop": "namespaces",
		"/registry/autoscaling.k8s.io/verticalpodautoscalers/shop/web": "verticalpodautoscalers", "/registry/health": "health",
	} {
		if got := resourceOf(key); got != want {
			t.Errorf("%s is about %q, want %q", key, got, want)
		}
	}
}

// TestLastWaitsForTheStore: what the store has taken and not told yet counts.
func TestLastWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPulse()
		wrote := func(key string, revision int64, kind mvccpb.Event_EventType) {
			p.note(mvcc.WatchResponse{Events: []*mvccpb.Event{{Type: kind, Kv: &mvccpb.KeyValue{Key: []byte(key), ModRevision: revision}}}})
			p.beat()
		}
		wrote("/registry/pods/shop/web-1", 3, mvccpb.PUT)
		wrote("/registry/replicasets/shop/web", 4, mvccpb.PUT)
		if got := p.last(t.Context(), "pods", 4); got != 3 {
			t.Errorf("the last write to a pod is %d, want 3", got)
		}
		time.AfterFunc(told/2, func() { wrote("/registry/pods/shop/web-1", 5, mvccpb.DELETE) })
		if got := p.last(t.Context(), "pods", 5); got != 5 {
			t.Errorf("a deletion that is told late: %d, want 5", got)
		}
		if got := p.last(t.Context(), "pods", 6); got != 0 {
			t.Errorf("a write that is never told: %d, want 0", got)
		}
	})
}

// stuck is a store that gave up while it held the lock of its readers.
type stuck struct{ held sync.Mutex }

func (s *stuck) Rev() int64 { s.held.Lock(); defer s.held.Unlock(); return 7 }

// TestRevisionIsNotAwaitedForEver: who asks a store that has given up ends with his context.
func TestRevisionIsNotAwaitedForEver(t *testing.T) {
	store := &stuck{}
	if is, err := revisionOf(store)(t.Context()); is != 7 || err != nil {
		t.Errorf("the revision is %d, %v", is, err)
	}
	store.held.Lock()
	defer store.held.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	go func() { _, err := revisionOf(store)(ctx); answered <- err }()
	cancel()
	select {
	case err := <-answered:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still asking")
	}
}
