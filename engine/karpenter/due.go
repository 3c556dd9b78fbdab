package karpenter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// judged is when, and of what, it was found which nodes may go, where Shared.
type judged struct {
	at time.Time
	of string // the cluster then; see picture
}

// revalidate is how long upstream takes it for granted that what it has found holds still
// (controllers/state/cluster.go: ConsolidationState).
const revalidate = 5 * time.Minute

// DueDisruption tells whether Disruption has something to do: a node is quiet for as long as
// its NodePool says, and since nodes were looked at last something has changed, or that is
// long ago; or a node is still to go. Upstream looks every ten seconds, and leaves it at
// that where nothing has changed (disruption/consolidation.go: IsConsolidated).
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
	quiet, err := s.quietTimes(ctx)
	if err != nil {
		return false, err
	}
	picture, err := s.picture(ctx)
	if err != nil {
		return false, err
	}
	stale := picture != s.judged.of || s.Clock.Since(s.judged.at) >= revalidate
	claims, err := s.claims(ctx)
	return slices.ContainsFunc(claims, func(c karpv1.NodeClaim) bool {
		after, ever := quiet[c.Labels[poolLabel]]
		if !ever || !met(&c, karpv1.ConditionTypeInitialized) {
			return c.DeletionTimestamp != nil
		}
		end := quietSince(&c).Add(after)
		return c.DeletionTimestamp != nil || !end.After(s.Clock.Now()) && (stale || end.After(s.judged.at))
	}), err
}

// quietTimes are the consolidateAfter of the NodePools, by name; a pool that never
// consolidates has none.
func (s *State) quietTimes(ctx context.Context) (map[string]time.Duration, error) {
	pools, err := s.parts.readyPools(ctx)
	if errors.Is(err, provisioning.ErrNodePoolsNotFound) {
		return nil, nil
	}
	times := map[string]time.Duration{}
	for _, p := range pools {
		if after := p.Spec.Disruption.ConsolidateAfter.Duration; after != nil {
			times[p.Name] = *after
		}
	}
	return times, err
}

// quietSince is when a pod last came to a node or left it, or the node came itself
// (nodeclaim/disruption/consolidation.go: Reconcile).
func quietSince(c *karpv1.NodeClaim) time.Time {
	if last := c.Status.LastPodEventTime.Time; !last.IsZero() {
		return last
	}
	return c.StatusConditions().Get(karpv1.ConditionTypeInitialized).LastTransitionTime.Time
}

// picture is what a decision about nodes depends on: which pods are on which nodes, the
// nodes themselves, and the NodePools.
func (s *State) picture(ctx context.Context) (string, error) {
	var parts []string
	for key, pod := range s.parts.watch.bound {
		parts = append(parts, key.String()+" on "+pod.Spec.NodeName)
	}
	for key := range s.parts.watch.known["node"] {
		parts = append(parts, key.Name)
	}
	pools, err := s.parts.readyPools(ctx)
	if err != nil && !errors.Is(err, provisioning.ErrNodePoolsNotFound) {
		return "", err
	}
	for _, p := range pools {
		parts = append(parts, fmt.Sprintf("%s %d", p.Name, p.Generation))
	}
	slices.Sort(parts)
	return strings.Join(parts, "\n"), nil
}
