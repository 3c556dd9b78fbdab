package clusterautoscaler

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func three() []*corev1.Node {
	return []*corev1.Node{node("n1", "2", "4Gi"), node("n2", "2", "4Gi"), node("n3", "2", "4Gi")}
}

func beingDeleted(n *corev1.Node) {
	n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: ToBeDeletedTaint, Effect: corev1.TaintEffectNoSchedule})
}

// TestAFailedRemovalLeavesNothing: where one pod of a node has no place, those before it have
// not moved either (simulator/cluster.go SimulateNodeRemoval: Revert).
func TestAFailedRemovalLeavesNothing(t *testing.T) {
	pods := []*corev1.Pod{pod("a", "100m", "1Gi", on("n1")), pod("fixed", "100m", "1Gi", on("n1"), selecting(corev1.LabelHostname, "n1")),
		pod("b", "100m", "1Gi", on("n2")), pod("c", "1500m", "1Gi", on("n3"))}
	d := scaleDown(t, autoscaler(t), &Cluster{Nodes: three(), Pods: pods, Groups: []*NodeGroup{group("g", 0, 9, "2", "4Gi").holding("n1", "n2", "n3")}})
	if got := places(d); got != "n1:NoPlaceToMovePods n2:b→n3" {
		t.Error(got)
	}
}

// TestANodeThatGoesTakesNoPods, not even those that tolerate everything
// (core/scaledown/planner/planner.go categorizeNodes: podDestinations).
func TestANodeThatGoesTakesNoPods(t *testing.T) {
	tolerant := func(p *corev1.Pod) { p.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}} }
	nodes := []*corev1.Node{node("n1", "2", "4Gi"), node("n2", "2", "4Gi", beingDeleted)}
	d := scaleDown(t, autoscaler(t), &Cluster{Nodes: nodes, Pods: []*corev1.Pod{pod("a", "100m", "1Gi", on("n1"), tolerant)}, Groups: []*NodeGroup{group("g", 0, 9, "2", "4Gi").holding("n1", "n2")}})
	if got := places(d); got != "n1:NoPlaceToMovePods" {
		t.Error(got)
	}
}

// TestTheGhostIsTainted: a spread that does not count tainted nodes does not count the node
// that is taken away (simulator/cluster.go replaceWithTaintedGhostNode).
func TestTheGhostIsTainted(t *testing.T) {
	honor := corev1.NodeInclusionPolicyHonor
	apart := func(p *corev1.Pod) {
		p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.DoNotSchedule, NodeTaintsPolicy: &honor, LabelSelector: selector(p.Labels)}}
	}
	pods := []*corev1.Pod{pod("a", "100m", "1Gi", on("n1"), apart), pod("b", "100m", "1Gi", on("n2"), apart), pod("c", "100m", "1Gi", on("n3"), apart)}
	d := scaleDown(t, autoscaler(t), &Cluster{Nodes: three(), Pods: pods, Groups: []*NodeGroup{group("g", 0, 9, "2", "4Gi").holding("n1", "n2", "n3")}})
	if got := places(d); !strings.HasPrefix(got, "n1:a→n2 ") {
		t.Error(got)
	}
}

// TestNodesThatGoAreNoSize: they have left the group's size already
// (core/scaledown/unneeded/nodes.go RemovableAt: size − deletions in progress).
func TestNodesThatGoAreNoSize(t *testing.T) {
	a, nodes := autoscaler(t), three()
	beingDeleted(nodes[2])
	c := &Cluster{Nodes: nodes, Groups: []*NodeGroup{group("g", 1, 9, "2", "4Gi").holding("n1", "n2", "n3")}}
	scaleDown(t, a, c)
	c.Now = now.Add(11 * time.Minute)
	if d := scaleDown(t, a, c); !slices.Equal(nodesOf(d.Empty), []string{"n1"}) || d.Removable[1].Reason != NodeGroupMinSizeReached {
		t.Errorf("%v go, %+v", nodesOf(d.Empty), d.Removable)
	}
}

// TestCandidatesOfTheLastLoopComeFirst (processors/scaledowncandidates/previouscandidates).
func TestCandidatesOfTheLastLoopComeFirst(t *testing.T) {
	a := autoscaler(t)
	a.unneeded["n2"] = now.Add(-time.Minute)
	d := scaleDown(t, a, &Cluster{Nodes: three(), Pods: spreadOver("n1", "n2"), Groups: []*NodeGroup{group("g", 0, 9, "2", "4Gi").holding("n1", "n2", "n3")}})
	if got := names(d.Candidates); !slices.Equal(got, []string{"n3", "n2", "n1"}) {
		t.Error(got)
	}
}
