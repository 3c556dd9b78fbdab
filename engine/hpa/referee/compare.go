package referee

import (
	"encoding/json"
	"regexp"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// Difference is one thing that the controllers did not do alike, each side as
// JSON.
type Difference struct {
	What     string `json:"what"` // "scale", "events", or a field of the HPA such as "status.conditions"
	Ours     string `json:"ours"`
	Upstream string `json:"upstream"`
}

// compare holds what our engine did against what upstream did. Everything is compared
// but the order in which messages name pods and rivals: upstream's lister and its map of
// selectors have none.
func compare(d Decision, ours, upstream Outcome, seen map[string]int) Pair {
	for _, e := range ours.Events {
		seen[e.Reason]++
	}
	p := Pair{Ours: ours, Upstream: upstream, EventsDropped: EventsDropped(seen)}
	p.hold("scale", ours.Writes, upstream.Writes, d.Input.Pods)
	if !p.EventsDropped {
		p.hold("events", ours.Events, upstream.Events, d.Input.Pods)
	}
	after := upstream.Status
	if after == nil { // it saw nothing to write
		after = &d.Input.HPA.Status
	}
	p.holdStatus(ours.Status, after, d.Input.Pods)
	return p
}

func (p *Pair) holdStatus(ours, theirs *autoscalingv2.HorizontalPodAutoscalerStatus, pods []*corev1.Pod) {
	p.hold("status.currentReplicas", ours.CurrentReplicas, theirs.CurrentReplicas, pods)
	p.hold("status.desiredReplicas", ours.DesiredReplicas, theirs.DesiredReplicas, pods)
	p.hold("status.lastScaleTime", ours.LastScaleTime, theirs.LastScaleTime, pods)
	p.hold("status.observedGeneration", ours.ObservedGeneration, theirs.ObservedGeneration, pods)
	p.hold("status.currentMetrics", ours.CurrentMetrics, theirs.CurrentMetrics, pods)
	p.hold("status.conditions", ours.Conditions, theirs.Conditions, pods)
}

func (p *Pair) hold(what string, ours, theirs any, pods []*corev1.Pod) {
	if equality.Semantic.DeepEqual(ours, theirs) {
		return
	}
	a, b := asText(ours, pods), asText(theirs, pods)
	if a != b {
		p.Differences = append(p.Differences, Difference{What: what, Ours: a, Upstream: b})
	}
}

func asText(v any, pods []*corev1.Pod) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	text := string(b)
	for _, pod := range pods {
		text = strings.ReplaceAll(text, "Pod "+pod.Name, "Pod *")
	}
	return someRivals.ReplaceAllString(text, "(e.g. …)")
}

var someRivals = regexp.MustCompile(`\(e\.g\. \[[^\]]*\]\)`)
