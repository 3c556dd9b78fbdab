package clusterautoscaler

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Utilization is how much of a node its pods ask for, from 0 on. What they use plays no part
// (simulator/utilization/info.go Info).
type Utilization struct {
	CPU, Memory float64
	Highest     corev1.ResourceName // the one that counts
}

// Value is the higher of the two.
func (u Utilization) Value() float64 { return max(u.CPU, u.Memory) }

// utilizationOf is requests over allocatable. DaemonSet and mirror pods count unless the
// flags say otherwise: then what they take is as if it were not there
// (simulator/utilization/info.go Calculate).
func utilizationOf(n *corev1.Node, pods []*corev1.Pod, o Options, now time.Time) (u Utilization, err error) {
	if u.CPU, err = utilizationIn(corev1.ResourceCPU, n, pods, o, now); err != nil {
		return u, err
	}
	if u.Memory, err = utilizationIn(corev1.ResourceMemory, n, pods, o, now); err != nil {
		return u, err
	}
	u.Highest = corev1.ResourceMemory
	if u.CPU > u.Memory {
		u.Highest = corev1.ResourceCPU
	}
	return u, nil
}

func utilizationIn(r corev1.ResourceName, n *corev1.Node, pods []*corev1.Pod, o Options, now time.Time) (float64, error) {
	of := n.Status.Allocatable[r]
	if of.MilliValue() == 0 {
		return 0, fmt.Errorf("node %s has no allocatable %s", n.Name, r)
	}
	var asked, aside int64
	for _, p := range pods {
		q := podRequests(p)[r]
		switch {
		case o.IgnoreDaemonSets && ofDaemonSet(p), o.IgnoreMirrorPods && isMirror(p):
			aside += q.MilliValue()
		case terminatesLong(p, now):
		default:
			asked += q.MilliValue()
		}
	}
	return float64(asked) / float64(of.MilliValue()-aside), nil
}
