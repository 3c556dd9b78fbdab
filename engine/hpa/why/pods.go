package why

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/world"
)

// readiness is how many of the target's pods are Ready: the input is that number, and the
// pods change in the order of their names. One that gets ready and has no value of its own
// uses what the others do.
func readiness(r hpa.Recorded) []input {
	var ready, others []int
	for i, p := range r.Input.Pods {
		switch {
		case p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded:
		case p.Status.Phase == corev1.PodRunning && world.IsReady(p):
			ready = append(ready, i)
		default:
			others = append(others, i)
		}
	}
	from := int64(len(ready))
	if len(ready)+len(others) == 0 {
		return nil
	}
	byName := func(a, b int) int {
		if r.Input.Pods[a].Name < r.Input.Pods[b].Name {
			return -1
		}
		return 1
	}
	slices.SortFunc(ready, byName)
	slices.SortFunc(others, byName)
	return []input{{kind: ReadyPods, unit: Count, from: from, high: from + int64(len(others)), set: func(r *hpa.Recorded, v int64) {
		r.Input.Pods = slices.Clone(r.Input.Pods)
		for _, i := range ready[min(v, from):] {
			r.Input.Pods[i] = waiting(r.Input.Pods[i], r.Input.Now)
		}
		for _, i := range others[:max(v-from, 0)] {
			r.Input.Pods[i] = settled(r.Input.Pods[i], r.Input.Now)
			measure(r, r.Input.Pods[i].Name)
		}
	}}}
}

// settled is the pod as it is when it has been Ready for long.
func settled(p *corev1.Pod, now time.Time) *corev1.Pod {
	return withReady(p, corev1.ConditionTrue, metav1.NewTime(now.Add(-24*time.Hour)))
}

// waiting is the pod as it is when it has started and was never Ready.
func waiting(p *corev1.Pod, now time.Time) *corev1.Pod {
	return withReady(p, corev1.ConditionFalse, metav1.NewTime(now))
}

func withReady(p *corev1.Pod, status corev1.ConditionStatus, since metav1.Time) *corev1.Pod {
	p = p.DeepCopy()
	p.Status.Phase, p.Status.StartTime = corev1.PodRunning, &since
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status, LastTransitionTime: since}}
	return p
}

// measure gives a pod the mean of the others in every metric in which it has no value.
func measure(r *hpa.Recorded, pod string) {
	r.Input.Metrics = slices.Clone(r.Input.Metrics)
	for i, m := range r.Input.Metrics {
		if _, has := m.Pods[pod]; has || len(m.Pods) == 0 {
			continue
		}
		var sum int64
		for _, v := range m.Pods {
			sum += v.Value
		}
		pods := maps.Clone(m.Pods)
		pods[pod] = hpa.PodMetric{Timestamp: r.Input.Now, Value: sum / int64(len(m.Pods))}
		r.Input.Metrics[i].Pods = pods
	}
}
