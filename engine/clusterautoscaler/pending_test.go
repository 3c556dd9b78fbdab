package clusterautoscaler

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestWhoNeedsHelp has a row for every filter between a Pending pod and a scale-up.
func TestWhoNeedsHelp(t *testing.T) {
	small := node("n1", "1", "2Gi")
	for _, c := range []struct {
		mirrors string
		pods    []*corev1.Pod
		group   *NodeGroup
		options func(*Options)
		want    []string // that need help
		verdict Verdict
	}{
		{"core/static_autoscaler.go listPods: Unschedulable", pending(1, "web", "2", "1Gi"), nil, nil, []string{"web-0"}, Needed},
		{"core/static_autoscaler.go listPods: not looked at yet", []*corev1.Pod{pod("web", "2", "1Gi", func(p *corev1.Pod) { p.Status = corev1.PodStatus{Phase: corev1.PodPending} })}, nil, nil, nil, NotNeeded},
		{"core/static_autoscaler.go listPods: others are preempted for it", pending(1, "web", "2", "1Gi", func(p *corev1.Pod) { p.Status.NominatedNodeName = "n1" }), nil, nil, nil, NotNeeded},
		{"podlistprocessor/filter_out_expendable.go", pending(1, "web", "2", "1Gi", priority(-11)), nil, nil, nil, NotNeeded},
		{"podlistprocessor/filter_out_expendable.go: the cutoff itself is not below it", pending(1, "web", "2", "1Gi", priority(-10)), nil, nil, []string{"web-0"}, Needed},
		{"podlistprocessor/filter_out_schedulable.go: there is room", pending(2, "web", "600m", "1Gi"), nil, nil, []string{"web-1"}, Needed},
		{"podlistprocessor/filter_out_schedulable.go: the important first", append(pending(1, "low", "600m", "1Gi"), pending(1, "high", "600m", "1Gi", priority(5))...), nil, nil, []string{"low-0"}, Needed},
		{"podlistprocessor/filter_out_daemon_sets.go", pending(1, "agent", "2", "1Gi", owned("DaemonSet", "agent")), nil, nil, nil, NotNeeded},
		{"core/static_autoscaler.go filterOutYoungPods", pending(1, "web", "2", "1Gi"), nil, func(o *Options) { o.NewPodScaleUpDelay = 2 * time.Minute }, nil, NotNeeded},
		{"core/static_autoscaler.go podScaleUpDelayAnnotation raises it", pending(1, "web", "2", "1Gi", note(PodScaleUpDelay, "10m")), nil, nil, nil, NotNeeded},
		{"core/static_autoscaler.go podScaleUpDelayAnnotation lowers nothing", pending(1, "web", "2", "1Gi", note(PodScaleUpDelay, "1s")), nil, func(o *Options) { o.NewPodScaleUpDelay = 2 * time.Minute }, nil, NotNeeded},
		{"core/static_autoscaler.go shouldScaleUp: all pods are new", pending(2, "web", "2", "1Gi", unschedulable(2*time.Second-1)), nil, nil, []string{"web-0", "web-1"}, AllPodsAreNew},
		{"core/static_autoscaler.go shouldScaleUp: two seconds are enough", pending(1, "web", "2", "1Gi", unschedulable(2*time.Second)), nil, nil, []string{"web-0"}, Needed},
		{"core/static_autoscaler.go shouldScaleUp: one is old", append(pending(1, "new", "2", "1Gi", unschedulable(0)), pending(1, "old", "2", "1Gi")...), nil, nil, []string{"new-0", "old-0"}, Needed},
		{"core/static_autoscaler.go shouldScaleUp: --max-nodes-total", pending(1, "web", "2", "1Gi"), nil, func(o *Options) { o.MaxNodesTotal = 1 }, []string{"web-0"}, LimitedByMax},
	} {
		a := autoscaler(t)
		if c.options != nil {
			c.options(&a.Options)
		}
		u := scaleUp(t, a, &Cluster{Nodes: []*corev1.Node{small}, Pods: c.pods, Groups: []*NodeGroup{group("g", 0, 9, "4", "8Gi")}})
		if got := names(u.Help); !slices.Equal(got, c.want) || u.Verdict != c.verdict {
			t.Errorf("%s: %v %s, want %v %s", c.mirrors, got, u.Verdict, c.want, c.verdict)
		}
	}
}

// TestUpcoming: a node that is ordered holds the pods it was ordered for.
func TestUpcoming(t *testing.T) {
	for _, c := range []struct {
		mirrors    string
		target     int
		ordered    bool
		registered *corev1.Node
		backoff    bool
		upcoming   int
		help       int
	}{
		{"clusterstate.go GetUpcomingNodes: target − ready", 2, true, nil, false, 2, 0},
		{"clusterstate.go GetUpcomingNodes: there is no open order", 2, false, nil, false, 0, 4},
		{"static_autoscaler.go RunOnce: registered and not started yet: a stand-in, once", 2, true, starting("g-1"), false, 2, 0},
		{"clusterstate.go GetUpcomingNodes: backed off", 2, true, nil, true, 0, 4},
	} {
		a := autoscaler(t)
		g := group("g", 0, 9, "2", "4Gi")
		g.Target = c.target
		cluster := &Cluster{Now: now, Pods: pending(4, "web", "1", "1Gi"), Groups: []*NodeGroup{g}}
		if c.registered != nil {
			g.Nodes = []string{c.registered.Name}
			cluster.Nodes = []*corev1.Node{c.registered}
		}
		if c.ordered {
			a.ScaledUp("g", 2, now.Add(-time.Minute))
		}
		if c.backoff {
			a.backOff("g", now)
		}
		u := scaleUp(t, a, cluster)
		if u.Upcoming["g"] != c.upcoming || len(u.Help) != c.help {
			t.Errorf("%s: upcoming %d, help %d; want %d, %d", c.mirrors, u.Upcoming["g"], len(u.Help), c.upcoming, c.help)
		}
	}
}

// starting is a node that has registered and is not Ready yet.
func starting(name string) *corev1.Node {
	return node(name, "2", "4Gi", func(n *corev1.Node) {
		n.CreationTimestamp.Time = now.Add(-time.Minute)
		n.Status.Conditions[0].Status = corev1.ConditionFalse
	})
}
