package view

import (
	"testing"

	"github.com/stepscale/stepscale/engine/trace"
)

// TestRowSaysWhatBlocks: a row that keeps names what keeps it, and does not call it a
// decision to keep; what the autoscaler itself says comes first.
func TestRowSaysWhatBlocks(t *testing.T) {
	vpa := func(facts ...trace.Fact) []trace.Fact {
		return append([]trace.Fact{{Name: "interval", Value: "1m"}, {Name: "action", Value: "keep"}}, facts...)
	}
	for name, c := range map[string]struct {
		facts            []trace.Fact
		reason, decision string
	}{
		"nothing":           {[]trace.Fact{{Name: "action", Value: "keep"}}, "", "유지"},
		"no pod":            {[]trace.Fact{{Name: "action", Value: "keep"}, {Name: "replicaFailure", Value: "exceeded quota: q"}}, "FailedCreate", "막힘"},
		"no pod of more":    {[]trace.Fact{{Name: "action", Value: "scaleUp"}, {Name: "replicaFailure", Value: "exceeded quota: q"}}, "FailedCreate", "확장"},
		"no node":           {[]trace.Fact{{Name: "unschedulablePods", Value: "2"}}, "Unschedulable", "막힘"},
		"a node may come":   {[]trace.Fact{{Name: "unschedulablePods", Value: "4"}, {Name: "pendingPods", Value: "4"}, {Name: "action", Value: "keep"}}, "Unschedulable", "유지"},
		"the HPA says more": {[]trace.Fact{{Name: "action", Value: "keep"}, {Name: "conditionReason", Value: "FailedGetResourceMetric"}, {Name: "replicaFailure", Value: "exceeded quota: q"}}, "FailedGetResourceMetric", "유지"},
		"a VPA that keeps":  {vpa(), "", "유지"},
		"a budget":          {vpa(trace.Fact{Name: "evictionRefused/web-1", Value: "TooManyRequests"}), "TooManyRequests", "막힘"},
		"no target":         {vpa(trace.Fact{Name: "conditionReason", Value: "ConfigUnsupported"}, trace.Fact{Name: "condition/NoPodsMatched", Value: "True"}), "ConfigUnsupported", "막힘"},
		"no pods at first":  {vpa(trace.Fact{Name: "condition/NoPodsMatched", Value: "True"}), "NoPodsMatched", "막힘"},
		"pods again":        {vpa(trace.Fact{Name: "condition/NoPodsMatched", Value: "False"}, trace.Fact{Name: "condition/RecommendationProvided", Value: "True"}), "", "유지"},
		"too few replicas":  {vpa(trace.Fact{Name: "verdict/web-1", Value: "heldBack"}), "heldBack", "막힘"},
		"one after another": {[]trace.Fact{{Name: "interval", Value: "1m"}, {Name: "verdict/web-1", Value: "heldBack"}, {Name: "action", Value: "evict"}}, "", "재생성"},
		"nobody admits":     {vpa(trace.Fact{Name: "admissionAlive", Value: "false"}), "AdmissionControllerNotReady", "막힘"},
		"a node that waits": {vpa(trace.Fact{Name: "resizePending/web-1", Value: "Deferred"}), "Deferred", "막힘"},
	} {
		got := NewTick([]trace.Frame{{Pass: 1, Facts: c.facts}})
		if got.Reason != c.reason || got.decision() != c.decision {
			t.Errorf("%s: %s %q, want %s %q", name, got.decision(), got.Reason, c.decision, c.reason)
		}
	}
}

// TestVPARowsFromTheFirst: a pass of a VPA is told in its own columns also where it has
// no pods and no recommendation yet.
func TestVPARowsFromTheFirst(t *testing.T) {
	if !NewTick([]trace.Frame{{Facts: []trace.Fact{{Name: "interval", Value: "1m"}, {Name: "action", Value: "keep"}}}}).vpa() {
		t.Error("it is told as an HPA's")
	}
}
