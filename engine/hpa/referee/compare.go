package referee

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/stepscale/stepscale/engine/hpa"
)

// Difference is one thing that the controllers did not do alike, each side as
// JSON.
type Difference struct {
	What     string `json:"what"` // "scale", "events", or a field of the HPA such as "status.conditions"
	Ours     string `json:"ours"`
	Upstream string `json:"upstream"`
}

// compare holds what our engine did against what upstream did.
func compare(d Decision, ours, upstream Outcome, seen map[string]int) Pair {
	for _, e := range ours.Events {
		seen[e.Reason]++
	}
	dropped := EventsDropped(seen)
	return Pair{Ours: ours, Upstream: upstream, EventsDropped: dropped, Differences: Compare(d.Input, ours, upstream, !dropped)}
}

// Compare holds one outcome against the other, events if they are worth it. Everything
// is compared but which rivals a message names: of upstream's map of selectors it is the
// first two that chance gives.
func Compare(in hpa.Input, ours, upstream Outcome, events bool) []Difference {
	c := &comparison{}
	c.hold("scale", ours.Writes, upstream.Writes)
	if events {
		c.hold("events", ours.Events, upstream.Events)
	}
	after := upstream.Status
	if after == nil { // it saw nothing to write
		after = &in.HPA.Status
	}
	c.holdStatus(ours.Status, after)
	return c.differences
}

type comparison struct{ differences []Difference }

func (c *comparison) holdStatus(ours, theirs *autoscalingv2.HorizontalPodAutoscalerStatus) {
	c.hold("status.currentReplicas", ours.CurrentReplicas, theirs.CurrentReplicas)
	c.hold("status.desiredReplicas", ours.DesiredReplicas, theirs.DesiredReplicas)
	c.hold("status.lastScaleTime", ours.LastScaleTime, theirs.LastScaleTime)
	c.hold("status.observedGeneration", ours.ObservedGeneration, theirs.ObservedGeneration)
	c.hold("status.currentMetrics", ours.CurrentMetrics, theirs.CurrentMetrics)
	c.hold("status.conditions", ours.Conditions, theirs.Conditions)
}

func (c *comparison) hold(what string, ours, theirs any) {
	if equality.Semantic.DeepEqual(ours, theirs) {
		return
	}
	if a, b := asText(ours), asText(theirs); a != b {
		c.differences = append(c.differences, Difference{What: what, Ours: a, Upstream: b})
	}
}

func asText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return rivalList.ReplaceAllStringFunc(string(b), numbered)
}

// rivalList is a list of selectors.Key in upstream's message, as %v writes it.
var rivalList = regexp.MustCompile(`\(e\.g\. \[([^\]]*)\]\)`)

// numbered leaves the number of the rivals of a message.
func numbered(list string) string {
	return fmt.Sprintf("(e.g. %d HPAs)", len(strings.Fields(rivalList.FindStringSubmatch(list)[1])))
}
