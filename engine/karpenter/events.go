package karpenter

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/reference"
	"sigs.k8s.io/karpenter/pkg/events"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// recorder keeps what upstream's controllers have to say until the step sends it. Theirs
// sends in the background, in whoever's step that would be.
type recorder struct {
	mu   sync.Mutex
	said []events.Event
	told map[string]time.Time // when what is not to be repeated was sent
}

var _ events.Recorder = (*recorder)(nil)

func (r *recorder) Publish(of ...events.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, of...)
}

// quiet is how long an event is not repeated that does not say so itself (events/recorder.go).
const quiet = 2 * time.Minute

// take are the events that are new, in the order of their texts: upstream finds some of
// them in maps.
func (r *recorder) take(now time.Time) []events.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told == nil {
		r.told = map[string]time.Time{}
	}
	var fresh []events.Event
	for _, e := range r.said {
		wait := e.DedupeTimeout
		if wait == 0 {
			wait = quiet
		}
		key := e.Reason + "-" + strings.Join(e.DedupeValues, "-")
		if at, ok := r.told[key]; ok && len(e.DedupeValues) > 0 && now.Sub(at) < wait {
			continue
		}
		r.told[key] = now
		fresh = append(fresh, e)
	}
	r.said = nil
	slices.SortStableFunc(fresh, func(a, b events.Event) int { return strings.Compare(a.Reason+a.Message, b.Reason+b.Message) })
	return fresh
}

// announce sends the events of a step as Karpenter's and tells each reason once.
func (s *State) announce(ctx context.Context, f *trace.Frame) error {
	shown := map[string]bool{}
	for _, e := range s.parts.said.take(s.Clock.Now()) {
		about, err := reference.GetReference(scheme.Scheme, e.InvolvedObject)
		if err != nil {
			return err
		}
		made := world.NewEvent(ActorKarpenter, *about, e.Type, e.Reason, e.Message, s.ServerClock().Now())
		if err := s.parts.kube.Client.Create(ctx, made); err != nil {
			return err
		}
		if text := e.Reason + e.Message; !shown[text] {
			shown[text] = true
			f.Add("event", e.Reason, e.Message)
		}
	}
	return nil
}
