package vpa

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"

	"github.com/stepscale/stepscale/engine/trace"
)

// memoryPeaks are the highest memory values of the current window by container.
func (s *State) memoryPeaks() map[model.ContainerID]model.ResourceAmount {
	peaks := map[model.ContainerID]model.ResourceAmount{}
	for id, pod := range s.recommender.state.Pods() {
		for name, c := range pod.Containers {
			peaks[model.ContainerID{PodID: id, ContainerName: name}] = c.GetMaxMemoryPeak()
		}
	}
	return peaks
}

// addOOMs tells of containers that were killed for their memory, and how the
// model raises their peak for it (recommender/model/container.go, RecordOOM).
func (s *State) addOOMs(f *trace.Frame, pods []*corev1.Pod, before map[model.ContainerID]model.ResourceAmount) {
	for _, p := range pods {
		for _, c := range p.Status.ContainerStatuses {
			killed := c.LastTerminationState.Terminated
			if killed == nil || killed.Reason != "OOMKilled" {
				continue
			}
			f.Add("oomKilled/"+p.Name, fmt.Sprint(c.RestartCount), s.restartAge(killed.FinishedAt.Time))
			id := model.ContainerID{PodID: model.PodID{Namespace: p.Namespace, PodName: p.Name}, ContainerName: c.Name}
			state := s.recommender.state.GetContainer(id)
			if state == nil || state.GetMaxMemoryPeak() <= before[id] {
				continue
			}
			f.Add("oomBump/"+p.Name, text(model.ResourceMemory, state.GetMaxMemoryPeak()), s.bumpExpr(state, before[id]))
		}
	}
}

// restartAge says why kubectl knows no age of a restart that its clock has yet to reach.
func (s *State) restartAge(at time.Time) string {
	if !at.After(s.ServerClock().Now()) {
		return ""
	}
	return "kubectl의 RESTARTS에는 <invalid> ago라고 나옵니다. 이 컴퓨터의 시계로는 아직 오지 않은 시각입니다"
}

// bumpExpr is the arithmetic of the bump where it explains the peak: upstream
// takes the larger of the request and of the peak before, and adds.
func (s *State) bumpExpr(c *model.ContainerState, before model.ResourceAmount) string {
	extra := model.MemoryAmountFromBytes(c.GetOOMMinBumpUp())
	for _, used := range []model.ResourceAmount{model.ResourceAmountMax(c.Request[model.ResourceMemory], before), c.Request[model.ResourceMemory], before} {
		if model.ResourceAmountMax(used+extra, model.ScaleResource(used, c.GetOOMBumpUpRatio())) == c.GetMaxMemoryPeak() {
			return fmt.Sprintf("max(%s + %s, %s × %s)", text(model.ResourceMemory, used), text(model.ResourceMemory, extra),
				text(model.ResourceMemory, used), ratio(c.GetOOMBumpUpRatio()))
		}
	}
	return ""
}
