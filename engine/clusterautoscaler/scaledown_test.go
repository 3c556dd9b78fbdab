package clusterautoscaler

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

// places writes what the simulation found: "n1:p→n2 n2:BlockedByPod".
func places(d *ScaleDown) string {
	var all []string
	for _, r := range d.Removals {
		var moves []string
		for _, m := range r.Moves {
			moves = append(moves, m.Pod+"→"+m.Node)
		}
		what := string(r.Reason)
		if r.Reason == "" {
			what = strings.Join(moves, ",")
		}
		all = append(all, r.Node.Name+":"+what)
	}
	return strings.Join(all, " ")
}

// TestSimulation is core/scaledown/planner/planner.go categorizeNodes and
// simulator/cluster.go SimulateNodeRemoval.
func TestSimulation(t *testing.T) {
	port := func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: 80, ContainerPort: 80}}
	}
	apart := func(p *corev1.Pod) {
		p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: selector(p.Labels)}}
	}
	for _, c := range []struct {
		name    string
		pods    []*corev1.Pod
		budgets []*policyv1.PodDisruptionBudget
		want    string
	}{
		{"empty first", []*corev1.Pod{pod("a", "500m", "1Gi", on("n1")), pod("b", "500m", "1Gi", on("n2"))}, nil, "n3: n1:a→n2 n2:NoPlaceToMovePods"},
		{"what has moved stays moved", []*corev1.Pod{pod("a", "1", "1Gi", on("n1")), pod("b", "1", "1Gi", on("n2")), pod("c", "1500m", "1Gi", on("n3"))}, nil, "n1:a→n2 n2:NoPlaceToMovePods"},
		{"a host port is taken", []*corev1.Pod{pod("a", "100m", "1Gi", on("n1"), port), pod("b", "100m", "1Gi", on("n2"), port), pod("c", "100m", "1Gi", on("n3"), port)}, nil, "n1:NoPlaceToMovePods n2:NoPlaceToMovePods n3:NoPlaceToMovePods"},
		{"the node is a place to count still", []*corev1.Pod{pod("a", "100m", "1Gi", on("n1"), apart), pod("b", "100m", "1Gi", on("n2"), apart), pod("c", "100m", "1Gi", on("n3"), apart)}, nil, "n1:NoPlaceToMovePods n2:NoPlaceToMovePods n3:NoPlaceToMovePods"},
		{"a pod blocks", []*corev1.Pod{pod("a", "100m", "1Gi", on("n1"), bare), pod("b", "1500m", "1Gi", on("n2")), pod("c", "1500m", "1Gi", on("n3"))}, nil, "n1:BlockedByPod"},
		{"the budget is spent by the node before", []*corev1.Pod{pod("a", "100m", "1Gi", on("n1")), pod("b", "100m", "1Gi", on("n2")), pod("c", "1500m", "1Gi", on("n3"))},
			[]*policyv1.PodDisruptionBudget{budget("web", 1)}, "n1:a→n2 n2:BlockedByPod"},
		{"DaemonSet pods need no place", []*corev1.Pod{pod("ds", "100m", "1Gi", on("n1"), owned("DaemonSet", "ds")), pod("b", "1500m", "1Gi", on("n2")), pod("c", "1500m", "1Gi", on("n3"))}, nil, "n1:"},
		{"expendable pods are as if they were not there", []*corev1.Pod{pod("low", "2", "1Gi", on("n1"), priority(-11)), pod("b", "1500m", "1Gi", on("n2")), pod("c", "1500m", "1Gi", on("n3"))}, nil, "n1:"},
	} {
		nodes := []*corev1.Node{node("n1", "2", "4Gi"), node("n2", "2", "4Gi"), node("n3", "2", "4Gi")}
		d := scaleDown(t, autoscaler(t), &Cluster{Nodes: nodes, Pods: c.pods, Budgets: c.budgets, Groups: []*NodeGroup{group("g", 0, 9, "2", "4Gi").holding("n1", "n2", "n3")}})
		if got := places(d); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestHomeless: a node that stays says which pod has no place and what each other node
// says of it.
func TestHomeless(t *testing.T) {
	d := scaleDown(t, autoscaler(t), &Cluster{
		Nodes:  []*corev1.Node{node("n1", "2", "4Gi"), node("n2", "1", "4Gi")},
		Pods:   []*corev1.Pod{pod("a", "1", "1Gi", on("n1")), pod("b", "800m", "1Gi", on("n2"))},
		Groups: []*NodeGroup{group("g", 0, 9, "2", "4Gi").holding("n1")},
	})
	r := d.Removals[0]
	if r.Reason != NoPlaceToMovePods || r.Homeless.Name != "a" || len(r.Refused) != 1 || r.Refused["n2"].String() != "NodeResourcesFit: Insufficient cpu" {
		t.Errorf("%+v", r)
	}
}

// TestUnneededClock is core/scaledown/unneeded/nodes.go: ten minutes in a row, and the
// moment itself is too early.
func TestUnneededClock(t *testing.T) {
	idle := pod("p", "100m", "1Gi", on("n1"))
	busy := pod("p", "1500m", "1Gi", on("n1"))
	for _, c := range []struct {
		mirrors string
		loops   []time.Duration // when the loop runs
		busy    []time.Duration // when the node is needed
		ready   bool
		want    Reason
		left    time.Duration
	}{
		{"RemovableAt: 10m − 1s", []time.Duration{0, 10*time.Minute - time.Second}, nil, true, NotUnneededLongEnough, time.Second},
		{"RemovableAt: 10m are not more than 10m", []time.Duration{0, 10 * time.Minute}, nil, true, NotUnneededLongEnough, 0},
		{"RemovableAt: 10m + 1s", []time.Duration{0, 10*time.Minute + time.Second}, nil, true, "", 0},
		{"Update: needed in one loop, counted anew", []time.Duration{0, 5 * time.Minute, 6 * time.Minute, 11 * time.Minute}, []time.Duration{5 * time.Minute}, true, NotUnneededLongEnough, 5 * time.Minute},
		{"RemovableAt: unready takes 20m", []time.Duration{0, 15 * time.Minute}, nil, false, NotUnreadyLongEnough, 5 * time.Minute},
	} {
		a := autoscaler(t)
		n := node("n1", "2", "4Gi")
		if !c.ready {
			unready(n)
		}
		var d *ScaleDown
		for _, at := range c.loops {
			pods := []*corev1.Pod{idle}
			if slices.Contains(c.busy, at) {
				pods = []*corev1.Pod{busy}
			}
			d = scaleDown(t, a, &Cluster{Now: now.Add(at), Nodes: []*corev1.Node{n, node("n2", "2", "4Gi")}, Pods: pods, Groups: []*NodeGroup{group("g", 0, 9, "2", "4Gi").holding("n1")}})
		}
		if len(d.Removable) != 1 || d.Removable[0].Reason != c.want || d.Removable[0].Left != c.left {
			t.Errorf("%s: %+v, want %q, %s left", c.mirrors, d.Removable, c.want, c.left)
		}
	}
}

// TestWhoGoes has a row for what stops an unneeded node last: limits, delays, budgets.
func TestWhoGoes(t *testing.T) {
	three := []string{"n1", "n2", "n3"}
	for _, c := range []struct {
		mirrors string
		pods    []*corev1.Pod
		group   func(*NodeGroup)
		options func(*Options)
		before  func(*Autoscaler)
		reasons map[string]Reason
		empty   []string
		drain   []string
	}{
		{"planner.go NodesToDelete: empty ones together", nil, nil, nil, nil, nil, three, nil},
		{"nodes.go verifyMinSize", nil, func(g *NodeGroup) { g.Min = 2 }, nil, nil, map[string]Reason{"n2": NodeGroupMinSizeReached, "n3": NodeGroupMinSizeReached}, []string{"n1"}, nil},
		{"nodes.go unremovableReason: --cores-total", nil, nil, func(o *Options) { o.Cores.Min = 20 }, nil, map[string]Reason{"n2": MinimalResourceLimitExceeded, "n3": MinimalResourceLimitExceeded}, []string{"n1"}, nil},
		{"nodes.go unremovableReason: --memory-total", nil, nil, func(o *Options) { o.Memory.Min = 70 << 30 }, nil, map[string]Reason{"n2": MinimalResourceLimitExceeded, "n3": MinimalResourceLimitExceeded}, []string{"n1"}, nil},
		{"planner.go NodesToDelete: on-completion", []*corev1.Pod{pod("job", "1m", "1Mi", on("n1"), note(SafeToEvict, "on-completion"))}, nil, nil, nil, map[string]Reason{"n1": BlockedByOnCompletionPod}, []string{"n2", "n3"}, nil},
		{"budgets.go CropNodes: one is drained", spreadOver(three...), nil, nil, nil, nil, nil, []string{"n1"}},
		{"budgets.go CropNodes: --max-drain-parallelism", spreadOver(three...), nil, func(o *Options) { o.DrainParallelism = 2 }, nil, nil, nil, []string{"n1", "n2"}},
		{"budgets.go CropNodes: --max-scale-down-parallelism", nil, nil, func(o *Options) { o.Parallelism = 2 }, nil, nil, []string{"n1", "n2"}, nil},
		{"budgets.go CropNodes: empty ones leave nothing", spreadOver("n1"), nil, func(o *Options) { o.Parallelism = 2 }, nil, nil, []string{"n2", "n3"}, nil},
		{"planner.go sortByRisk: those that a budget holds back come last", append(spreadOver("n2"), pod("r1", "10m", "1Mi", on("n1"), labelled("app", "guarded"), selecting("size", "big")), pod("r2", "10m", "1Mi", on("n1"), labelled("app", "guarded"), selecting("size", "big"))), nil, nil, nil, nil, []string{"n3"}, []string{"n2"}},
		{"static_autoscaler.go isScaleDownInCooldown: after a scale-up", nil, nil, nil, func(a *Autoscaler) { a.ScaledUp("g", 1, now.Add(time.Minute+1)) }, nil, nil, nil},
		{"static_autoscaler.go isScaleDownInCooldown: ten minutes are over", nil, nil, nil, func(a *Autoscaler) { a.ScaledUp("g", 1, now.Add(time.Minute)) }, nil, three, nil},
		{"static_autoscaler.go isScaleDownInCooldown: after a failure", nil, nil, nil, func(a *Autoscaler) { a.DeleteFailed(now.Add(8*time.Minute + 1)) }, nil, nil, nil},
		{"static_autoscaler.go isScaleDownInCooldown: three minutes are over", nil, nil, nil, func(a *Autoscaler) { a.DeleteFailed(now.Add(8 * time.Minute)) }, nil, three, nil},
		{"static_autoscaler.go isScaleDownInCooldown: nothing after a deletion", nil, nil, nil, func(a *Autoscaler) { a.Deleting(now.Add(11 * time.Minute)) }, nil, three, nil},
		{"static_autoscaler.go isScaleDownInCooldown: --scale-down-delay-after-delete", nil, nil, func(o *Options) { o.DelayAfterDelete = time.Second }, func(a *Autoscaler) { a.Deleting(now.Add(11 * time.Minute)) }, nil, nil, nil},
	} {
		a := autoscaler(t)
		if c.options != nil {
			c.options(&a.Options)
		}
		if c.before != nil {
			c.before(a)
		}
		g := group("g", 0, 9, "2", "4Gi").holding(three...)
		if c.group != nil {
			c.group(g)
		}
		cluster := &Cluster{Groups: []*NodeGroup{g}, Pods: c.pods, Nodes: []*corev1.Node{node("big", "16", "64Gi", func(n *corev1.Node) { n.Labels["size"] = "big" })}, Budgets: []*policyv1.PodDisruptionBudget{budget("guarded", 1)}}
		for _, n := range three {
			cluster.Nodes = append(cluster.Nodes, node(n, "2", "4Gi"))
		}
		scaleDown(t, a, cluster)
		cluster.Now = now.Add(11 * time.Minute)
		d := scaleDown(t, a, cluster)
		reasons := map[string]Reason{}
		for _, v := range d.Removable {
			if v.Reason != "" {
				reasons[v.Node.Name] = v.Reason
			}
		}
		if !slices.Equal(nodesOf(d.Empty), c.empty) || !slices.Equal(nodesOf(d.Drain), c.drain) || !maps.Equal(reasons, c.reasons) {
			t.Errorf("%s: empty %v, drain %v, %v; want %v, %v, %v", c.mirrors, nodesOf(d.Empty), nodesOf(d.Drain), reasons, c.empty, c.drain, c.reasons)
		}
	}
}

// spreadOver puts a small pod on each node.
func spreadOver(nodes ...string) (pods []*corev1.Pod) {
	for _, n := range nodes {
		pods = append(pods, pod("on-"+n, "10m", "1Mi", on(n)))
	}
	return pods
}

func nodesOf(of []*Removal) (nodes []string) {
	for _, r := range of {
		nodes = append(nodes, r.Node.Name)
	}
	return nodes
}

// TestRecheck: a node that could not be removed is left alone for five minutes, one that is
// used too much is not (core/scaledown/planner/planner.go unremovableTimeout).
func TestRecheck(t *testing.T) {
	for name, c := range map[string]struct {
		pod  *corev1.Pod
		want [3]Reason // at once, after 5 minutes less a second, after 5 minutes
	}{
		"blocked": {pod("a", "100m", "1Gi", on("n1"), bare), [3]Reason{"", RecentlyUnremovable, ""}},
		"used":    {pod("a", "1500m", "1Gi", on("n1")), [3]Reason{NotUnderutilized, NotUnderutilized, NotUnderutilized}},
	} {
		a := autoscaler(t)
		for i, after := range []time.Duration{0, 5*time.Minute - time.Second, 5 * time.Minute} {
			d := scaleDown(t, a, &Cluster{Now: now.Add(after), Nodes: []*corev1.Node{node("n1", "2", "4Gi")}, Pods: []*corev1.Pod{c.pod}, Groups: []*NodeGroup{group("g", 0, 9, "2", "4Gi").holding("n1")}})
			if got := d.Checked[0].Reason; got != c.want[i] {
				t.Errorf("%s after %s: %q, want %q", name, after, got, c.want[i])
			}
		}
	}
}

// TestLimitOfUnneeded: beyond twice the parallelism the rest is not looked at
// (core/scaledown/planner/planner.go unneededNodesLimit).
func TestLimitOfUnneeded(t *testing.T) {
	cluster := &Cluster{}
	var in []string
	for i := range 25 {
		n := node(fmt.Sprintf("n%02d", i), "2", "4Gi")
		cluster.Nodes, in = append(cluster.Nodes, n), append(in, n.Name)
	}
	cluster.Groups = []*NodeGroup{group("g", 0, 30, "2", "4Gi").holding(in...)}
	d := scaleDown(t, autoscaler(t), cluster)
	skipped := 0
	for _, r := range d.Removals {
		if r.Reason == NotUnneededOtherReason {
			skipped++
		}
	}
	if len(d.Since) != 20 || skipped != 5 {
		t.Errorf("%d unneeded, %d not looked at; want 20, 5", len(d.Since), skipped)
	}
}

// TestHealthy: more than three and more than 45 % at once stop everything
// (clusterstate/clusterstate.go IsClusterHealthy).
func TestHealthy(t *testing.T) {
	for _, c := range []struct {
		unready, all int
		want         bool
	}{{3, 3, true}, {4, 4, false}, {4, 9, true}, {4, 8, false}, {9, 20, true}, {10, 20, false}} {
		cluster := &Cluster{Now: now}
		for i := range c.all {
			n := node(fmt.Sprint(i), "1", "1Gi")
			if i < c.unready {
				unready(n)
			}
			cluster.Nodes = append(cluster.Nodes, n)
		}
		if got := cluster.Healthy(DefaultOptions()); got != c.want {
			t.Errorf("%d of %d unready: %v", c.unready, c.all, got)
		}
	}
}
