package clusterautoscaler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Recorded is the JSON in Frame.Inputs of the steps that decide: enough to decide again
// without a cluster.
type Recorded struct {
	Engine  string   `json:"engine"` // Actor
	Down    bool     `json:"down"`   // the half that removes nodes
	Options Options  `json:"options"`
	Memory  Memory   `json:"memory"`
	Cluster *Cluster `json:"cluster"`
}

// Memory is what an Autoscaler remembers, as it can be written down.
type Memory struct {
	Requests map[string]OpenRequest `json:"requests,omitempty"` // by group
	Backoffs map[string]Backoff     `json:"backoffs,omitempty"` // by group
	Unneeded map[string]time.Time   `json:"unneeded,omitempty"` // by node
	Recheck  map[string]time.Time   `json:"recheck,omitempty"`  // by node

	LastScaleUp time.Time `json:"lastScaleUp"`
	LastDelete  time.Time `json:"lastDelete"`
	LastFailure time.Time `json:"lastFailure"`
	Chance      []byte    `json:"chance"`      // the state of the random choice among equals
	SearchAfter int       `json:"searchAfter"` // the place of the node behind which the next search begins
}

// OpenRequest is an order of nodes that is not fulfilled yet.
type OpenRequest struct {
	Increase int       `json:"increase"`
	Until    time.Time `json:"until"`
}

// Backoff is a group that is left alone.
type Backoff struct {
	Duration time.Duration `json:"duration"`
	Until    time.Time     `json:"until"`
	Last     time.Time     `json:"last"`
}

// record writes down what a decision is about to read.
func (a *Autoscaler) record(c *Cluster, down bool) (json.RawMessage, error) {
	m := Memory{Requests: map[string]OpenRequest{}, Backoffs: map[string]Backoff{}, Unneeded: a.unneeded, Recheck: a.recheck,
		LastScaleUp: a.lastScaleUp, LastDelete: a.lastDelete, LastFailure: a.lastFailure, SearchAfter: a.judge.after}
	for name, r := range a.requests {
		m.Requests[name] = OpenRequest{r.increase, r.until}
	}
	for name, b := range a.backoffs {
		m.Backoffs[name] = Backoff{b.duration, b.until, b.last}
	}
	var err error
	if m.Chance, err = a.chance.MarshalBinary(); err != nil {
		return nil, err
	}
	return json.Marshal(Recorded{Engine: Actor, Down: down, Options: a.Options, Memory: m, Cluster: c})
}

// autoscaler is one that remembers what the recorded one did.
func (r Recorded) autoscaler(judge *Judge) (*Autoscaler, error) {
	a := New(r.Options, judge, r.Cluster.Now)
	for name, x := range r.Memory.Requests {
		a.requests[name] = request{x.Increase, x.Until}
	}
	for name, x := range r.Memory.Backoffs {
		a.backoffs[name] = backoff{x.Duration, x.Until, x.Last}
	}
	maps.Copy(a.unneeded, r.Memory.Unneeded)
	maps.Copy(a.recheck, r.Memory.Recheck)
	a.lastScaleUp, a.lastDelete, a.lastFailure = r.Memory.LastScaleUp, r.Memory.LastDelete, r.Memory.LastFailure
	judge.after = max(-1, r.Memory.SearchAfter)
	return a, a.chance.UnmarshalBinary(r.Memory.Chance)
}

// up decides again about more nodes.
func (r Recorded) up(ctx context.Context, judge *Judge) (*ScaleUp, error) {
	a, err := r.autoscaler(judge)
	if err != nil {
		return nil, err
	}
	a.Observe(r.Cluster)
	u := a.ScaleUp(r.Cluster)
	return u, u.Run(ctx)
}

// down decides again about fewer nodes; nothing where the cluster was too unhealthy.
func (r Recorded) down(ctx context.Context, judge *Judge) (*ScaleDown, error) {
	a, err := r.autoscaler(judge)
	if err != nil {
		return nil, err
	}
	a.Observe(r.Cluster)
	d, err := a.ScaleDown(r.Cluster)
	if err != nil || !r.Cluster.Healthy(r.Options) {
		return nil, err
	}
	return d, d.Run(ctx)
}

// The most that is taken from a recording: it may have been written by somebody else.
const (
	mostRecorded = 10_000
	mostNodes    = 2_000 // of a group
)

var errRecorded = errors.New("recorded inputs of Cluster Autoscaler are damaged")

// ReadRecorded reads the Inputs of a recorded step. What was damaged or written by hand is
// an error: nothing that comes out lets a decision fail in another way.
func ReadRecorded(inputs []byte) (Recorded, error) {
	var r Recorded
	if err := json.Unmarshal(inputs, &r); err != nil {
		return r, fmt.Errorf("%w: %w", errRecorded, err)
	}
	if r.Engine != Actor || r.Cluster == nil {
		return r, fmt.Errorf("%w: no cluster", errRecorded)
	}
	c := r.Cluster
	if max(len(c.Nodes), len(c.Pods), len(c.Groups), len(c.Budgets)) > mostRecorded {
		return r, fmt.Errorf("%w: too many objects", errRecorded)
	}
	if slices.Contains(c.Nodes, nil) || slices.Contains(c.Pods, nil) || slices.Contains(c.Groups, nil) || slices.Contains(c.Budgets, nil) {
		return r, fmt.Errorf("%w: an object is missing", errRecorded)
	}
	for _, g := range c.Groups {
		if g.Template == nil || g.Min < 0 || g.Target < 0 || g.Max > mostNodes || g.Target > mostNodes || slices.Contains(g.Daemons, nil) {
			return r, fmt.Errorf("%w: node group %q", errRecorded, g.Name)
		}
	}
	c.Replicas = replicasIn(c.ReplicaSets)
	return r, nil
}

// replicasIn answers from the ReplicaSets that there were.
func replicasIn(wanted map[types.UID]int32) func(string, *metav1.OwnerReference) (int32, bool) {
	return func(_ string, owner *metav1.OwnerReference) (int32, bool) {
		n, found := wanted[owner.UID]
		return n, found || owner.Kind != "ReplicaSet"
	}
}

// lean leaves out what no decision looks at.
func lean(c *Cluster) {
	for _, n := range c.Nodes {
		n.ManagedFields, n.Status.Images = nil, nil
	}
	for _, p := range c.Pods {
		p.ManagedFields = nil
	}
	for _, b := range c.Budgets {
		b.ManagedFields = nil
	}
}

// Own is a copy of which everything may be changed that is in the lists.
func (r Recorded) Own() Recorded {
	c := *r.Cluster
	c.Nodes, c.Pods, c.Groups, c.Budgets = slices.Clone(c.Nodes), slices.Clone(c.Pods), slices.Clone(c.Groups), slices.Clone(c.Budgets)
	r.Cluster = &c
	return r
}
