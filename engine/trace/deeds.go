package trace

import "slices"

// Deed is what a step's own actor did in it.
type Deed int

// The deeds.
const (
	Idle     Deed = iota // nothing: it had no work
	Computed             // with what it knew, without a call
	OnlyRead
	Refused  // it asked for a change and the API server said no
	Asked    // it asked for a change, and the API server waits for a webhook
	Held     // its write stands at the gate
	Answered // a call of the API server, which then wrote
	Wrote
)

// FactSkipped says why a step had nothing to do.
const FactSkipped = "skipped"

// What a webhook tells: how many requests it has, and with how many patches it answered.
const (
	factReviews = "admissionReviews"
	factPatches = "patches"
)

// Own are the calls of the step's own actor.
func (f *Frame) Own() []Call {
	return slices.DeleteFunc(slices.Clone(f.Calls), func(c Call) bool { return !f.owns(c) })
}

// Meanwhile are the calls that others made at the same time: nothing that the step is about.
func (f *Frame) Meanwhile() []Call {
	return slices.DeleteFunc(slices.Clone(f.Calls), f.owns)
}

func (f *Frame) owns(c Call) bool { return c.Actor == f.Actor || f.Actor == "" || c.Actor == "" }

// Deed is what the step's own actor did, as its calls tell, or the watch where nobody
// could record them.
func (f *Frame) Deed() Deed {
	own := f.Own()
	writes := slices.DeleteFunc(slices.Clone(own), func(c Call) bool { return !c.Writes() })
	seen := slices.ContainsFunc(f.Seen, func(s Sighting) bool { return s.Actor == f.Actor })
	_, skipped := f.Fact(FactSkipped)
	_, answered := f.Fact(factPatches)
	reviews, asked := f.Fact(factReviews)
	switch {
	case seen, slices.ContainsFunc(writes, Call.OK):
		return Wrote
	case len(writes) > 0:
		return Refused
	case answered:
		return Answered
	case asked && reviews != "0":
		return Asked
	case slices.ContainsFunc(f.Waiting, func(w Waiting) bool { return w.Actor == f.Actor }):
		return Held
	case len(own) > 0, f.Actor == ActorLearner: // who looks through an observer's eyes, too
		return OnlyRead
	case skipped, Reacts(f.Actor):
		return Idle
	}
	return Computed
}

// Reacts tells the actors that do nothing but act on what is written in the API.
func Reacts(actor string) bool {
	switch actor {
	case ActorDeployment, ActorReplicaSet, ActorScheduler, ActorKubelet:
		return true
	}
	return false
}
