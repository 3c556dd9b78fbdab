package embedded

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
)

// told is how long the store may take to tell of a write. Some it does not tell of: its own.
const told = 20 * time.Millisecond

// pulse counts what moves in the cluster. Who waits for something looks again at a beat,
// and need not ask meanwhile.
type pulse struct {
	mu    sync.Mutex
	beats int64
	next  chan struct{} // closed by the next beat

	seen   int64            // revision of the store up to which its writes were told
	newest map[string]int64 // that of the last write to a resource: "pods"
}

func newPulse() *pulse { return &pulse{next: make(chan struct{}), newest: map[string]int64{}} }

func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.beats++
	close(p.next)
	p.next = make(chan struct{})
}

// after returns the count as soon as it is more than n.
func (p *pulse) after(ctx context.Context, n int64) (int64, error) {
	for {
		p.mu.Lock()
		beats, next := p.beats, p.next
		p.mu.Unlock()
		if beats > n {
			return beats, nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return beats, ctx.Err()
		}
	}
}

// note keeps which resources were written.
func (p *pulse) note(writes mvcc.WatchResponse) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range writes.Events {
		p.newest[resourceOf(string(e.Kv.Key))] = e.Kv.ModRevision
		p.seen = e.Kv.ModRevision
	}
}

// resourceOf is what a key of the store is about: "pods" of /registry/pods/shop/web-1, and
// of custom resources what comes after their group.
func resourceOf(key string) string {
	parts := strings.SplitN(strings.TrimPrefix(key, storePrefix), "/", 3)
	if len(parts) > 1 && strings.Contains(parts[0], ".") {
		return parts[1]
	}
	return parts[0]
}

// last is the revision of the last write to a resource of all that the store has taken up
// to that revision; 0 where that is not known yet.
func (p *pulse) last(ctx context.Context, resource string, revision int64) int64 {
	ctx, cancel := context.WithTimeout(ctx, told)
	defer cancel()
	for beats := int64(-1); ; {
		p.mu.Lock()
		newest, seen := p.newest[resource], p.seen
		p.mu.Unlock()
		if seen >= revision {
			return newest
		}
		var err error
		if beats, err = p.after(ctx, beats); err != nil {
			return 0
		}
	}
}

// follow beats for every write that the store takes, until ctx ends.
func (p *pulse) follow(ctx context.Context, etcd *etcdserver.EtcdServer) error {
	stream := etcd.Watchable().NewWatchStream()
	prefix := []byte(storePrefix)
	end := append(prefix[:len(prefix)-1:len(prefix)-1], '/'+1)
	if _, err := stream.Watch(ctx, 0, prefix, end, 0); err != nil {
		stream.Close()
		return fmt.Errorf("watch the store: %w", err)
	}
	context.AfterFunc(ctx, stream.Close)
	go func() {
		for writes := range stream.Chan() { // until it is closed
			p.note(writes)
			p.beat()
		}
	}()
	return nil
}

// Beats counts the writes that the store took, the actors that came to the gate and the
// calls that were answered. It returns the count as soon as it is more than after.
func (c *Cluster) Beats(ctx context.Context, after int64) (int64, error) {
	return c.pulse.after(ctx, after)
}

// Newest is the revision of the last write to a resource ("pods"); 0 where that is not
// known. A list that is not older than it is as new as a list can be, and is answered at
// once: for one that asks for the newest, the API server asks its store how far it is, and
// does so no more than once in 100 ms (storage/cacher/progress, progressRequestPeriod).
func (c *Cluster) Newest(ctx context.Context, resource string) (int64, error) {
	revision, err := c.Revision(ctx)
	if err != nil {
		return 0, err
	}
	return c.pulse.last(ctx, resource, revision), nil
}

// Revision is the store's. As long as it is the same, what was read of the API holds.
func (c *Cluster) Revision(ctx context.Context) (int64, error) {
	if c.usage == nil {
		return 0, ErrNotRunning
	}
	return c.usage.revision(ctx)
}

// revisionOf asks a store for its revision, and waits no longer than ctx: an etcd that
// gave up in the middle of a commit (a full disk) keeps the lock that its answer needs.
func revisionOf(store interface{ Rev() int64 }) func(context.Context) (int64, error) {
	return func(ctx context.Context) (int64, error) {
		revision := make(chan int64, 1)
		go func() { revision <- store.Rev() }()
		select {
		case is := <-revision:
			return is, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}
