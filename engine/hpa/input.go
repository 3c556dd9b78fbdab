package hpa

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/controller/util/selectors"
)

// Params are what kube-controller-manager's flags and upstream's constants set.
type Params struct {
	SyncPeriod              time.Duration // --horizontal-pod-autoscaler-sync-period
	Tolerance               float64       // --horizontal-pod-autoscaler-tolerance
	DownscaleStabilization  time.Duration // --horizontal-pod-autoscaler-downscale-stabilization
	CPUInitializationPeriod time.Duration // --horizontal-pod-autoscaler-cpu-initialization-period
	InitialReadinessDelay   time.Duration // --horizontal-pod-autoscaler-initial-readiness-delay
	ScaleUpLimitFactor      float64       // horizontal.go, scaleUpLimitFactor
	ScaleUpLimitMinimum     float64       // horizontal.go, scaleUpLimitMinimum
}

// DefaultParams are the defaults of v1.37
// (pkg/controller/podautoscaler/config/v1alpha1/defaults.go).
func DefaultParams() Params {
	return Params{
		SyncPeriod: 15 * time.Second, Tolerance: 0.1, DownscaleStabilization: 5 * time.Minute,
		CPUInitializationPeriod: 5 * time.Minute, InitialReadinessDelay: 30 * time.Second,
		ScaleUpLimitFactor: 2, ScaleUpLimitMinimum: 4,
	}
}

// Input is everything that one decision reads. It can be written as JSON and
// read again, so that a recording can be decided anew.
type Input struct {
	Now            time.Time
	HPA            *autoscalingv2.HorizontalPodAutoscaler
	SpecReplicas   int32           // scale.spec.replicas
	StatusReplicas int32           // scale.status.replicas
	Selector       string          // scale.status.selector
	Rivals         []selectors.Key // HPAs that select one of the pods, this one among them, when they are more than one
	Pods           []*corev1.Pod
	Metrics        []MetricData // one for each entry of spec.metrics
}

// MetricData is the answer to one metric of the HPA. Err is set when there was
// no answer.
type MetricData struct {
	Timestamp time.Time
	Pods      map[string]PodMetric // Resource, ContainerResource, Pods
	Values    []int64              // milli-units; one for Object, the series of External
	Err       error
}

// PodMetric is one pod's value in milli-units: millicores, or bytes × 1000.
type PodMetric struct {
	Timestamp time.Time
	Window    time.Duration
	Value     int64
}

type metricDataJSON struct {
	Timestamp time.Time
	Pods      map[string]PodMetric `json:",omitempty"`
	Values    []int64              `json:",omitempty"`
	Err       string               `json:",omitempty"`
}

// MarshalJSON keeps the error's text.
func (m MetricData) MarshalJSON() ([]byte, error) {
	j := metricDataJSON{Timestamp: m.Timestamp, Pods: m.Pods, Values: m.Values}
	if m.Err != nil {
		j.Err = m.Err.Error()
	}
	return json.Marshal(j)
}

// UnmarshalJSON is the reverse of MarshalJSON.
func (m *MetricData) UnmarshalJSON(b []byte) error {
	var j metricDataJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*m = MetricData{Timestamp: j.Timestamp, Pods: j.Pods, Values: j.Values}
	if j.Err != "" {
		m.Err = errors.New(j.Err)
	}
	return nil
}

// History is what the controller remembers of one HPA between reconciles. It
// lives in memory only, in upstream as here: a restarted controller forgets it.
type History struct {
	Recommendations []Recommendation `json:",omitempty"`
	ScaleUp         []ScaleEvent     `json:",omitempty"`
	ScaleDown       []ScaleEvent     `json:",omitempty"`
}

// Clone shares nothing with the original.
func (h *History) Clone() *History {
	return &History{Recommendations: slices.Clone(h.Recommendations), ScaleUp: slices.Clone(h.ScaleUp), ScaleDown: slices.Clone(h.ScaleDown)}
}

// Recommendation is a desired replica count before it was stabilized.
type Recommendation struct {
	Replicas int32
	Time     time.Time
}

// ScaleEvent is a change of replicas that was carried out; Change is positive. Outdated
// is set when a later one finds it older than every period of that moment's policies:
// the next takes its place, even if a longer period covers it again by then.
type ScaleEvent struct {
	Change   int32
	Time     time.Time
	Outdated bool `json:",omitempty"`
}

// Event is a Kubernetes event about the HPA.
type Event struct{ Type, Reason, Message string }

// Result is what a decision wants written.
type Result struct {
	Desired int32 // replicas; the current ones unless Rescale is true
	Rescale bool
	Reason  string // why, as upstream's SuccessfulRescale event says it
	Status  autoscalingv2.HorizontalPodAutoscalerStatus
	Events  []Event
	Err     error // of the metrics; with Rescale true the others decided
}
