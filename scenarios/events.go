package scenarios

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/stepscale/stepscale/engine/trace"
)

// Event is something that happens while the scenario runs, at a moment of virtual time.
type Event struct {
	At     time.Duration              // since the load began
	Actor  string                     // trace.ActorLearner or trace.ActorPipeline
	What   string                     // trace.EventApply and what follows it
	Object *unstructured.Unstructured // to apply; with a name alone to patch or delete
	Patch  []byte                     // JSON
	Pods   Pick                       // to delete, evict, crash or freeze
	Node   string                     // that is not Ready
	For    time.Duration              // how long it lasts; 0 for what has no end

	line   int
	source *yaml.Node // of the manifest or the patch
}

// Pick is some pods of a workload: those that were made first.
type Pick struct {
	Of        string // name of the workload
	Count     int
	Container string // of theirs; empty: every one
}

// Events are the scenario's, in the order of time.
func (s *Scenario) Events() []Event { return s.events }

// Choose are the pods that an event is about, of those that there are: the oldest, and
// of the same age the first by name.
func (p Pick) Choose(pods []corev1.Pod) []corev1.Pod {
	of := slices.DeleteFunc(slices.Clone(pods), func(pod corev1.Pod) bool {
		return workloadName(&pod) != p.Of || pod.DeletionTimestamp != nil
	})
	slices.SortFunc(of, func(a, b corev1.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return of[:min(p.Count, len(of))]
}

// by are the actors of events, as scenario.yaml names them.
var by = map[string]string{"학습자": trace.ActorLearner, "배포": trace.ActorPipeline}

// maxEvents bounds what a file may let happen.
const maxEvents = 1000

const eventHint = "{at: 1m, by: 배포, patch: {kind: Deployment, name: web, with: {spec: {minReadySeconds: 5}}}}처럼 적어 주십시오. 쓸 수 있는 일: apply, patch, delete, evict, crash, notReady, metricsAway, freeze"

// timeline reads the events. They need not be in order in the file.
func (r *reader) timeline(n *yaml.Node) (list []Event) {
	if !r.hasItems(n, "events", eventHint) {
		return nil
	}
	if len(n.Content) > maxEvents {
		r.add(n.Line, "줄여 주십시오.", "events의 항목이 %d개입니다. %d개까지 쓸 수 있습니다.", len(n.Content), maxEvents)
		return nil
	}
	for _, item := range n.Content {
		list = append(list, r.event(item))
	}
	slices.SortStableFunc(list, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	return list
}

// event reads one; its What stays empty when it does not say what happens.
func (r *reader) event(n *yaml.Node) Event {
	e := Event{Actor: trace.ActorLearner, line: n.Line}
	var deeds []string
	deed := func(what string, read func(*yaml.Node)) field {
		return field{what, false, func(n *yaml.Node) {
			deeds = append(deeds, what)
			e.What = what
			read(n)
		}}
	}
	pods := func(container, lasts bool) func(*yaml.Node) {
		return func(n *yaml.Node) { r.mapping(n, e.What, r.picked(&e, container, lasts)) }
	}
	lasting := field{"for", true, r.duration(&e.For, "for", time.Second)}
	r.mapping(n, "events의 항목", []field{
		{"at", true, r.duration(&e.At, "at", time.Second)},
		{"by", false, func(n *yaml.Node) { e.Actor = r.actor(n) }},
		deed(trace.EventApply, func(n *yaml.Node) { e.source = n }),
		deed(trace.EventPatch, func(n *yaml.Node) {
			r.mapping(n, "patch", append(r.named(&e), field{"with", true, func(n *yaml.Node) { e.source = n }}))
		}),
		deed(trace.EventDelete, func(n *yaml.Node) {
			if _, value := child(n, "pods"); value != nil {
				pods(false, false)(n)
			} else {
				r.mapping(n, "delete", r.named(&e))
			}
		}),
		deed(trace.EventEvict, pods(false, false)),
		deed(trace.EventCrash, pods(true, false)),
		deed(trace.EventNotReady, func(n *yaml.Node) {
			r.mapping(n, "notReady", []field{{"node", true, r.text(&e.Node, "node")}, lasting})
		}),
		deed(trace.EventAway, func(n *yaml.Node) { r.mapping(n, trace.EventAway, []field{lasting}) }),
		deed(trace.EventFreeze, pods(false, true)),
	})
	if n.Kind == yaml.MappingNode && len(deeds) != 1 {
		r.add(n.Line, eventHint, "events의 항목 하나에는 일어날 일을 하나만 적어야 합니다: %d개 있습니다.", len(deeds))
		e.What = ""
	}
	return e
}

func (r *reader) actor(n *yaml.Node) string {
	text, ok := r.scalar(n, "by")
	if ok && by[text] == "" {
		r.add(n.Line, "쓸 수 있는 것: 학습자, 배포", "by에 모르는 이름이 있습니다: %s", text)
	}
	return by[text]
}

// named are the fields that say which object an event is about.
func (r *reader) named(e *Event) []field {
	e.Object = &unstructured.Unstructured{Object: map[string]any{}}
	set := func(to func(string)) func(*yaml.Node) {
		return func(n *yaml.Node) {
			if text, ok := r.scalar(n, e.What); ok {
				to(text)
			}
		}
	}
	return []field{{"kind", true, set(e.Object.SetKind)}, {"name", true, set(e.Object.SetName)}}
}

// picked are the fields that say which pods an event is about.
func (r *reader) picked(e *Event, container, lasts bool) []field {
	e.Pods.Count = 1
	list := []field{
		{"pods", true, r.text(&e.Pods.Of, "pods")},
		{"count", false, func(n *yaml.Node) {
			text, ok := r.scalar(n, "count")
			count, err := strconv.Atoi(text)
			if e.Pods.Count = count; ok && (err != nil || count < 1 || count > MaxPods) {
				r.add(n.Line, "1 이상의 수를 적어 주십시오.", "count에 쓸 수 없는 값입니다: %s", text)
			}
		}},
	}
	if container {
		list = append(list, field{"container", false, r.text(&e.Pods.Container, "container")})
	}
	if lasts {
		list = append(list, field{"for", true, r.duration(&e.For, "for", time.Second)})
	}
	return list
}
