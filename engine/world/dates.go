package world

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

// Dates give objects the loop's times: at which each was first seen to be there, and to be
// going. The API server stamps with the machine's clock, by which no loop goes: to one that
// is an hour ahead everything would be an hour old.
type Dates struct {
	Clock clock.PassiveClock // of the loop

	mu    sync.Mutex
	first map[types.UID]sight
}

// sight is when an object was first seen.
type sight struct{ there, going time.Time }

// Date changes the stamps of an object; nil leaves them as they are. In whole seconds, as those of the API are: what is
// written down and read again is the same.
func (d *Dates) Date(o metav1.Object) {
	if d == nil || o.GetUID() == "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Clock.Now().Truncate(time.Second)
	first, ok := d.first[o.GetUID()]
	if !ok {
		first.there = now
	}
	if o.GetDeletionTimestamp() != nil && first.going.IsZero() {
		first.going = now
	}
	if d.first == nil {
		d.first = map[types.UID]sight{}
	}
	d.first[o.GetUID()] = first
	o.SetCreationTimestamp(metav1.NewTime(first.there))
	if o.GetDeletionTimestamp() != nil {
		o.SetDeletionTimestamp(&metav1.Time{Time: first.going})
	}
}
