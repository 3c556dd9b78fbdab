package clusterautoscaler

import (
	"context"

	"github.com/stepscale/stepscale/engine/world"
)

// Due tells whether the half of RunOnce that adds nodes has something to do in a pass of a
// loop that it shares: the scan interval is over, and pods wait for a node or ordered nodes
// have not come yet. It begins RunOnce.
func (s *State) Due(ctx context.Context) (bool, error) {
	now := s.Clock.Now()
	if s.due = s.scanned.IsZero() || now.Sub(s.scanned) >= s.Options.ScanInterval; !s.due {
		return false, nil
	}
	if err := s.begin(ctx); err != nil {
		return false, err
	}
	s.scanned = now
	c, err := s.cluster(ctx)
	if err != nil {
		return false, err
	}
	for _, p := range c.Pods {
		if _, is := world.Unschedulable(p); is && p.Spec.NodeName == "" {
			return true, nil
		}
	}
	return len(s.booting) > 0, nil
}

// DueDown tells whether the half that removes nodes is to follow: in every RunOnce.
func (s *State) DueDown(context.Context) (bool, error) { return s.due, nil }
