package scenarios

import (
	"math"
	"time"
)

// defaultIdle is what a small server that waits takes: the kubelet's pause
// containers are served with the same when a scenario says nothing.
const defaultIdle = 48 << 20

// WorkingSet is the memory of one pod, in bytes.
type WorkingSet struct {
	Idle     int64         // right after a container starts
	Growth   time.Duration // how long a container takes from Idle to the timeline's value
	Timeline Timeline      // of a container that has grown
}

// Memory is what the pod would hold, in bytes: whether its limit allows that is
// for the kubelet to say. 0: the scenario says nothing about memory.
func (s *Scenario) Memory(elapsed time.Duration, pod Pod) int64 {
	return s.flows()[0].memory(elapsed, pod)
}

func (w WorkingSet) at(elapsed, age time.Duration) int64 {
	full, grown := w.Timeline.At(elapsed), 1.0
	if age = max(age, 0); age < w.Growth {
		grown = age.Seconds() / w.Growth.Seconds()
	}
	return w.Idle + int64(math.Round(float64(full-w.Idle)*grown))
}
