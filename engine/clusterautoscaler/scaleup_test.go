package clusterautoscaler

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestEquivalence mirrors core/scaleup/equivalence/groups_test.go.
func TestEquivalence(t *testing.T) {
	var many []*corev1.Pod
	for i := range 12 {
		many = append(many, pending(2, fmt.Sprintf("p%d", i), fmt.Sprintf("%dm", 100+i), "1Gi")...)
	}
	env := func(p *corev1.Pod) { p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "POD", Value: p.Name}} }
	token := func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "token-" + p.Name, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}}}
		p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "token-" + p.Name, MountPath: "/var/run"}}
	}
	for _, c := range []struct {
		name string
		pods []*corev1.Pod
		want []int // sizes
	}{
		{"one controller, one spec", pending(5, "web", "1", "1Gi"), []int{5}},
		{"another spec", append(pending(2, "web", "1", "1Gi"), pending(3, "big", "2", "1Gi")...), []int{2, 3}},
		{"other labels", append(pending(2, "web", "1", "1Gi"), pending(1, "blue", "1", "1Gi", labelled("color", "blue"))...), []int{2, 1}},
		{"another controller", append(pending(2, "web", "1", "1Gi"), pending(2, "api", "1", "1Gi", owned("ReplicaSet", "api"))...), []int{2, 2}},
		{"no controller", pending(3, "bare", "1", "1Gi", bare), []int{1, 1, 1}},
		{"environment variables do not count", pending(2, "web", "1", "1Gi", env), []int{2}},
		{"projected volumes do not count", pending(2, "web", "1", "1Gi", token), []int{2}},
		{"ten kinds of one controller, then each pod on its own", many, []int{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1}},
	} {
		u := autoscaler(t).ScaleUp(&Cluster{Now: now})
		u.Help = c.pods
		u.Equivalence()
		var sizes []int
		for _, k := range u.Kinds {
			sizes = append(sizes, len(k.Pods))
		}
		if !slices.Equal(sizes, c.want) {
			t.Errorf("%s: %v, want %v", c.name, sizes, c.want)
		}
	}
}

// TestSkippedGroups has a row for every reason for which a node group is not looked at, and
// for what the event NotTriggerScaleUp says of it.
func TestSkippedGroups(t *testing.T) {
	pods := pending(1, "web", "1", "1Gi")
	for _, c := range []struct {
		mirrors string
		group   func(*NodeGroup)
		options func(*Options)
		before  func(*Autoscaler)
		want    string
	}{
		{"orchestrator.go filterValidScaleUpNodeGroups", nil, nil, nil, ""},
		{"orchestrator.go MaxLimitReachedReason", func(g *NodeGroup) { g.Max = g.Target }, nil, nil, "max node group size reached"},
		{"orchestrator.go BackoffReason", nil, nil, func(a *Autoscaler) { a.backOff("g", now) }, "in backoff after failed scale-up"},
		{"orchestrator.go NotReadyReason: four of four are missing and nobody has ordered them", func(g *NodeGroup) { g.Target = 4 }, nil, nil, "not ready for scale-up"},
		{"clusterstate.go IsNodeGroupHealthy: three are fine", func(g *NodeGroup) { g.Target = 3 }, nil, nil, ""},
		{"clusterstate.go IsNodeGroupHealthy: they are ordered", func(g *NodeGroup) { g.Target = 4 }, nil, func(a *Autoscaler) { a.ScaledUp("g", 4, now) }, ""},
		{"orchestrator.go NewMaxResourceLimitReached", nil, func(o *Options) { o.Cores.Max = 3 }, nil, `exceeded quota: "cluster-wide", resources: cpu`},
		{"orchestrator.go NewMaxResourceLimitReached: two", nil, func(o *Options) { o.Cores.Max, o.Memory.Max = 3, 1<<30 }, nil, `exceeded quota: "cluster-wide", resources: cpu, memory`},
	} {
		g := group("g", 0, 9, "4", "8Gi")
		if c.group != nil {
			c.group(g)
		}
		a := autoscaler(t)
		if c.options != nil {
			c.options(&a.Options)
		}
		if c.before != nil {
			c.before(a)
		}
		u := a.ScaleUp(&Cluster{Now: now, Groups: []*NodeGroup{g}})
		u.Help = pods
		u.Equivalence()
		u.Valid()
		got := ""
		if len(u.Skipped) > 0 {
			got = u.Skipped[0].Reason
		}
		if got != c.want || (got == "") != (len(u.Candidates) == 1) {
			t.Errorf("%s: %q, want %q", c.mirrors, got, c.want)
		}
		if why := u.WhyNot(u.Kinds[0]); c.want != "" && why != "1 "+c.want {
			t.Errorf("%s: event says %q", c.mirrors, why)
		}
	}
}

// TestPredicates: the words are the scheduler's.
func TestPredicates(t *testing.T) {
	tainted := group("tainted", 0, 9, "4", "8Gi")
	tainted.Template.Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoSchedule}}
	for _, c := range []struct {
		group *NodeGroup
		pod   func(*corev1.Pod)
		want  string
	}{
		{group("fits", 0, 9, "4", "8Gi"), nil, ""},
		{group("cpu", 0, 9, "1", "8Gi"), nil, "NodeResourcesFit: Insufficient cpu"},
		{group("both", 0, 9, "1", "1Gi"), nil, "NodeResourcesFit: Insufficient cpu, Insufficient memory"},
		{group("selector", 0, 9, "4", "8Gi"), selecting(corev1.LabelArchStable, "arm64"), "NodeAffinity: node(s) didn't match Pod's node affinity/selector"},
		{tainted, nil, "TaintToleration: node(s) had untolerated taint(s)"},
		{group("named", 0, 9, "4", "8Gi"), func(p *corev1.Pod) { // PreFilter names the only node that would do
			p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{"other"}}}}}}}}
		}, "PreFilter: PreFilter filtered the Node out"},
	} {
		change := []func(*corev1.Pod){}
		if c.pod != nil {
			change = append(change, c.pod)
		}
		u := scaleUp(t, autoscaler(t), &Cluster{Pods: pending(1, "web", "2", "2Gi", change...), Groups: []*NodeGroup{c.group}})
		got := ""
		if no := u.Kinds[0].Refused[c.group.Name]; no != nil {
			got = no.String()
		}
		if got != c.want || (got == "") != (u.Best != nil) {
			t.Errorf("%s: %q, want %q", c.group.Name, got, c.want)
		}
	}
}

// TestEstimate mirrors estimator/binpacking_estimator_test.go and its rules one by one.
func TestEstimate(t *testing.T) {
	apart := func(p *corev1.Pod) {
		p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: selector(p.Labels)}}
	}
	byZone := func(p *corev1.Pod) {
		apart(p)
		p.Spec.TopologySpreadConstraints[0].TopologyKey = corev1.LabelTopologyZone
	}
	full := node("full", "50m", "1Gi")
	zoneB := node("full-b", "50m", "1Gi", func(n *corev1.Node) { n.Labels[corev1.LabelTopologyZone] = "b" })
	port := func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: 80, ContainerPort: 80}}
	}
	for _, c := range []struct {
		name    string
		pods    []*corev1.Pod
		nodes   []*corev1.Node
		change  func(*NodeGroup, *Options)
		want    int
		helped  int
		packing string // pods on each node
	}{
		{"four halves on two", pending(4, "web", "1", "1Gi"), nil, nil, 2, 4, "2 2"},
		{"memory decides", pending(4, "web", "100m", "3Gi"), nil, nil, 4, 4, "1 1 1 1"},
		{"large kinds first, small ones fill up", append(pending(4, "small", "500m", "100Mi"), pending(2, "big", "1500m", "100Mi", owned("ReplicaSet", "big"))...), nil, nil, 3, 6, "2 2 2"},
		{"a host port: one on a node", pending(3, "web", "100m", "100Mi", port), nil, nil, 3, 3, "1 1 1"},
		{"spread over hosts: there is but one", pending(4, "web", "100m", "100Mi", apart), nil, nil, 1, 4, "4"},
		{"spread over hosts: a full one counts too", pending(4, "web", "100m", "100Mi", apart), []*corev1.Node{full}, nil, 4, 4, "1 1 1 1"},
		{"spread over zones: a new node in the same zone helps nobody", pending(3, "web", "100m", "100Mi", byZone), []*corev1.Node{zoneB}, nil, 1, 1, "1"},
		{"--max-nodes-per-scaleup", pending(4, "web", "1", "1Gi"), nil, func(_ *NodeGroup, o *Options) { o.MaxNodesPerScaleUp = 1 }, 1, 2, "2"},
		{"what is left of the group", pending(9, "web", "1", "1Gi"), nil, func(g *NodeGroup, _ *Options) { g.Max, g.Target = 5, 2 }, 3, 6, "2 2 2"},
		{"what is left of --max-nodes-total", pending(9, "web", "1", "1Gi"), []*corev1.Node{node("old", "1m", "1Mi")}, func(_ *NodeGroup, o *Options) { o.MaxNodesTotal = 3 }, 2, 4, "2 2"},
		{"DaemonSet pods of the template take their part", pending(4, "web", "1", "1Gi"), nil, func(g *NodeGroup, _ *Options) {
			g.Daemons = []*corev1.Pod{pod("agent", "200m", "100Mi", owned("DaemonSet", "agent"))}
		}, 4, 4, "1 1 1 1"},
	} {
		a := autoscaler(t)
		g := group("g", 0, 100, "2", "4Gi")
		if c.change != nil {
			c.change(g, &a.Options)
		}
		u := scaleUp(t, a, &Cluster{Pods: c.pods, Nodes: c.nodes, Groups: []*NodeGroup{g}})
		if len(u.Choices) != 1 {
			t.Errorf("%s: %d choices", c.name, len(u.Choices))
			continue
		}
		choice := u.Choices[0]
		var packing []string
		for _, b := range choice.Bins {
			packing = append(packing, fmt.Sprint(len(b.Pods)))
		}
		if got := strings.Join(packing, " "); choice.Nodes != c.want || len(choice.Pods) != c.helped || got != c.packing {
			t.Errorf("%s: %d nodes for %d pods (%s); want %d, %d (%s)", c.name, choice.Nodes, len(choice.Pods), got, c.want, c.helped, c.packing)
		}
	}
}

// TestLimitEndsEstimation: when no node may be opened any more, the next kinds may still
// fill what is open, and open nothing (binpacking_estimator.go Estimate, newNodesAvailable).
func TestLimitEndsEstimation(t *testing.T) {
	a := autoscaler(t, func(o *Options) { o.MaxNodesPerScaleUp = 1 })
	pods := append(pending(2, "big", "1500m", "1Gi"), pending(2, "small", "400m", "100Mi", owned("ReplicaSet", "small"))...)
	u := scaleUp(t, a, &Cluster{Pods: pods, Groups: []*NodeGroup{group("g", 0, 9, "2", "4Gi")}})
	if got := names(u.Choices[0].Pods); !slices.Equal(got, []string{"big-0", "small-0"}) {
		t.Errorf("%v", got)
	}
}

// TestSize has a row for each limit between the best choice and the order.
func TestSize(t *testing.T) {
	for _, c := range []struct {
		mirrors string
		pods    int
		groups  []*NodeGroup
		options func(*Options)
		want    string
		capped  []string
	}{
		{"orchestrator.go prepareScaleUp", 4, []*NodeGroup{group("a", 0, 9, "2", "4Gi")}, nil, "a 0→2", nil},
		{"orchestrator.go applyLimits", 8, []*NodeGroup{group("a", 0, 9, "2", "4Gi")}, func(o *Options) { o.Cores.Max = 5 }, "a 0→2", []string{CappedByQuota}},
		{"balancing_processor.go: the smaller one first", 8, []*NodeGroup{group("a", 0, 9, "2", "4Gi").holding("n1", "n2"), group("b", 0, 9, "2", "4Gi")}, balanced, "a 2→3 b 0→3", nil},
		{"balancing_processor.go: none beyond its maximum", 8, []*NodeGroup{group("a", 0, 3, "2", "4Gi"), group("b", 0, 1, "2", "4Gi")}, balanced, "a 0→3 b 0→1", nil},
		{"compare_nodegroups.go: another memory is another group", 4, []*NodeGroup{group("a", 0, 9, "2", "4Gi"), group("b", 0, 9, "2", "5Gi")}, balanced, "a 0→2", nil},
		{"compare_nodegroups.go: 1.5 % of memory is none", 4, []*NodeGroup{group("a", 0, 9, "2", "4000Mi"), group("b", 0, 9, "2", "4050Mi")}, balanced, "a 0→1 b 0→1", nil},
	} {
		a := autoscaler(t)
		if c.options != nil {
			c.options(&a.Options)
		}
		cluster := &Cluster{Pods: pending(c.pods, "web", "1", "1Gi"), Groups: c.groups}
		for _, g := range c.groups {
			for _, n := range g.Nodes {
				cluster.Nodes = append(cluster.Nodes, node(n, "2", "4Gi"))
				cluster.Pods = append(cluster.Pods, pod("full-"+n, "2", "1Gi", on(n)))
			}
		}
		u := scaleUp(t, a, cluster)
		var got []string
		for _, r := range u.Resizes {
			got = append(got, fmt.Sprintf("%s %d→%d", r.Group.Name, r.From, r.To))
		}
		slices.Sort(got)
		if s := strings.Join(got, " "); s != c.want || !slices.Equal(u.Capped, c.capped) {
			t.Errorf("%s: %s %v, want %s %v", c.mirrors, s, u.Capped, c.want, c.capped)
		}
	}
}

func balanced(o *Options) { o.BalanceSimilarNodeGroups = true }

// TestBackoff: 5 minutes, twice as long each time, at most 30; forgotten after 3 hours
// (utils/backoff/exponential_backoff.go).
func TestBackoff(t *testing.T) {
	a := autoscaler(t)
	at := now
	for _, want := range []time.Duration{5, 10, 20, 30, 30} {
		a.backOff("g", at)
		if got := a.backedOff("g", at); got != want*time.Minute {
			t.Errorf("backed off for %s, want %sm", got, want)
		}
		at = at.Add(a.backedOff("g", at) + 1)
	}
	a.backOff("g", at)
	a.backOff("g", at.Add(time.Minute)) // within: no longer than before
	if got := a.backedOff("g", at.Add(time.Minute)); got != 30*time.Minute {
		t.Errorf("%s while backed off", got)
	}
	at = at.Add(time.Minute + 3*time.Hour + 1)
	if a.backOff("g", at); a.backedOff("g", at) != 5*time.Minute {
		t.Errorf("%s after three hours", a.backedOff("g", at))
	}
}

// TestObserve: an order is fulfilled, or has failed after 15 minutes.
func TestObserve(t *testing.T) {
	g := group("g", 0, 9, "2", "4Gi")
	g.Target = 1
	a := autoscaler(t)
	a.ScaledUp("g", 1, now)
	for _, c := range []struct {
		after  time.Duration
		ready  bool
		open   bool
		failed bool
	}{{15 * time.Minute, false, true, false}, {15*time.Minute + 1, false, false, true}} {
		a.Observe(&Cluster{Now: now.Add(c.after), Groups: []*NodeGroup{g}})
		_, open := a.requests["g"]
		if failed := a.backedOff("g", now.Add(c.after)) > 0; open != c.open || failed != c.failed {
			t.Errorf("after %s: open %v, failed %v", c.after, open, failed)
		}
	}
	a.ScaledUp("g", 1, now)
	a.Observe(&Cluster{Now: now, Nodes: []*corev1.Node{node("n", "2", "4Gi")}, Groups: []*NodeGroup{g.holding("n")}})
	if _, open := a.requests["g"]; open || a.backedOff("g", now) > 0 {
		t.Error("the node is there and the order is open, or its backoff is kept")
	}
}
