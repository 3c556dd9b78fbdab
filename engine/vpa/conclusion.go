package vpa

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

var resources = []model.ResourceName{model.ResourceCPU, model.ResourceMemory}

// maxPoints bounds the history that the conclusion draws.
const maxPoints = 16

// point is one pass in the history of usage against request: means per pod, of
// the first resource that the VPA controls.
type point struct {
	at             time.Time
	resource       model.ResourceName
	usage, request model.ResourceAmount
}

func recommendationOf(r review) *vpav1.RecommendedPodResources {
	if r.vpa == nil {
		return nil
	}
	return r.vpa.Status.Recommendation
}

func signed(r model.ResourceName, a model.ResourceAmount) string {
	if a < 0 {
		return "-" + text(r, -a)
	}
	return "+" + text(r, a)
}

// conclude sets before and after side by side and goes round.
func conclude(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get vpa,pods -n %s", s.Namespace)
	pods, err := s.vpaPods(ctx)
	if err != nil {
		return err
	}
	after := map[string][]corev1.ResourceList{}
	for _, p := range pods {
		for _, c := range p.Spec.Containers {
			after[c.Name] = append(after[c.Name], c.Resources.Requests)
		}
	}
	before := map[string][]corev1.ResourceList{}
	for key, list := range s.pass.before {
		_, container, _ := strings.Cut(key, "/")
		before[container] = append(before[container], list)
	}
	for _, container := range sortedKeys(after) {
		for _, r := range resources {
			b, a := tally(r, before[container]), tally(r, after[container])
			if b != "" || a != "" {
				f.Add("before/"+of(container, r), b, "")
				f.Add("after/"+of(container, r), a, "")
			}
		}
	}
	f.Add("action", s.action(), "")
	f.Add("podsTotal", strconv.Itoa(len(pods)), "")
	s.addUpdated(f, pods)
	s.addSeries(f, pods)
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// tally counts equal requests: "100m × 1, 300m × 1"; empty when none is set.
func tally(r model.ResourceName, lists []corev1.ResourceList) string {
	counts := map[model.ResourceAmount]int{}
	for _, l := range lists {
		if _, ok := l[corev1.ResourceName(r)]; ok {
			counts[amountOf(r, l)]++
		}
	}
	amounts := make([]model.ResourceAmount, 0, len(counts))
	for a := range counts {
		amounts = append(amounts, a)
	}
	slices.Sort(amounts)
	var parts []string
	for _, a := range amounts {
		parts = append(parts, fmt.Sprintf("%s × %d", text(r, a), counts[a]))
	}
	return strings.Join(parts, ", ")
}

// addUpdated counts the pods that have the target as their request.
func (s *State) addUpdated(f *trace.Frame, pods []*corev1.Pod) {
	if s.pass.vpa == nil || s.pass.vpa.Status.Recommendation == nil {
		return
	}
	n := 0
	for _, p := range pods {
		if !slices.ContainsFunc(compare(p, s.pass.vpa.Status.Recommendation), func(c comparison) bool { return !c.requested || c.request != c.target }) {
			n++
		}
	}
	f.Add("updatedPods", strconv.Itoa(n), "")
}

// addSeries adds this pass to the history and shows the history.
func (s *State) addSeries(f *trace.Frame, pods []*corev1.Pod) {
	if s.pass.haveUsage && s.pass.model != nil && len(pods) > 0 && len(s.pass.model.names) > 0 {
		r := s.pass.model.containers[s.pass.model.names[0]].GetControlledResources()[0]
		p := point{at: s.Clock.Now(), resource: r, usage: model.ResourceAmount(s.pass.usage.CPU)}
		if r == model.ResourceMemory {
			p.usage = model.ResourceAmount(s.pass.usage.Memory)
		}
		for _, pod := range pods {
			for _, c := range pod.Spec.Containers {
				p.request += amountOf(r, c.Resources.Requests)
			}
		}
		p.request /= model.ResourceAmount(len(pods))
		s.series = append(s.series, p)
		s.series = s.series[max(0, len(s.series)-maxPoints):]
		f.Add("usage", text(r, p.usage), "")
		if p.request > 0 {
			f.Add("usageOfRequest", strconv.FormatInt(int64(p.usage*100/p.request), 10)+"%", fmt.Sprintf("%s × 100 / %s", text(r, p.usage), text(r, p.request)))
		}
	}
	for _, p := range s.series {
		f.Add("series/"+p.at.UTC().Format(engine.ClockLayout), text(p.resource, p.usage), text(p.resource, p.request))
	}
}
