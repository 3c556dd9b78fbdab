package clusterautoscaler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestEligibility has a row for every reason of core/scaledown/eligibility/eligibility.go,
// and for those that say no before it is asked.
func TestEligibility(t *testing.T) {
	half := []*corev1.Pod{pod("p", "1", "1Gi", on("n1"))}
	for _, c := range []struct {
		mirrors string
		node    func(*corev1.Node)
		pods    []*corev1.Pod
		group   func(*NodeGroup)
		options func(*Options)
		before  func(*Autoscaler)
		want    Reason
	}{
		{"isNodeAtOrBelowUtilizationThreshold: 0.5 is not above 0.5", nil, half, nil, nil, nil, ""},
		{"isNodeAtOrBelowUtilizationThreshold", nil, append(half, pod("q", "1m", "1Mi", on("n1"))), nil, nil, nil, NotUnderutilized},
		{"utilization/info.go: the higher of the two", nil, []*corev1.Pod{pod("p", "10m", "3Gi", on("n1"))}, nil, nil, nil, NotUnderutilized},
		{"utilization/info.go: DaemonSet pods count", nil, append(half, pod("ds", "500m", "1Mi", on("n1"), owned("DaemonSet", "ds"))), nil, nil, nil, NotUnderutilized},
		{"utilization/info.go: --ignore-daemonsets-utilization", nil, []*corev1.Pod{pod("p", "700m", "1Gi", on("n1")), pod("ds", "500m", "1Mi", on("n1"), owned("DaemonSet", "ds"))}, nil, func(o *Options) { o.IgnoreDaemonSets = true }, nil, ""},
		{"utilization/info.go: --ignore-daemonsets-utilization: what they take is not there", nil, append(half, pod("ds", "500m", "1Mi", on("n1"), owned("DaemonSet", "ds"))), nil, func(o *Options) { o.IgnoreDaemonSets = true }, nil, NotUnderutilized},
		{"utilization/info.go: --ignore-mirror-pods-utilization", nil, []*corev1.Pod{pod("p", "500m", "1Gi", on("n1")), pod("m", "1", "1Mi", on("n1"), note(corev1.MirrorPodAnnotationKey, "x"))}, nil, func(o *Options) { o.IgnoreMirrorPods = true }, nil, ""},
		{"utilization/info.go: pods that end for long do not count", nil, append(half, pod("q", "1", "1Mi", on("n1"), deleted(time.Hour))), nil, nil, nil, ""},
		{"utilization/info.go: there is nothing to divide by", func(n *corev1.Node) { n.Status.Allocatable = nil }, half, nil, nil, nil, UnexpectedError},
		{"FilterOutUnremovable IsRecent", nil, half, nil, nil, func(a *Autoscaler) { a.recheck["n1"] = now.Add(1) }, RecentlyUnremovable},
		{"unremovable/nodes.go Update: five minutes are over", nil, half, nil, nil, func(a *Autoscaler) { a.recheck["n1"] = now }, ""},
		{"IsNodeBeingDeleted", func(n *corev1.Node) { n.Spec.Taints = []corev1.Taint{{Key: ToBeDeletedTaint}} }, half, nil, nil, nil, CurrentlyBeingDeleted},
		{"HasNoScaleDownAnnotation", func(n *corev1.Node) { n.Annotations[ScaleDownDisabledAnnotation] = "true" }, half, nil, nil, nil, ScaleDownDisabled},
		{"HasNoScaleDownAnnotation: another value", func(n *corev1.Node) { n.Annotations[ScaleDownDisabledAnnotation] = "yes" }, half, nil, nil, nil, ""},
		{"ScaleDownUnreadyEnabled", unready, half, nil, func(o *Options) { o.ScaleDownUnready = false }, nil, ScaleDownUnreadyDisabled},
		{"ScaleDownUnreadyEnabled by default", unready, half, nil, nil, nil, ""},
		{"pre_filtering_processor.go GetScaleDownCandidates: the group is at its minimum", nil, half, func(g *NodeGroup) { g.Min = 1 }, nil, nil, NodeGroupMinSizeReached},
		{"pre_filtering_processor.go GetScaleDownCandidates: no group", nil, half, func(g *NodeGroup) { g.Nodes = nil }, nil, nil, NotAutoscaled},
	} {
		n := node("n1", "2", "4Gi")
		if c.node != nil {
			c.node(n)
		}
		g := group("g", 0, 9, "2", "4Gi").holding("n1")
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
		d := scaleDown(t, a, &Cluster{Nodes: []*corev1.Node{n}, Pods: c.pods, Groups: []*NodeGroup{g}})
		said := append(d.Excluded, d.Checked...)
		if len(said) != 1 || said[0].Reason != c.want {
			t.Errorf("%s: %+v, want %q", c.mirrors, said, c.want)
		}
	}
}

func unready(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionFalse }
