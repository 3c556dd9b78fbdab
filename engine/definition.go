package engine

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// Definition is how a loop describes itself: what the rest of the house has to know to
// offer it, to check lessons about it and to show its frames.
type Definition struct {
	Name     string
	Steps    []Row    // of one pass, in order
	Facts    Facts    // all that a step may tell
	Needs    []string // the kinds of object that a scenario has to have for it
	Live     bool     // can be played where time cannot be moved
	Observes bool     // looks on while the cluster's own controller drives, and is played nowhere else
	Turns    []string // loops in it whose steps are left out of a pass in which they have nothing to do; the last of a pass is none of them
}

// The kinds of object in Definition.Needs.
const (
	NeedsHPA       = "HPA"
	NeedsVPA       = "VPA"
	NeedsKarpenter = "Karpenter" // a NodePool that the scenario names
	// NeedsGroups are node groups, which are no objects of Kubernetes.
	NeedsGroups = "groups"
)

// Row is a step as its loop describes it. It cannot be executed.
type Row = Step[struct{}]

// Aside is a write that somebody else does in an actor's step, because there is no
// other step for it.
type Aside struct {
	Actor string
	Write string // "PATCH pods", "POST pods/binding"
}

// StepIDs are the steps of one pass, in order.
func (d Definition) StepIDs() []trace.StepID {
	ids := make([]trace.StepID, len(d.Steps))
	for i, s := range d.Steps {
		ids[i] = s.ID
	}
	return ids
}

// Next tells whether a step may follow another in the table, with the turns between them
// left out; after is -1 where a loop begins.
func (d Definition) Next(after, step int) bool {
	i := after + 1
	for range d.Steps {
		if i %= len(d.Steps); i == step {
			return true
		}
		if !beginsTurn(d.Steps, i) || !d.MayBeLeftOut(d.Steps[i].ID) {
			break
		}
		i = turnEnd(d.Steps, i)
	}
	return false
}

// MayBeLeftOut tells of a step of a turn that not every pass has.
func (d Definition) MayBeLeftOut(step trace.StepID) bool {
	return slices.Contains(d.Turns, step.Loop())
}

// Actors are those that have a step, in the order in which they move.
func (d Definition) Actors() []string {
	var actors []string
	for _, s := range d.Steps {
		if !slices.Contains(actors, s.Actor) {
			actors = append(actors, s.Actor)
		}
	}
	return actors
}

// Tells lists the facts of a step that a lesson may ask about; nil where nothing is
// known of the step. "podMetric/<pod>" stands for one fact for every pod.
func (d Definition) Tells(step trace.StepID) []string {
	return d.row(step).Tells
}

// row is the step of that ID; empty where the loop has none.
func (d Definition) row(step trace.StepID) Row {
	if i := d.at(step); i >= 0 {
		return d.Steps[i]
	}
	return Row{}
}

func (d Definition) at(step trace.StepID) int {
	return slices.IndexFunc(d.Steps, func(r Row) bool { return r.ID == step })
}

// Changes tells whether the step may change the pods' number or size.
func (d Definition) Changes(step trace.StepID) bool { return d.row(step).Changes }

// Changed tells whether the frame changed the pods' number or size: what an autoscaler
// reports of itself changes on every pass and does not count.
func (d Definition) Changed(f trace.Frame) bool {
	return d.row(f.Step).Changes && slices.ContainsFunc(f.Changes, func(c trace.Change) bool {
		return !strings.HasPrefix(c.Field, "status.")
	})
}

// reports are what controllers tell of a world that somebody else has moved, as status is.
var reports = []string{"events", "endpointslices"}

// Trespasses are the writes in a frame that are not its actor's. Events and the status
// that controllers report are nobody's step, nor is what the scenario lets happen; what
// the step declares is allowed, and what the API server refused has written nothing: a
// kubelet deletes a pod twice now and then. Evictions from a node come when their time is
// over, whoever's step that is.
func (d Definition) Trespasses(f trace.Frame) []trace.Call {
	asides := d.row(f.Step).Asides
	var late []Aside // no gate holds the controller of nodes, and it may write again what it has written
	if i := d.at(f.Step); i > 0 {
		late = d.Steps[i-1].Asides
	}
	return slices.DeleteFunc(slices.Clone(f.Calls), func(c trace.Call) bool {
		resource := c.Resource()
		if !c.Writes() || c.Status >= http.StatusBadRequest || c.Actor == f.Actor || strings.HasSuffix(resource, "/status") || slices.Contains(reports, resource) {
			return true
		}
		if c.Actor == trace.ActorTaintEviction { // time has passed over a node that fails
			return true
		}
		if slices.ContainsFunc(f.Events, func(e trace.Event) bool { return e.Actor == c.Actor }) {
			return true
		}
		aside := Aside{Actor: c.Actor, Write: c.Verb + " " + resource}
		return slices.Contains(asides, aside) || c.Actor == trace.ActorNodeLifecycle && slices.Contains(late, aside)
	})
}

// Defined is a table of steps with what it says of itself.
type Defined[S any] struct {
	Definition
	Table   []Step[S]
	Subject func(*S) string    // "namespace/name" of the autoscaler
	Now     func(*S) time.Time // loop time
	Due     Due[S]             // nil where the definition names no turns
}

// Define joins a table of steps with the definition of its loop, whose Steps it
// fills in.
func Define[S any](d Definition, table []Step[S], subject func(*S) string, now func(*S) time.Time) Defined[S] {
	d.Steps = make([]Row, len(table))
	for i, s := range table {
		d.Steps[i] = with[struct{}](s, nil)
	}
	return Defined[S]{Definition: d, Table: table, Subject: subject, Now: now}
}

// Loop takes the table in hand with a state.
func (d Defined[S]) Loop(s *S) Loop[S] {
	return Loop[S]{Steps: d.Table, State: s, Subject: d.Subject(s), Now: func() time.Time { return d.Now(s) }, Due: d.Due}
}
