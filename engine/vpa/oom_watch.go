package vpa

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input/oom"

	"github.com/stepscale/stepscale/engine/world"
)

// oomWatch is upstream's OOM observer that also tells how far it has seen.
type oomWatch struct {
	oom.Observer
	feed chan oom.OomInfo // what the feeder reads; it is filled at one moment, so that it can be recorded
	mu   sync.Mutex
	seen map[types.UID]string // resource version by pod
}

func newOOMWatch() *oomWatch {
	o := oom.NewObserver()
	return &oomWatch{Observer: o, feed: make(chan oom.OomInfo, cap(o.GetObservedOomsChannel())), seen: map[types.UID]string{}}
}

func (o *oomWatch) GetObservedOomsChannel() chan oom.OomInfo { return o.feed }

// handOver gives the feeder what was observed up to now.
func (o *oomWatch) handOver() (all []oom.OomInfo) {
	for {
		select {
		case info := <-o.Observer.GetObservedOomsChannel():
			all = append(all, info)
			o.feed <- info
		default:
			return all
		}
	}
}

func (o *oomWatch) OnAdd(obj any, initial bool) {
	o.Observer.OnAdd(obj, initial)
	o.note(obj)
}

func (o *oomWatch) OnUpdate(before, after any) {
	o.Observer.OnUpdate(before, after)
	o.note(after)
}

func (o *oomWatch) note(obj any) {
	if p, ok := obj.(*corev1.Pod); ok {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.seen[p.UID] = p.ResourceVersion
	}
}

// catchUp waits until the observer was handed what the cache holds: its events
// come a moment after the cache.
func (o *oomWatch) catchUp(ctx context.Context, w *world.World, cached func() []any) error {
	err := w.Poll(ctx, startTimeout, func(context.Context) (bool, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		for _, obj := range cached() {
			if p, ok := obj.(*corev1.Pod); ok && o.seen[p.UID] != p.ResourceVersion {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("OOM observer: %w", err)
	}
	return nil
}
