package vpa

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/logic"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/routines"
)

// modelOf feeds upstream's model with days of history, a sample a minute, and
// computes a recommendation for every container.
func modelOf(containers int, days int) model.ClusterState {
	state := model.NewClusterState(gcInterval)
	minutes := days * 24 * 60
	for i := range containers {
		id := model.ContainerID{PodID: model.PodID{Namespace: "shop", PodName: fmt.Sprint("web-", i)}, ContainerName: "web"}
		selector := labels.SelectorFromSet(labels.Set{"app": fmt.Sprint(i)})
		vpa := &vpav1.VerticalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprint("web-", i)}}
		if err := state.AddOrUpdateVpa(vpa, selector); err != nil {
			panic(err)
		}
		state.AddOrUpdatePod(id.PodID, labels.Set{"app": fmt.Sprint(i)}, corev1.PodRunning)
		if err := state.AddOrUpdateContainer(id, model.Resources{model.ResourceCPU: 100, model.ResourceMemory: 1 << 28}); err != nil {
			panic(err)
		}
		for m := range minutes {
			at := start.Add(time.Duration(m) * time.Minute)
			wave := 1 + 0.5*math.Sin(float64(m+i)*2*math.Pi/1440)
			for r, v := range map[model.ResourceName]float64{model.ResourceCPU: 300 * wave, model.ResourceMemory: wave * (1 << 28)} {
				sample := model.ContainerUsageSample{MeasureStart: at, Resource: r, Usage: model.ResourceAmount(v)}
				if err := state.AddSample(&model.ContainerUsageSampleWithKey{ContainerUsageSample: sample, Container: id}); err != nil {
					panic(err)
				}
			}
		}
	}
	recommend := logic.CreatePodResourceRecommender(DefaultParams().Recommendation)
	for _, vpa := range state.VPAs() {
		if r := recommend.GetRecommendedPodResources(routines.GetContainerNameToAggregateStateMap(vpa)); len(r) != 1 {
			panic("no recommendation")
		}
	}
	return state
}

// BenchmarkHistory is eight days of virtual history to a recommendation, for more
// and more containers.
func BenchmarkHistory(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("containers=%d", n), func(b *testing.B) {
			var before, after runtime.MemStats
			for b.Loop() {
				b.StopTimer()
				runtime.GC()
				runtime.ReadMemStats(&before)
				b.StartTimer()
				state := modelOf(n, 8)
				b.StopTimer()
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/container")
				runtime.KeepAlive(state)
				b.StartTimer()
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/float64(n)*1e3, "ms/container")
		})
	}
}
