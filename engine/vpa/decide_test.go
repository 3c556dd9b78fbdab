package vpa

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/priority"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/annotations"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/limitrange"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
	"k8s.io/utils/ptr"
)

func pow(x, y float64) float64 { return math.Pow(x, y) }

func cpu(q string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(q)}
}

// pureUpdater decides without a cluster.
func pureUpdater() *updater {
	return &updater{
		processor:  vpautil.NewCappingRecommendationProcessor(limitrange.NewNoopLimitsCalculator()),
		priorities: priority.NewProcessor(), admission: priority.NewScalingDirectionPodEvictionAdmission(),
	}
}

func milli(rng *rand.Rand, n int) resource.Quantity {
	return *resource.NewMilliQuantity(int64(25*(1+rng.IntN(n))), resource.DecimalSI)
}

func memory(rng *rand.Rand, n int) resource.Quantity {
	return *resource.NewQuantity(int64(1+rng.IntN(n))<<26, resource.BinarySI)
}

func randomVPA(rng *rand.Rand) *vpav1.VerticalPodAutoscaler {
	v := &vpav1.VerticalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"},
		Spec:       vpav1.VerticalPodAutoscalerSpec{UpdatePolicy: &vpav1.PodUpdatePolicy{UpdateMode: ptr.To(vpav1.UpdateModeRecreate)}},
	}
	if rng.IntN(3) == 0 {
		v.Spec.UpdatePolicy.EvictionRequirements = []*vpav1.EvictionRequirement{{
			Resources: []corev1.ResourceName{corev1.ResourceCPU}, ChangeRequirement: vpav1.TargetHigherThanRequests,
		}}
	}
	if rng.IntN(4) == 0 {
		v.Spec.ResourcePolicy = &vpav1.PodResourcePolicy{ContainerPolicies: []vpav1.ContainerResourcePolicy{
			{ContainerName: "b", Mode: ptr.To(vpav1.ContainerScalingModeOff)}, {ContainerName: "a", MaxAllowed: cpu("200m")},
		}}
	}
	if rng.IntN(10) == 0 {
		return v
	}
	v.Status.Recommendation = &vpav1.RecommendedPodResources{}
	for _, name := range []string{"a", "b"}[:1+rng.IntN(2)] {
		target, mem := milli(rng, 12), memory(rng, 12)
		low, high := milli(rng, 6), milli(rng, 40)
		r := vpav1.RecommendedContainerResources{
			ContainerName: name, Target: corev1.ResourceList{corev1.ResourceCPU: target},
			LowerBound: corev1.ResourceList{corev1.ResourceCPU: low}, UpperBound: corev1.ResourceList{corev1.ResourceCPU: high},
			UncappedTarget: corev1.ResourceList{corev1.ResourceCPU: target},
		}
		if rng.IntN(2) == 0 {
			r.Target[corev1.ResourceMemory], r.UncappedTarget[corev1.ResourceMemory] = mem, mem
			r.LowerBound[corev1.ResourceMemory], r.UpperBound[corev1.ResourceMemory] = memory(rng, 8), memory(rng, 30)
		}
		v.Status.Recommendation.ContainerRecommendations = append(v.Status.Recommendation.ContainerRecommendations, r)
	}
	return v
}

func randomPod(rng *rand.Rand, name string, now time.Time) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	if rng.IntN(10) > 0 {
		p.Status.StartTime = ptr.To(metav1.NewTime(now.Add(-time.Duration(rng.IntN(24*60)) * time.Minute)))
	}
	if rng.IntN(3) == 0 {
		p.Annotations = map[string]string{annotations.VpaObservedContainersLabel: []string{"a", "a, b", "b", "!"}[rng.IntN(4)]}
	}
	for _, c := range []string{"a", "b"}[:1+rng.IntN(2)] {
		requests := corev1.ResourceList{}
		if rng.IntN(8) > 0 {
			requests[corev1.ResourceCPU] = milli(rng, 12)
		}
		if rng.IntN(3) > 0 {
			requests[corev1.ResourceMemory] = memory(rng, 12)
		}
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: c, Resources: corev1.ResourceRequirements{Requests: requests}})
		status := corev1.ContainerStatus{Name: c}
		if rng.IntN(3) == 0 {
			end := now.Add(-time.Duration(rng.IntN(20)) * time.Minute)
			status.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
				Reason: []string{"OOMKilled", "Error"}[rng.IntN(2)], FinishedAt: metav1.NewTime(end),
				StartedAt: metav1.NewTime(end.Add(-time.Duration(rng.IntN(20)) * time.Minute)),
			}
		}
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, status)
	}
	return p
}

// TestVerdictsAreUpstreams holds our reasons against what upstream does, for
// random VPAs and pods: exactly the pods that we would update are in
// GetSortedPods, and every reason occurs.
func TestVerdictsAreUpstreams(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	p, now := DefaultParams(), start
	reasons := map[string]int{}
	for n := range 4000 {
		u, vpa := pureUpdater(), randomVPA(rng)
		var pods []*corev1.Pod
		for i := range 1 + rng.IntN(5) {
			pods = append(pods, randomPod(rng, string(rune('p'+i)), now))
		}
		u.admission.LoopInit(pods, map[*vpav1.VerticalPodAutoscaler][]*corev1.Pod{vpa: pods})
		var ours []string
		for _, pod := range pods {
			v := u.judge(pod, vpa, p, now)
			reasons[v.reason]++
			if v.update {
				ours = append(ours, pod.Name)
			}
			if v.sentence(p) == "" {
				t.Errorf("no sentence for %s", v.reason)
			}
		}
		upstream := names(u.sorted(pods, vpa, p, now))
		slices.Sort(upstream)
		if !slices.Equal(ours, upstream) {
			t.Fatalf("round %d: we would update %v, upstream %v\n%+v", n, ours, upstream, vpa)
		}
	}
	for _, r := range []string{verdictNone, verdictOutside, verdictOOM, verdictOld, verdictYoung, verdictClose, verdictRefused} {
		if reasons[r] == 0 {
			t.Errorf("no pod was judged %s", r)
		}
	}
}

// TestSameResourcesAreLeft is the one verdict that random pods never meet.
func TestSameResourcesAreLeft(t *testing.T) {
	u, now := pureUpdater(), start
	vpa := &vpav1.VerticalPodAutoscaler{Status: vpav1.VerticalPodAutoscalerStatus{Recommendation: &vpav1.RecommendedPodResources{
		ContainerRecommendations: []vpav1.RecommendedContainerResources{{ContainerName: "a", Target: cpu("100m"), LowerBound: cpu("50m"), UpperBound: cpu("1")}},
	}}}
	pod := &corev1.Pod{
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Resources: corev1.ResourceRequirements{Requests: cpu("100m")}}}},
		Status: corev1.PodStatus{StartTime: ptr.To(metav1.NewTime(now.Add(-time.Hour))), ContainerStatuses: []corev1.ContainerStatus{{Name: "a",
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled",
				StartedAt: metav1.NewTime(now.Add(-3 * time.Minute)), FinishedAt: metav1.NewTime(now.Add(-time.Minute))}}}}},
	}
	if v := u.judge(pod, vpa, DefaultParams(), now); v.reason != verdictSame || v.update {
		t.Errorf("judged %s, update %v", v.reason, v.update)
	}
	if got := u.sorted([]*corev1.Pod{pod}, vpa, DefaultParams(), now); len(got) != 0 {
		t.Errorf("upstream updates it: %v", names(got))
	}
}
