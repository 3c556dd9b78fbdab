package clusterautoscaler

import (
	"math/rand/v2"
	"time"
)

// Autoscaler is what Cluster Autoscaler remembers from loop to loop.
type Autoscaler struct {
	Options Options
	judge   *Judge
	random  *rand.Rand
	chance  *rand.PCG // of random

	requests map[string]request   // open scale-ups, by group
	backoffs map[string]backoff   // by group
	unneeded map[string]time.Time // since when, by node, in every loop since
	recheck  map[string]time.Time // not before, by node that could not be removed

	lastScaleUp, lastDelete, lastFailure time.Time
}

// New has seen nothing yet. The last scale-up, deletion and failure are an hour ago for it, so
// that no delay is left of them (core/static_autoscaler.go NewStaticAutoscaler).
func New(o Options, judge *Judge, started time.Time) *Autoscaler {
	long, chance := started.Add(-time.Hour), rand.NewPCG(o.Seed, o.Seed)
	return &Autoscaler{
		Options: o, judge: judge, random: rand.New(chance), chance: chance,
		requests: map[string]request{}, backoffs: map[string]backoff{}, unneeded: map[string]time.Time{}, recheck: map[string]time.Time{},
		lastScaleUp: long, lastDelete: long, lastFailure: long,
	}
}

// request is a scale-up that is not fulfilled yet (clusterstate/clusterstate.go ScaleUpRequest).
type request struct {
	increase int
	until    time.Time // then it has failed
}

// backoff keeps a group from being asked again (utils/backoff/exponential_backoff.go).
type backoff struct {
	duration    time.Duration
	until, last time.Time
}

// Observe notes what has become of the open scale-ups: a group with all its nodes has
// fulfilled them, one whose time is over has failed (clusterstate/clusterstate.go updateScaleRequests).
func (a *Autoscaler) Observe(c *Cluster) {
	for _, g := range c.Groups {
		open, ok := a.requests[g.Name]
		switch r := c.readiness(g); {
		case !ok:
		case len(r.ready)+len(r.unready) >= g.Target:
			delete(a.requests, g.Name)
			delete(a.backoffs, g.Name)
		case open.until.Before(c.Now):
			delete(a.requests, g.Name)
			a.backOff(g.Name, c.Now)
		}
	}
}

// ScaledUp notes that the cloud took an order (clusterstate/clusterstate.go RegisterScaleUp).
func (a *Autoscaler) ScaledUp(group string, increase int, now time.Time) {
	open := a.requests[group]
	a.requests[group] = request{increase: open.increase + increase, until: now.Add(a.Options.MaxNodeProvisionTime)}
	a.lastScaleUp = now
}

// backOff leaves a group alone for a while whose order has failed, twice as long each time
// (clusterstate/clusterstate.go RegisterFailedScaleUp).
func (a *Autoscaler) backOff(group string, now time.Time) {
	b, again := a.backoffs[group]
	switch {
	case !again || b.last.Add(a.Options.BackoffReset).Before(now):
		b.duration = a.Options.InitialBackoff
	case b.until.Before(now): // it has tried again meanwhile
		b.duration = min(2*b.duration, a.Options.MaxBackoff)
	}
	b.until, b.last = now.Add(b.duration), now
	a.backoffs[group] = b
}

// backedOff is how long a group is left alone still.
func (a *Autoscaler) backedOff(group string, now time.Time) time.Duration {
	if b, ok := a.backoffs[group]; ok && b.until.After(now) {
		return b.until.Sub(now)
	}
	return 0
}

// Deleting notes that nodes have begun to go (core/static_autoscaler.go scaleDown).
func (a *Autoscaler) Deleting(now time.Time) { a.lastDelete = now }

// DeleteFailed notes that a node could not go.
func (a *Autoscaler) DeleteFailed(now time.Time) { a.lastFailure = now }
