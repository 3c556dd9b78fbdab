package vpa

import (
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input/metrics"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
)

// toldUsage is upstream's client of the metrics API that keeps its last answer.
type toldUsage struct {
	metrics.MetricsClient
	last []*metrics.ContainerMetricsSnapshot
}

func (t *toldUsage) GetContainersMetrics(ctx context.Context) ([]*metrics.ContainerMetricsSnapshot, error) {
	var err error
	t.last, err = t.MetricsClient.GetContainersMetrics(ctx)
	return t.last, err
}

// began notes that the recommender knows nothing but its checkpoints.
func (r *recommender) began() error {
	list, err := r.vpas.Autoscaling().V1().VerticalPodAutoscalerCheckpoints().Lister().List(labels.Everything())
	if err != nil {
		return err
	}
	vpas, err := r.seenVPAs()
	if err != nil {
		return err
	}
	f := Feed{Starts: true, VPAs: vpas, Pods: []*corev1.Pod{}}
	for _, c := range list {
		c = c.DeepCopy()
		c.ManagedFields = nil
		f.Checkpoints = append(f.Checkpoints, c)
	}
	r.fed = append(r.fed, f)
	return nil
}

// loaded notes what the model has been loaded with: VPA objects and pods.
func (r *recommender) loaded() error {
	pods, err := r.pods.Core().V1().Pods().Lister().List(labels.Everything())
	if err != nil {
		return err
	}
	sortPods(pods)
	vpas, err := r.seenVPAs()
	r.fed = append(r.fed, Feed{VPAs: vpas, Pods: slimPods(pods)})
	return err
}

func (r *recommender) seenVPAs() (seen []FedVPA, err error) {
	list, err := r.vpas.Autoscaling().V1().VerticalPodAutoscalers().Lister().List(labels.Everything())
	slices.SortFunc(list, func(a, b *vpav1.VerticalPodAutoscaler) int { return strings.Compare(a.Name, b.Name) })
	for _, v := range list {
		one := FedVPA{Object: slimVPA(v)}
		if m := r.state.VPAs()[model.VpaID{Namespace: v.Namespace, VpaName: v.Name}]; m != nil {
			if _, some := m.PodSelector.Requirements(); some {
				text := m.PodSelector.String()
				one.Selector = &text
			}
		}
		seen = append(seen, one)
	}
	return seen, err
}

// told adds to what was fed last.
func (r *recommender) told(add func(*Feed)) {
	if n := len(r.fed); n > 0 {
		add(&r.fed[n-1])
	}
}

// recorded is the past of the pods as a recording keeps it.
func (h podHistories) recorded(pods []*corev1.Pod, from time.Time) *Past {
	past := &Past{From: from, Step: samplePeriod}
	for _, p := range pods {
		one := h[model.PodID{Namespace: p.Namespace, PodName: p.Name}]
		if one == nil {
			continue
		}
		kept := PastPod{Name: p.Name, Labels: one.LastLabels, Containers: map[string]PastUsage{}}
		for container, samples := range one.Samples {
			kept.Containers[container] = pastOf(samples, from)
		}
		past.Pods = append(past.Pods, kept)
	}
	return past
}

func pastOf(samples []model.ContainerUsageSample, from time.Time) (u PastUsage) {
	for _, s := range samples {
		if s.Resource == model.ResourceCPU {
			u.CPU, u.Memory = append(u.CPU, int64(s.Usage)), append(u.Memory, 0)
			continue
		}
		u.Memory[len(u.Memory)-1] = int64(s.Usage) // follows the CPU of its moment
	}
	return u
}
