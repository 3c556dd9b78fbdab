package vpa

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input/metrics"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input/oom"
	strict "sigs.k8s.io/json"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

// Fed is the JSON in Frame.Inputs of the steps that feed the recommender: with those of
// all passes before, it is enough to compute the recommendation again.
type Fed struct {
	Params      Params    `json:"params"`
	Now         time.Time `json:"now"`
	Namespace   string    `json:"namespace"`
	VPA         string    `json:"vpa"`
	Recommender string    `json:"recommender"` // its name, by which VPAs choose one
	Feeds       []Feed    `json:"feeds"`
}

// Feed is what upstream's recommender was fed with at once, in the order of the fields
// (recommender/input/cluster_feeder.go).
type Feed struct {
	Starts      bool                                     `json:"starts,omitempty"` // it knew nothing but the checkpoints
	Checkpoints []*vpav1.VerticalPodAutoscalerCheckpoint `json:"checkpoints,omitempty"`

	VPAs []FedVPA      `json:"vpas"`
	Pods []*corev1.Pod `json:"pods"` // of its cache, in which none is Pending
	Past *Past         `json:"past,omitempty"`

	Collects bool                                `json:"collects,omitempty"` // it asked the metrics API
	Usage    []*metrics.ContainerMetricsSnapshot `json:"usage,omitempty"`
	OOMs     []oom.OomInfo                       `json:"ooms,omitempty"`
}

// FedVPA is a VPA and the pods that it turned out to select; nil where its target cannot
// be read, or is none.
type FedVPA struct {
	Object   *vpav1.VerticalPodAutoscaler `json:"object"`
	Selector *string                      `json:"selector"`
}

// Past is usage that nobody watched: of every pod a value each step, the first one step
// after From.
type Past struct {
	From time.Time     `json:"from"`
	Step time.Duration `json:"step"` // nanoseconds
	Pods []PastPod     `json:"pods"`
}

// PastPod is what the containers of a pod used.
type PastPod struct {
	Name       string               `json:"name"`
	Labels     map[string]string    `json:"labels,omitempty"`
	Containers map[string]PastUsage `json:"containers"`
}

// PastUsage are millicores, and bytes; 0 of memory is not known.
type PastUsage struct {
	CPU    []int64 `json:"cpu"`
	Memory []int64 `json:"memory"`
}

// Judged is the JSON in Frame.Inputs of the steps that compare pods with their
// recommendation: enough to decide again which of them are updated.
type Judged struct {
	Params Params                       `json:"params"`
	Now    time.Time                    `json:"now"`
	VPA    *vpav1.VerticalPodAutoscaler `json:"vpa"` // with the recommendation in its status
	Pods   []*corev1.Pod                `json:"pods"`
	Held   []string                     `json:"held,omitempty"` // by upstream's restrictions: too few replicas, or too many gone

	// Of the namespace's LimitRanges, as upstream sums them up.
	ContainerLimits *corev1.LimitRangeItem `json:"containerLimits,omitempty"`
	PodLimits       *corev1.LimitRangeItem `json:"podLimits,omitempty"`
}

// What is wrong with inputs that were recorded.
var (
	ErrUnknownFields = errors.New("unknown fields") // of a later version, or misspelt
	ErrIncomplete    = errors.New("incomplete")
)

// ReadFed reads the Inputs of a step that feeds the recommender.
func ReadFed(inputs []byte) (Fed, error) {
	var f Fed
	if err := decodeStrict(inputs, &f); err != nil {
		return Fed{}, err
	}
	if f.VPA == "" || len(f.Feeds) == 0 {
		return Fed{}, fmt.Errorf("%w: vpa, feeds", ErrIncomplete)
	}
	for _, feed := range f.Feeds {
		if !feed.whole() {
			return Fed{}, fmt.Errorf("%w: feeds", ErrIncomplete)
		}
	}
	return f, f.Params.Valid()
}

func (f Feed) whole() bool {
	return !slices.ContainsFunc(f.VPAs, func(v FedVPA) bool { return v.Object == nil }) &&
		!slices.Contains(f.Checkpoints, nil) && !slices.Contains(f.Usage, nil) && !slices.Contains(f.Pods, nil)
}

// ReadJudged reads the Inputs of a step that compares pods with their recommendation.
func ReadJudged(inputs []byte) (Judged, error) {
	var j Judged
	if err := decodeStrict(inputs, &j); err != nil {
		return Judged{}, err
	}
	if j.VPA == nil || slices.Contains(j.Pods, nil) {
		return Judged{}, fmt.Errorf("%w: vpa, pods", ErrIncomplete)
	}
	return j, j.Params.Valid()
}

func decodeStrict(inputs []byte, into any) error {
	unknown, err := strict.UnmarshalStrict(inputs, into, strict.DisallowUnknownFields)
	if err != nil {
		return fmt.Errorf("recorded inputs: %w", err)
	}
	if len(unknown) > 0 {
		return fmt.Errorf("%w: %w", ErrUnknownFields, errors.Join(unknown...))
	}
	return nil
}

// Recommended are the values of a recommendation that a frame tells, by the names of Told.
func Recommended(f trace.Frame) map[string]string {
	told := map[string]string{}
	for _, fact := range f.Facts {
		if slices.Contains(Bounds, engine.Base(fact.Name)) {
			told[fact.Name] = fact.Value
		}
	}
	return told
}

// Valid refuses what upstream's code would divide by, or never come out of.
func (p Params) Valid() error {
	c := p.Recommendation
	for _, percentile := range []float64{c.TargetCPUPercentile, c.LowerBoundCPUPercentile, c.UpperBoundCPUPercentile, c.TargetMemoryPercentile, c.LowerBoundMemoryPercentile, c.UpperBoundMemoryPercentile} {
		if !(percentile >= 0 && percentile <= 1) {
			return fmt.Errorf("%w: a percentile of %v", ErrIncomplete, percentile)
		}
	}
	if p.Format.RoundCPUMillicores < 1 || p.Format.RoundMemoryBytes < 1 || c.ConfidenceIntervalCPU <= 0 || c.ConfidenceIntervalMemory <= 0 {
		return fmt.Errorf("%w: rounding, confidence interval", ErrIncomplete)
	}
	return nil
}

// fed is what the recommender was fed with since it was asked last.
func (s *State) fed() json.RawMessage {
	f := Fed{Params: s.Params, Now: s.Clock.Now(), Namespace: s.Namespace, VPA: s.VPA, Recommender: s.recommenderName(), Feeds: s.recommender.fed}
	s.recommender.fed = nil
	b, err := json.Marshal(f)
	if err != nil { // a percentile that is not a number: nothing that can be computed again
		return nil
	}
	return b
}

// slimPod keeps what the recommender and the updater read, so that a recording stays small.
func slimPod(p *corev1.Pod) *corev1.Pod {
	slim := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace, UID: p.UID, Labels: p.Labels, Annotations: p.Annotations, DeletionTimestamp: p.DeletionTimestamp},
		Spec:       corev1.PodSpec{Resources: p.Spec.Resources},
		Status:     corev1.PodStatus{Phase: p.Status.Phase, StartTime: p.Status.StartTime},
	}
	for _, c := range p.Spec.Containers {
		slim.Spec.Containers = append(slim.Spec.Containers, slimContainer(c))
	}
	for _, c := range p.Spec.InitContainers {
		slim.Spec.InitContainers = append(slim.Spec.InitContainers, slimContainer(c))
	}
	slim.Status.ContainerStatuses, slim.Status.InitContainerStatuses = slimStatuses(p.Status.ContainerStatuses), slimStatuses(p.Status.InitContainerStatuses)
	return slim
}

func slimContainer(c corev1.Container) corev1.Container {
	return corev1.Container{Name: c.Name, Resources: c.Resources, RestartPolicy: c.RestartPolicy}
}

func slimStatuses(all []corev1.ContainerStatus) (slim []corev1.ContainerStatus) {
	for _, s := range all {
		slim = append(slim, corev1.ContainerStatus{Name: s.Name, Resources: s.Resources, LastTerminationState: s.LastTerminationState, RestartCount: s.RestartCount})
	}
	return slim
}

func slimPods(pods []*corev1.Pod) []*corev1.Pod {
	slim := make([]*corev1.Pod, len(pods))
	for i, p := range pods {
		slim[i] = slimPod(p)
	}
	return slim
}

func slimVPA(v *vpav1.VerticalPodAutoscaler) *vpav1.VerticalPodAutoscaler {
	slim := v.DeepCopy()
	slim.ManagedFields, slim.OwnerReferences = nil, nil
	delete(slim.Annotations, corev1.LastAppliedConfigAnnotation)
	return slim
}
