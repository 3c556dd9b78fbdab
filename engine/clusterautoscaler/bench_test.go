package clusterautoscaler

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// BenchmarkScaleUp is 1,000 pods of ten kinds and ten node groups; it is to stay under 2 s.
func BenchmarkScaleUp(b *testing.B) {
	var pods []*corev1.Pod
	var groups []*NodeGroup
	for i := range 10 {
		pods = append(pods, pending(100, fmt.Sprintf("p%d", i), fmt.Sprintf("%dm", 100+50*i), "256Mi", owned("ReplicaSet", fmt.Sprint(i)))...)
		groups = append(groups, group(fmt.Sprintf("g%d", i), 0, 1000, fmt.Sprint(2+i), "16Gi"))
	}
	a := autoscaler(b)
	for b.Loop() {
		if u := scaleUp(b, a, &Cluster{Pods: pods, Groups: groups}); len(u.Choices) != 10 {
			b.Fatal(len(u.Choices))
		}
	}
}

// BenchmarkScaleDown is 1,000 pods on 100 nodes.
func BenchmarkScaleDown(b *testing.B) {
	cluster := &Cluster{}
	var in []string
	for i := range 100 {
		n := node(fmt.Sprintf("n%02d", i), "8", "32Gi")
		cluster.Nodes, in = append(cluster.Nodes, n), append(in, n.Name)
		for j := range 10 {
			cluster.Pods = append(cluster.Pods, pod(fmt.Sprintf("p%d-%d", i, j), "100m", "256Mi", on(n.Name)))
		}
	}
	cluster.Groups = []*NodeGroup{group("g", 0, 100, "8", "32Gi").holding(in...)}
	for b.Loop() {
		if d := scaleDown(b, autoscaler(b), cluster); len(d.Since) == 0 {
			b.Fatal("nothing is unneeded")
		}
	}
}
