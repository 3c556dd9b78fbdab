package hpa

import (
	"encoding/json"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/stepscale/stepscale/engine/world"
)

// State is what the steps of the loops share. The upper half is set by the
// caller and not changed by a step, History excepted.
type State struct {
	world.World
	HPA     string // name of the HorizontalPodAutoscaler
	Params  Params
	History *History
	Mode    Mode
	Given   *autoscalingv2.HorizontalPodAutoscaler // in ModeDrive, the HPA; nil otherwise

	pass     pass
	kept     autoscalingv2.HorizontalPodAutoscalerStatus // what nobody writes; empty in ModeAlone
	events   map[eventKey]*corev1.Event
	observed time.Time // when the first pass of observation was; zero without one
}

// pass is what the steps of one pass hand to each other.
type pass struct {
	hpa      *autoscalingv2.HorizontalPodAutoscaler
	scale    *autoscalingv1.Scale
	resource schema.GroupResource // of the scale target
	input    Input
	recorded json.RawMessage
	decision *Decision
	result   Result
	skip     string                          // why there is no decision
	known    map[types.UID]world.Fingerprint // pods when the controller looked
	before   world.Workload                  // when the controller looked, where no gate holds the others back
	usage    usageTotal
	moved    bool // the scale was written in this pass
	desired  int32
	marked   bool  // the write's time is noted
	tried    bool  // the scale was to be written: a step that is run again does not write it twice
	refused  error // the API server's answer to that
	emitted  int   // events of the result that were written
}

// usageTotal is the first metric's sum over all pods.
type usageTotal struct {
	resource string
	milli    int64
	ok       bool
}

// Recorded is the JSON in Frame.Inputs of UpdateStep and ActualStep: enough to compute
// the decision again with Decide.
type Recorded struct {
	Params  Params  `json:"params"`
	Input   Input   `json:"input"`
	History History `json:"history"` // as it was before the decision
}

func (s *State) history() *History {
	if s.History == nil {
		s.History = &History{}
	}
	return s.History
}
