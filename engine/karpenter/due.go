package karpenter

import (
	"context"
	"errors"
	"slices"
	"time"

	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/controllers/provisioning"
)

// Due tells whether Loop has something to do in a pass of a loop that it shares: pods wait
// for a node, or machines have not become one yet. It begins Karpenter's part of the pass.
func (s *State) Due(ctx context.Context) (bool, error) {
	s.pass = pass{}
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return false, err
	}
	if err := s.readPending(ctx); err != nil {
		return false, err
	}
	claims, err := s.claims(ctx)
	starting := func(c karpv1.NodeClaim) bool {
		return c.DeletionTimestamp == nil && !met(&c, karpv1.ConditionTypeInitialized)
	}
	return len(s.pass.pending) > 0 || slices.ContainsFunc(claims, starting), err
}

// DueDisruption tells whether Disruption has something to do: a node has been quiet for as
// long as its NodePool says since nodes were looked at last, or is still to go. Upstream
// looks every ten seconds, and leaves it at that where nothing has changed
// (disruption/controller.go: Reconcile, consolidation.go: IsConsolidated).
func (s *State) DueDisruption(ctx context.Context) (bool, error) {
	s.pass = pass{}
	if s.going != nil {
		return true, nil
	}
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return false, err
	}
	if err := s.parts.look(ctx); err != nil {
		return false, err
	}
	pools, err := s.parts.readyPools(ctx)
	if err != nil {
		if errors.Is(err, provisioning.ErrNodePoolsNotFound) {
			err = nil
		}
		return false, err
	}
	quiet := map[string]time.Duration{}
	for _, p := range pools {
		if after := p.Spec.Disruption.ConsolidateAfter.Duration; after != nil {
			quiet[p.Name] = *after
		}
	}
	claims, err := s.claims(ctx)
	return slices.ContainsFunc(claims, func(c karpv1.NodeClaim) bool {
		after, ever := quiet[c.Labels[poolLabel]]
		return c.DeletionTimestamp != nil || ever && met(&c, karpv1.ConditionTypeInitialized) && s.newlyQuiet(&c, after)
	}), err
}

// newlyQuiet tells that a node's quiet time has ended since nodes were looked at last
// (nodeclaim/disruption/consolidation.go: Reconcile).
func (s *State) newlyQuiet(c *karpv1.NodeClaim, after time.Duration) bool {
	since := c.Status.LastPodEventTime.Time
	if since.IsZero() {
		since = c.StatusConditions().Get(karpv1.ConditionTypeInitialized).LastTransitionTime.Time
	}
	end := since.Add(after)
	return !end.After(s.Clock.Now()) && end.After(s.judged)
}
