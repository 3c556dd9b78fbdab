package engine_test

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

func described() engine.Defined[counter] {
	do := func(context.Context, *counter, *trace.Frame) error { return nil }
	return engine.Define(engine.Definition{Name: "t"}, []engine.Step[counter]{
		{ID: "t/1", Ref: "r", Actor: "a", Tells: []string{"n", "each/<pod>"}, Changes: true, Cached: []string{"pods"}, Asides: []engine.Aside{{Actor: "b", Write: "POST pods/binding"}, {Actor: trace.ActorNodeLifecycle, Write: "PATCH nodes"}}, Do: do},
		{ID: "t/2", Actor: "b", Do: do}, {ID: "t/3", Actor: "a", Do: do},
	}, func(s *counter) string { return "ns/x" }, func(s *counter) time.Time { return time.Unix(int64(s.n), 0) })
}

// TestAStepIsDescribedWhole: whatever a step says of itself is in the definition, and
// goes with it when it is lifted into another loop.
func TestAStepIsDescribedWhole(t *testing.T) {
	d := described()
	lifted := engine.Lift(d.Table, func(n *[1]counter) *counter { return &n[0] })
	want := reflect.ValueOf(d.Table[0])
	for _, row := range []reflect.Value{reflect.ValueOf(d.Steps[0]), reflect.ValueOf(lifted[0])} {
		for i := range want.NumField() {
			name := want.Type().Field(i).Name
			if want.Field(i).IsZero() {
				t.Errorf("this test does not set %s", name)
			}
			if name != "Do" && !reflect.DeepEqual(row.Field(i).Interface(), want.Field(i).Interface()) {
				t.Errorf("%s is %v, want %v", name, row.Field(i), want.Field(i))
			}
		}
	}
	if got := d.Actors(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("actors %v", got)
	}
	if d.Tells("t/2") != nil || d.Tells("no/1") != nil || len(d.Tells("t/1")) != 2 {
		t.Error("tells of another step")
	}
	l := d.Loop(&counter{n: 7})
	if l.Subject != "ns/x" || !l.Now().Equal(time.Unix(7, 0)) || len(l.Steps) != 3 {
		t.Errorf("loop %+v", l)
	}
}

func TestWhatAnAutoscalerReportsIsNoChange(t *testing.T) {
	d := described().Definition
	for _, c := range []struct {
		step  trace.StepID
		field string
		want  bool
	}{{"t/1", "spec.replicas", true}, {"t/1", "status.desiredReplicas", false}, {"t/2", "spec.replicas", false}, {"no/1", "spec.replicas", false}} {
		if got := d.Changed(trace.Frame{Step: c.step, Changes: []trace.Change{{Field: c.field}}}); got != c.want {
			t.Errorf("%s %s: %v", c.step, c.field, got)
		}
	}
}

func TestOnlyTheStepsActorWrites(t *testing.T) {
	d := described().Definition
	const pods = "/api/v1/namespaces/web/pods"
	for name, c := range map[string]struct {
		step trace.StepID
		call trace.Call
		want int
	}{
		"its own":                  {"t/1", trace.Call{Actor: "a", Verb: "DELETE", Path: pods + "/x"}, 0},
		"somebody else's":          {"t/1", trace.Call{Actor: "b", Verb: "DELETE", Path: pods + "/x"}, 1},
		"a look":                   {"t/1", trace.Call{Actor: "b", Verb: "GET", Path: pods}, 0},
		"a status":                 {"t/1", trace.Call{Actor: "b", Verb: "PATCH", Path: pods + "/x/status"}, 0},
		"a pod that is so called":  {"t/1", trace.Call{Actor: "b", Verb: "PATCH", Path: pods + "/status"}, 1},
		"endpoints":                {"t/1", trace.Call{Actor: "b", Verb: "PUT", Path: "/apis/discovery.k8s.io/v1/namespaces/web/endpointslices/x"}, 0},
		"a node's end":             {"t/1", trace.Call{Actor: trace.ActorTaintEviction, Verb: "DELETE", Path: pods + "/x"}, 0},
		"an event":                 {"t/1", trace.Call{Actor: "b", Verb: "POST", Path: "/api/v1/namespaces/web/events"}, 0},
		"declared":                 {"t/1", trace.Call{Actor: "b", Verb: "POST", Path: pods + "/x/binding"}, 0},
		"declared of another step": {"t/3", trace.Call{Actor: "b", Verb: "POST", Path: pods + "/x/binding"}, 1},
		"declared of another verb": {"t/1", trace.Call{Actor: "b", Verb: "PUT", Path: pods + "/x/binding"}, 1},
		"declared of an actor":     {"t/1", trace.Call{Actor: "c", Verb: "POST", Path: pods + "/x/binding"}, 1},
		"refused":                  {"t/1", trace.Call{Actor: "b", Verb: "DELETE", Path: pods + "/x", Status: 404}, 0},
		"done":                     {"t/1", trace.Call{Actor: "b", Verb: "DELETE", Path: pods + "/x", Status: 200}, 1},
		"a taint":                  {"t/1", trace.Call{Actor: trace.ActorNodeLifecycle, Verb: "PATCH", Path: "/api/v1/nodes/x"}, 0},
		"a taint again":            {"t/2", trace.Call{Actor: trace.ActorNodeLifecycle, Verb: "PATCH", Path: "/api/v1/nodes/x"}, 0},
		"a taint out of nowhere":   {"t/3", trace.Call{Actor: trace.ActorNodeLifecycle, Verb: "PATCH", Path: "/api/v1/nodes/x"}, 1},
		"late, but held by a gate": {"t/2", trace.Call{Actor: "b", Verb: "POST", Path: pods + "/x/binding"}, 1},
		"a step that nobody knows": {"no/1", trace.Call{Actor: "b", Verb: "POST", Path: pods}, 1},
	} {
		f := trace.Frame{Step: c.step, Actor: "a", Calls: []trace.Call{c.call}}
		if got := d.Trespasses(f); len(got) != c.want || len(f.Calls) != 1 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFactsHaveUnits(t *testing.T) {
	f := engine.Facts{engine.Count: {"podMetric", "n"}}.With(engine.Facts{engine.Count: {"n", "m"}, engine.Bool: {"b"}})
	if got := f.Names(); !slices.Equal(got, []string{"b", "m", "n", "podMetric"}) {
		t.Errorf("names %v", got)
	}
	for fact, want := range map[string]engine.Unit{"podMetric/web-1#2": engine.Count, "n#3": engine.Count, "b": engine.Bool, "podMetrics": ""} {
		if got, ok := f.Unit(fact); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", fact, got, ok)
		}
	}
	for unit, c := range map[engine.Unit]struct{ good, bad []string }{
		engine.Text:     {[]string{"", "무엇이든"}, nil},
		engine.Count:    {[]string{"0", "12"}, []string{"", "1.5", "2개"}},
		engine.Amount:   {[]string{"180m", "523.4Mi", "-50m", "+200m", "3", "무제한"}, []string{"", "50%", "m"}},
		engine.Percent:  {[]string{"95%", "1.4%"}, []string{"95", "%"}},
		engine.Ratio:    {[]string{"1.9", "0.000694", "6.9e-05", "∞", "0/0"}, []string{"1.9x", ""}},
		engine.Duration: {[]string{"15s", "12h0m30s", "8d", "12.3s"}, []string{"15", "s"}},
		engine.Clock:    {[]string{"01-02 15:04:05", "01-02 15:04:05.123"}, []string{"15:04", "15:04:05"}},
		engine.Bool:     {[]string{"true", "false"}, []string{"yes", ""}},
		"no such unit":  {nil, []string{"1"}},
	} {
		for _, v := range c.good {
			if !unit.Fits(v) {
				t.Errorf("%q is no %s", v, unit)
			}
		}
		for _, v := range c.bad {
			if unit.Fits(v) {
				t.Errorf("%q is a %s", v, unit)
			}
		}
	}
}
