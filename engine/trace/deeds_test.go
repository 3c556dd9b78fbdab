package trace_test

import (
	"strings"
	"testing"

	"github.com/stepscale/stepscale/engine/trace"
)

// TestDeed: who did what is told by the calls, not by whose step it is.
func TestDeed(t *testing.T) {
	call := func(actor, verb string, status int) trace.Call {
		return trace.Call{Actor: actor, Verb: verb, Status: status, Path: "/api/v1/namespaces/x/pods"}
	}
	for name, c := range map[string]struct {
		actor string
		facts []string
		calls []trace.Call
		seen  []trace.Sighting
		waits string
		want  trace.Deed
	}{
		"wrote, and was refused before": {"a", nil, []trace.Call{call("a", "PUT", 409), call("a", "PUT", 200)}, nil, "", trace.Wrote},
		"refused":                       {"a", nil, []trace.Call{call("a", "POST", 429), call("b", "POST", 201)}, nil, "", trace.Refused},
		"no answer":                     {"a", nil, []trace.Call{call("a", "POST", 0)}, nil, "", trace.Refused},
		"read while others wrote":       {"a", nil, []trace.Call{call("a", "GET", 200), call("b", "POST", 201)}, nil, "", trace.OnlyRead},
		"computed":                      {"hpa-controller", []string{"proposal"}, nil, nil, "", trace.Computed},
		"scheduler without a pod":       {trace.ActorScheduler, []string{"boundPods"}, []trace.Call{call("b", "DELETE", 200)}, nil, "", trace.Idle},
		"nothing to do":                 {"hpa-controller", []string{trace.FactSkipped}, nil, nil, "", trace.Idle},
		"a webhook":                     {"vpa-admission-controller", []string{"patches"}, []trace.Call{call("b", "POST", 201)}, nil, "", trace.Answered},
		"watched from outside":          {trace.ActorScheduler, nil, nil, []trace.Sighting{{Actor: trace.ActorScheduler}}, "", trace.Wrote},
		"its webhook thinks":            {trace.ActorReplicaSet, []string{"admissionReviews=1"}, nil, nil, "vpa-admission-controller", trace.Asked},
		"its webhook was passed over":   {trace.ActorReplicaSet, []string{"admissionReviews=0"}, nil, nil, "", trace.Idle},
		"no webhook was called":         {trace.ActorReplicaSet, []string{"replicaFailure"}, nil, nil, trace.ActorKubelet, trace.Idle},
		"it stands at the gate":         {trace.ActorKubelet, []string{trace.FactSkipped}, nil, nil, trace.ActorKubelet, trace.Held},
		"others were watched":           {trace.ActorScheduler, nil, nil, []trace.Sighting{{Actor: trace.ActorKubelet}}, "", trace.Idle},
	} {
		f := trace.Frame{Actor: c.actor, Calls: c.calls, Seen: c.seen}
		if c.waits != "" {
			f.Waiting = []trace.Waiting{{Actor: c.waits, Verb: "POST"}}
		}
		for _, fact := range c.facts {
			name, value, _ := strings.Cut(fact, "=")
			f.Add(name, value, "")
		}
		if got := f.Deed(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if own, others := f.Own(), f.Meanwhile(); len(own)+len(others) != len(c.calls) {
			t.Errorf("%s: %v and %v of %v", name, own, others, c.calls)
		}
	}
}
