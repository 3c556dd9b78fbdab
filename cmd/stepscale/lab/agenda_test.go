package lab

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// eventful is web-surge with events.
func eventful(t *testing.T, events, more string) Options {
	t.Helper()
	loop, err := Find("hpa")
	if err != nil {
		t.Fatal(err)
	}
	return Options{Cluster: simulated(t), Loop: loop, Scenario: written(t, "web-surge", events, more), Phases: silent{}}
}

type silent struct{}

func (silent) Phase(string, time.Duration) {}

func (silent) Note(string) {}

// happening is what a frame tells of an event, to compare.
type happening struct {
	pass               int
	after              time.Duration // since the load began
	actor, what, about string
	failed             bool
}

// TestEventsHappen: every event happens at its moment of virtual time, by its actor, and
// the loop meets what it has left.
func TestEventsHappen(t *testing.T) {
	ctx := t.Context()
	s, err := Open(ctx, eventful(t, `events:
- {at: 20s, by: 배포, apply: {apiVersion: v1, kind: ConfigMap, metadata: {name: flags}, data: {a: b}}}
- {at: 20s, by: 배포, patch: {kind: Deployment, name: web, with: {spec: {template: {spec: {containers: [{name: web, image: "registry.k8s.io/pause:3.9"}]}}}}}}
- {at: 10s, evict: {pods: web}}
- {at: 65s, patch: {kind: HorizontalPodAutoscaler, name: web, with: {spec: {maxReplicas: 3}}}}
- {at: 80s, crash: {pods: web, container: web}}
- {at: 95s, metricsAway: {for: 20s}}
- {at: 3m, delete: {kind: ConfigMap, name: flags}}
`, "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec: {minAvailable: 100%, selector: {matchLabels: {app: web}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	var got []happening
	reasons, decided, calls := map[int]string{}, map[int]string{}, map[string]string{}
	for {
		f, err := s.Session().Next()
		if err != nil {
			t.Fatal(err)
		}
		if f.Pass > 13 {
			break
		}
		for _, e := range f.Events {
			object, _, _ := strings.Cut(e.Object, "-")
			got = append(got, happening{f.Pass, e.At.Sub(s.begun), e.Actor, e.What, object, e.Err != ""})
		}
		for _, c := range f.Calls {
			if f.Step == "hpa/1-metrics/scrape" && c.Writes() && (c.Actor == trace.ActorPipeline || c.Actor == trace.ActorLearner) {
				calls[c.Verb+" "+c.Resource()] = c.Actor
			}
		}
		if wrong := s.Loop.Trespasses(f); len(wrong) > 0 {
			t.Errorf("pass %d, %s: %v", f.Pass, f.Step, wrong)
		}
		if reason, ok := f.Fact("conditionReason"); ok {
			reasons[f.Pass] = reason
		}
		if n, ok := f.Fact("desiredReplicas"); ok {
			decided[f.Pass] = n
		}
	}
	want := []happening{
		{1, 10 * time.Second, trace.ActorLearner, trace.EventEvict, "pod/web", true}, // the budget allows none
		{2, 20 * time.Second, trace.ActorPipeline, trace.EventApply, "configmap/flags", false},
		{2, 20 * time.Second, trace.ActorPipeline, trace.EventPatch, "deployment/web", false},
		{5, 65 * time.Second, trace.ActorLearner, trace.EventPatch, "hpa/web", false},
		{6, 80 * time.Second, trace.ActorLearner, trace.EventCrash, "pod/web", false},
		{7, 95 * time.Second, trace.ActorLearner, trace.EventAway, "apiservice/v1beta1.metrics.k8s.io", false},
		{8, 115 * time.Second, trace.ActorLearner, trace.EventBack, "apiservice/v1beta1.metrics.k8s.io", false},
		{12, 3 * time.Minute, trace.ActorLearner, trace.EventDelete, "configmap/flags", false},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
	if calls["PATCH configmaps"] != trace.ActorPipeline || calls["PATCH deployments"] != trace.ActorPipeline || calls["POST pods/eviction"] != trace.ActorLearner {
		t.Errorf("who called what: %v", calls)
	}
	if reasons[7] != "FailedGetResourceMetric" {
		t.Errorf("without a Metrics Server the HPA says %q", reasons[7])
	}
	if decided[13] != "3" {
		t.Errorf("with maxReplicas 3 it decides for %s", decided[13])
	}
}
