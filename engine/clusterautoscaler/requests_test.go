package clusterautoscaler

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// TestRequests is utils/pod/pod.go PodRequests, by which the estimation orders pods
// (estimator/decreasing_pod_orderer.go), the expanders count waste and price, and the
// utilization of a node is reckoned (simulator/utilization/info.go).
func TestRequests(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	more := func(cpu string, restart *corev1.ContainerRestartPolicy) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.InitContainers = append(p.Spec.InitContainers, corev1.Container{Name: "init", RestartPolicy: restart,
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}}})
		}
	}
	for name, c := range map[string]struct {
		pod  *corev1.Pod
		want int64
	}{
		"a container":                      {pod("p", "500m", "1Gi"), 500},
		"an init container that is larger": {pod("p", "500m", "1Gi", more("900m", nil)), 900},
		"one that is smaller":              {pod("p", "500m", "1Gi", more("300m", nil)), 500},
		"a sidecar":                        {pod("p", "500m", "1Gi", more("300m", &always)), 800},
		"a sidecar before a larger one":    {pod("p", "500m", "1Gi", more("300m", &always), more("900m", nil)), 1200},
		"overhead": {pod("p", "500m", "1Gi", func(p *corev1.Pod) {
			p.Spec.Overhead = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("250m")}
		}), 750},
		"of the pod as a whole": {pod("p", "500m", "1Gi", func(p *corev1.Pod) {
			p.Spec.Resources = &corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("700m")}}
		}), 700},
		"nothing": {pod("p", "0", "1Gi"), 0},
	} {
		if got := requested(corev1.ResourceCPU, c.pod); got != c.want {
			t.Errorf("%s: %dm, want %dm", name, got, c.want)
		}
		n := node("n", "2", "4Gi")
		u, err := utilizationOf(n, []*corev1.Pod{c.pod}, DefaultOptions(), now)
		succeed(t, err)
		if want := float64(c.want) / 2000; u.CPU != want {
			t.Errorf("%s: utilization %v, want %v", name, u.CPU, want)
		}
	}
	// Two nodes of 2 CPU for two pods of 1200m: a sidecar and init containers count for waste.
	g := group("g", 0, 9, "2", "4Gi")
	u := scaleUp(t, autoscaler(t), &Cluster{Groups: []*NodeGroup{g}, Pods: pending(2, "web", "500m", "1Gi", more("300m", &always), more("900m", nil))})
	if u.Best == nil || u.Best.Nodes != 2 || u.Rounds[0].Scores[0].Expr != "CPU 0.4000 + 메모리 0.7500" {
		t.Errorf("%+v, %+v", u.Best, u.Rounds)
	}
}
