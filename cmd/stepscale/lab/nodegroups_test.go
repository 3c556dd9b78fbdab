package lab

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/scenarios"
)

// passes plays a scenario that ships, and holds every frame against what its loop says of
// itself: facts that are declared and in their units, and no writes but of the step's actor.
func passes(t *testing.T, loop, scenario string, n int) map[int]map[trace.StepID]trace.Frame {
	t.Helper()
	l, err := Find(loop)
	if err != nil {
		t.Fatal(err)
	}
	of, err := l.Scenario(scenarios.FS, scenario)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{Cluster: simulated(t), Loop: l, Scenario: of, Phases: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	played := map[int]map[trace.StepID]trace.Frame{}
	for range n * len(l.Steps) {
		f, err := s.Session().Next()
		if err != nil {
			t.Fatalf("pass %d, %s: %v", f.Pass, f.Step, err)
		}
		for _, c := range l.Trespasses(f) {
			t.Errorf("pass %d, %s: %s did %s %s", f.Pass, f.Step, c.Actor, c.Verb, c.Path)
		}
		for _, fact := range f.Facts {
			if unit, ok := l.Facts.Unit(fact.Name); !ok || !unit.Fits(fact.Value) {
				t.Errorf("pass %d, %s: %s = %q is a %q", f.Pass, f.Step, fact.Name, fact.Value, unit)
			}
		}
		if played[f.Pass] == nil {
			played[f.Pass] = map[trace.StepID]trace.Frame{}
		}
		played[f.Pass][f.Step] = f
	}
	return played
}

// told is a fact of a step in a pass, to compare: "2 4-estimate/binpack nodesNeeded/general=2".
func told(t *testing.T, played map[int]map[trace.StepID]trace.Frame, loop string, want []string) {
	t.Helper()
	for _, w := range want {
		var pass int
		var step, fact string
		if _, err := fmt.Sscan(w, &pass, &step, &fact); err != nil {
			t.Fatal(err)
		}
		name, value, _ := strings.Cut(fact, "=")
		f := played[pass][trace.StepID(loop+"/"+step)]
		if got, _ := f.Fact(name); got != value {
			t.Errorf("pass %d, %s: %s is %q, want %q (%v)", pass, step, name, got, value, f.Facts)
		}
	}
}

// TestNodeGroupGrows: pods wait, a group is chosen and ordered from once, its nodes come and
// take the pods.
func TestNodeGroupGrows(t *testing.T) {
	played := passes(t, "cluster-autoscaler", "ca-web", 5)
	told(t, played, "cluster-autoscaler", []string{
		"1 1-pending/create createdPods=4", "1 1-pending/mark unschedulablePods=4", "1 2-filter/young scaleUpVerdict=InCooldown", "1 6-scale/target action=keep",
		"2 1-pending/list waitingPods=4", "2 2-filter/schedulable helpPods=4", "2 2-filter/young scaleUpVerdict=Needed", "2 3-groups/equivalence podKinds=1",
		"2 3-groups/valid validGroups=3", "2 3-groups/predicates groupFits/general=4", "2 3-groups/predicates groupFits/arm=0",
		"2 4-estimate/binpack nodesNeeded/general=2", "2 4-estimate/binpack nodesNeeded/large=1", "2 5-expand/score bestGroup=general",
		"2 6-scale/target action=addNode", "2 6-scale/target groupTarget/general=3", "2 7-node/join newNodes=0",
		"3 1-pending/upcoming upcomingNodes=2", "3 2-filter/schedulable fittingPods=4", "3 2-filter/young scaleUpVerdict=NotNeeded",
		"4 7-node/join newNodes=2", "4 7-node/ready startedNodes=0", "4 8-pods/bind boundPods=0",
		"5 1-pending/upcoming upcomingNodes=2", "5 7-node/ready startedNodes=2", "5 8-pods/bind boundPods=4", "5 8-pods/run readyPods=10",
	})
}

// TestNodeGoesAfterTenMinutes: ten minutes are not enough, and one node is drained at a time.
func TestNodeGoesAfterTenMinutes(t *testing.T) {
	played := passes(t, "cluster-autoscaler-down", "ca-idle", 13)
	told(t, played, "cluster-autoscaler-down", []string{
		"1 1-candidates/order candidateNodes=3", "1 2-eligible/utilization nodeUtilization/general-1=0.259", "1 3-simulate/place removableNodes=2",
		"1 4-unneeded/since unneededNodes=2", "1 6-budget/pick action=keep", "1 6-budget/pick nodeKept/general-1=NotUnneededLongEnough",
		"11 4-unneeded/since unneededFor/general-1=10m0s", "11 6-budget/pick action=keep",
		"12 6-budget/pick action=removeNode", "12 6-budget/pick nodesToDelete=1", "12 6-budget/pick heldNodes=1", "12 7-taint/mark taintedNodes=1",
		"12 8-drain/evict evictedPods=1", "12 9-delete/node deletedNodes=1", "12 9-delete/node groupTarget/general=2", "12 10-pods/recreate createdPods=1", "12 10-pods/run readyPods=3",
	})
}
