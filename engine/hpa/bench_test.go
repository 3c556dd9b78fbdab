package hpa_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"

	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/hpa/referee"
)

// benchInput has pods that started an hour ago and CPU metrics near the target.
func benchInput(pods, metricCount int) hpa.Input {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	in := hpa.Input{
		Now: now, Selector: "app=web", SpecReplicas: int32(pods), StatusReplicas: int32(pods),
		HPA: &autoscalingv2.HorizontalPodAutoscaler{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"},
			Spec:       autoscalingv2.HorizontalPodAutoscalerSpec{MinReplicas: new(int32(1)), MaxReplicas: int32(2 * pods)},
		},
	}
	values := make(map[string]hpa.PodMetric, pods)
	for i := range pods {
		start := metav1.NewTime(now.Add(-time.Hour))
		p := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("web-%05d", i), Namespace: "shop", Labels: map[string]string{"app": "web"}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")},
			}}}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &start, Conditions: []corev1.PodCondition{
				{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: start},
			}},
		}
		in.Pods = append(in.Pods, p)
		values[p.Name] = hpa.PodMetric{Timestamp: now, Window: 15 * time.Second, Value: int64(60 + i%20)}
	}
	for i := range metricCount {
		in.HPA.Spec.Metrics = append(in.HPA.Spec.Metrics, autoscalingv2.MetricSpec{
			Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(40 + i))},
			},
		})
		in.Metrics = append(in.Metrics, hpa.MetricData{Timestamp: now, Pods: values})
	}
	return in
}

// stillLister and stillMetrics answer upstream's calculator at the least cost:
// no index is searched and no object decoded.
type stillLister struct {
	corelisters.PodLister
	corelisters.PodNamespaceLister
	pods []*corev1.Pod
}

func (l stillLister) Pods(string) corelisters.PodNamespaceLister  { return l }
func (l stillLister) List(labels.Selector) ([]*corev1.Pod, error) { return l.pods, nil }
func (l stillLister) Get(string) (*corev1.Pod, error)             { panic("not asked") }

type stillMetrics struct {
	metrics.MetricsClient
	info metrics.PodMetricsInfo
}

func (m stillMetrics) GetResourceMetric(context.Context, corev1.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	return m.info, time.Time{}, nil // every pod counts, so the calculator deletes nothing from it
}

// BenchmarkDecision sets our whole decision beside upstream's ReplicaCalculator, which
// ends with the proposals: without a trace (silent), with it (trace), and with it read
// by somebody (words).
func BenchmarkDecision(b *testing.B) {
	for _, pods := range []int{10, 100, 1000, 5000} {
		for _, metricCount := range []int{1, 4, 10} {
			in := benchInput(pods, metricCount)
			size := fmt.Sprintf("pods=%d/metrics=%d", pods, metricCount)
			b.Run("engine=upstream/"+size, func(b *testing.B) { benchUpstream(b, in) })
			b.Run("engine=trace/"+size, func(b *testing.B) { benchStages(b, in, func(hpa.Telling) {}) })
			b.Run("engine=words/"+size, func(b *testing.B) { benchStages(b, in, func(t hpa.Telling) { t.Facts() }) })
			b.Run("engine=silent/"+size, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					hpa.Decide(hpa.DefaultParams(), in, &hpa.History{})
				}
			})
		}
	}
}

func benchStages(b *testing.B, in hpa.Input, read func(hpa.Telling)) {
	b.ReportAllocs()
	for b.Loop() {
		d := hpa.NewDecision(hpa.DefaultParams(), in, &hpa.History{})
		for _, s := range allStages {
			read(d.Run(s))
		}
		d.Result()
	}
}

func benchUpstream(b *testing.B, in hpa.Input) {
	info := metrics.PodMetricsInfo{}
	for pod, m := range in.Metrics[0].Pods {
		info[pod] = metrics.PodMetric{Timestamp: m.Timestamp, Window: m.Window, Value: m.Value}
	}
	p := hpa.DefaultParams()
	c := podautoscaler.NewReplicaCalculator(stillMetrics{info: info}, stillLister{pods: in.Pods}, p.CPUInitializationPeriod, p.InitialReadinessDelay)
	selector := labels.SelectorFromSet(labels.Set{"app": "web"})
	var tolerances podautoscaler.Tolerances // its fields are not exported; nothing is within it
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range in.HPA.Spec.Metrics {
			if _, _, _, _, err := c.GetResourceReplicas(b.Context(), in.SpecReplicas, *m.Resource.Target.AverageUtilization, corev1.ResourceCPU, tolerances, "shop", selector, ""); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// dayTicks are the syncs of a day.
const dayTicks = 24 * 60 * 4

// dayLevel is a pod's usage in millicores at a tick: it follows the hours, twice.
func dayLevel(tick int) int64 { return int64(20 + 60*(tick%(dayTicks/2))/(dayTicks/2)) }

// BenchmarkDay decides every tick of a day with 10 pods: ours as a pure function,
// upstream as its whole controller in a bubble of virtual time.
func BenchmarkDay(b *testing.B) {
	b.Run("engine=silent", func(b *testing.B) {
		for b.Loop() {
			in, history := benchInput(10, 1), &hpa.History{}
			for tick := range dayTicks {
				in.Now = in.Now.Add(15 * time.Second)
				for pod, m := range in.Metrics[0].Pods {
					m.Timestamp, m.Value = in.Now, dayLevel(tick)
					in.Metrics[0].Pods[pod] = m
				}
				r := hpa.Decide(hpa.DefaultParams(), in, history)
				in.HPA.Status = r.Status
			}
		}
	})
	b.Run("engine=upstream", func(b *testing.B) {
		referee.Quiet()
		for b.Loop() {
			synctest.Test(new(testing.T), upstreamDay)
		}
	})
}

func upstreamDay(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := &dayWorld{in: benchInput(10, 1)}
	time.Sleep(time.Until(w.in.Now)) // the pods are an hour old then
	u, stop := referee.Start(ctx, hpa.DefaultParams(), w, w.in.HPA.Spec.ScaleTargetRef)
	defer func() { cancel(); stop() }()
	if err := u.SetPods("shop", w.in.Pods); err != nil {
		panic(err)
	}
	synctest.Wait()
	if err := u.SetHPA(w.in.HPA); err != nil {
		panic(err)
	}
	time.Sleep(dayTicks*15*time.Second - time.Second)
	if w.asked != dayTicks {
		panic(fmt.Sprintf("upstream decided %d times in %d ticks", w.asked, dayTicks))
	}
}

// dayWorld answers with the hour's usage, whatever was scaled.
type dayWorld struct {
	in    hpa.Input
	asked int
}

func (w *dayWorld) SetScale(int32) error { return nil }

func (w *dayWorld) Scale() *autoscalingv1.Scale {
	return &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"},
		Spec:       autoscalingv1.ScaleSpec{Replicas: 10}, Status: autoscalingv1.ScaleStatus{Replicas: 10, Selector: "app=web"},
	}
}

func (w *dayWorld) Metric(referee.Question) hpa.MetricData {
	now := time.Now()
	data := hpa.MetricData{Timestamp: now, Pods: make(map[string]hpa.PodMetric, len(w.in.Pods))}
	for _, p := range w.in.Pods {
		data.Pods[p.Name] = hpa.PodMetric{Timestamp: now, Window: 15 * time.Second, Value: dayLevel(w.asked)}
	}
	w.asked++
	return data
}
