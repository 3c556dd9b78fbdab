package clusterautoscaler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestFAQ plays what upstream's FAQ.md says of scale-up and scale-down.
func TestFAQ(t *testing.T) {
	t.Run("How does scale-down work: A, B, C move to X, Y", func(t *testing.T) {
		// "if there are three nodes, A, B and C, that are candidates for termination ... pods from A, B could move to X": one
		// candidate's pods count on the places that the one before has taken.
		a := autoscaler(t)
		d := scaleDown(t, a, &Cluster{
			Nodes: []*corev1.Node{node("A", "4", "8Gi"), node("B", "4", "8Gi"), node("C", "4", "8Gi"), node("X", "4", "8Gi"), node("Y", "4", "8Gi")},
			Pods: []*corev1.Pod{pod("a", "2", "1Gi", on("A")), pod("b", "2", "1Gi", on("B")), pod("c", "2", "1Gi", on("C")),
				pod("x", "2", "1Gi", on("X")), pod("y", "2", "1Gi", on("Y")), pod("y2", "1", "1Gi", on("Y"))},
			Groups: []*NodeGroup{group("g", 0, 9, "4", "8Gi").holding("A", "B", "C", "X", "Y")},
		})
		// A's pod takes what B has left, so B is full; B's takes what C has left or X; what is left for C is in X alone.
		gone := 0
		for _, r := range d.Removals {
			if r.Reason == "" {
				gone++
			}
		}
		if gone != 2 {
			t.Errorf("%s: the pods of two nodes have a place, of three they have none", places(d))
		}
	})
	t.Run("a node with 60 % requested is kept, however idle its pods are", func(t *testing.T) {
		d := scaleDown(t, autoscaler(t), &Cluster{
			Nodes: []*corev1.Node{node("n1", "2", "4Gi"), node("n2", "2", "4Gi")}, Pods: []*corev1.Pod{pod("idle", "1200m", "1Gi", on("n1"))},
			Groups: []*NodeGroup{group("g", 0, 9, "2", "4Gi").holding("n1")},
		})
		if got := d.Checked[0]; got.Reason != NotUnderutilized || got.Utilization.CPU != 0.6 || got.Utilization.Highest != corev1.ResourceCPU {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a pod that fits nowhere makes no node", func(t *testing.T) {
		u := scaleUp(t, autoscaler(t), &Cluster{Pods: pending(1, "huge", "64", "1Gi"), Groups: []*NodeGroup{group("a", 0, 9, "2", "4Gi"), group("b", 1, 1, "4", "8Gi").holding("n")}})
		if want := "1 Insufficient cpu, 1 max node group size reached"; u.Best != nil || len(u.Resizes) > 0 || u.WhyNot(u.Kinds[0]) != want {
			t.Errorf("%v, %q; want %q", u.Resizes, u.WhyNot(u.Kinds[0]), want)
		}
	})
	t.Run("a group of zero nodes can grow", func(t *testing.T) {
		u := scaleUp(t, autoscaler(t), &Cluster{Pods: pending(1, "web", "1", "1Gi"), Groups: []*NodeGroup{group("g", 0, 1, "2", "4Gi")}})
		if len(u.Resizes) != 1 || u.Resizes[0].To != 1 {
			t.Errorf("%+v", u.Resizes)
		}
	})
	t.Run("the whole life of a node", func(t *testing.T) {
		a := autoscaler(t)
		g := group("g", 0, 3, "2", "4Gi")
		cluster := &Cluster{Now: now, Groups: []*NodeGroup{g}, Pods: pending(2, "web", "1", "1Gi")}
		u := scaleUp(t, a, cluster)
		if len(u.Resizes) != 1 || u.Resizes[0].To != 1 {
			t.Fatalf("%+v", u.Resizes)
		}
		g.Target = 1
		a.ScaledUp("g", 1, now)
		cluster.Now = now.Add(10 * time.Second)
		if u = scaleUp(t, a, cluster); u.Verdict != NotNeeded || u.Upcoming["g"] != 1 {
			t.Fatalf("ordered twice: %s", u.Verdict)
		}
		g.holding("n1")
		cluster.Nodes, cluster.Pods = []*corev1.Node{node("n1", "2", "4Gi")}, nil
		for _, c := range []struct {
			after time.Duration
			goes  bool
		}{{time.Minute, false}, {10 * time.Minute, false}, {11 * time.Minute, false}, {11*time.Minute + time.Second, true}} { // unneeded since the first minute
			cluster.Now = now.Add(c.after)
			a.Observe(cluster)
			if d := scaleDown(t, a, cluster); len(d.Empty) == 1 != c.goes {
				t.Errorf("after %s: %v, cooldown %+v", c.after, d.Removable, d.Cooldown)
			}
		}
	})
}
