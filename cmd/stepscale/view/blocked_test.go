package view

import (
	"testing"

	"github.com/stepscale/stepscale/engine/trace"
)

// TestRowSaysWhatBlocks: a row that keeps names what keeps it; what the autoscaler itself
// says comes first.
func TestRowSaysWhatBlocks(t *testing.T) {
	for want, facts := range map[string][]trace.Fact{
		"FailedCreate":            {{Name: "action", Value: "keep"}, {Name: "replicaFailure", Value: "exceeded quota: q"}},
		"Unschedulable":           {{Name: "unschedulablePods", Value: "2"}},
		"TooManyRequests":         {{Name: "evictionRefused/web-1", Value: "TooManyRequests"}},
		"FailedGetResourceMetric": {{Name: "conditionReason", Value: "FailedGetResourceMetric"}, {Name: "replicaFailure", Value: "exceeded quota: q"}},
	} {
		if got := NewTick([]trace.Frame{{Pass: 1, Facts: facts}}).Reason; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
