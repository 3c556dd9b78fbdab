package cli

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/trace"
)

var update = flag.Bool("update", false, "write the golden files anew")

// testApp is an app with everything wired, on a state directory of its own.
func testApp(t *testing.T) *app {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli") // short: unix sockets live below it
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("STEPSCALE_STATE_DIR", dir)
	a := wire(newApp())
	t.Cleanup(func() {
		if err := a.finish(); err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	return a
}

func testStage(t *testing.T, a *app, ctx context.Context, loop, scenario string) *clusterStage {
	t.Helper()
	s, closeStage, err := a.openStage(ctx, loop, scenario, silent{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closeStage() })
	return s.(*clusterStage)
}

// TestGoldenTraces holds what the loops tell, executed on the embedded cluster,
// against the traces of an earlier day.
func TestGoldenTraces(t *testing.T) {
	a := testApp(t)
	told := map[trace.StepID][]string{}
	for _, c := range []struct {
		name, loop, scenario string
		frames               int
	}{
		{"intro", "intro", "web-surge", 3},
		{"architecture", "hpa-architecture", "web-surge", 5},
		{"surge", "hpa", "web-surge", 13 * 38}, // up, keep, down, keep
		{"beside", "hpa-beside", "web-surge", 14 * 6},
		{"no-requests", "hpa", "no-requests", 13},
		{"missing-target", "hpa", "missing-target", 13},
		{"vpa-architecture", "vpa-architecture", "vpa-web", 6},
		{"vpa", "vpa", "vpa-web", 19 * 6}, // keep three times, evict twice, keep
		{"vpa-inplace", "vpa", "vpa-inplace", 19 * 6},
		{"vpa-pdb", "vpa", "vpa-pdb", 19 * 4},
		{"vpa-oom", "vpa", "vpa-oom", 19 * 10},
		{"vpa-history", "vpa-history", "vpa-day", 4},
		{"hpa-vpa", "hpa-vpa", "hpa-vpa-fight", 32 * 4}, // later the pods of one age are not alike any more
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testStage(t, a, t.Context(), c.loop, c.scenario)
			var got strings.Builder
			for range c.frames {
				f, err := s.Session().Next()
				if err != nil {
					t.Fatal(err)
				}
				writeGolden(&got, f)
				describes(t, loops[c.loop].Definition, f)
				for _, fact := range f.Facts {
					told[f.Step] = append(told[f.Step], fact.Name)
				}
			}
			compareGolden(t, filepath.Join("testdata", c.name+".trace"), got.String())
		})
	}
	for step, facts := range told {
		for _, name := range tells(step) {
			prefix, _, each := strings.Cut(name, "<")
			told := slices.ContainsFunc(facts, func(f string) bool { return f == name || each && strings.HasPrefix(f, prefix) })
			if !told && !slices.Contains(otherManifests, name) {
				t.Errorf("%s never tells %s, which lessons may ask about", step, name)
			}
		}
	}
}

// tells are the facts that a lesson may ask about.
func tells(step trace.StepID) []string {
	for _, l := range loops {
		if names := l.Tells(step); names != nil {
			return names
		}
	}
	return nil
}

// describes holds a frame against what its loop says of itself: every fact is declared
// and written in its unit, and only the step's actor writes.
func describes(t *testing.T, d engine.Definition, f trace.Frame) {
	t.Helper()
	for _, fact := range f.Facts {
		if unit, ok := d.Facts.Unit(fact.Name); !ok || !unit.Fits(fact.Value) {
			t.Errorf("%s: %s = %q is a %q", f.Step, fact.Name, fact.Value, unit)
		}
	}
	for _, c := range d.Trespasses(f) {
		t.Errorf("pass %d, %s, which is %s's step: %s did %s %s", f.Pass, f.Step, f.Actor, c.Actor, c.Verb, c.Path)
	}
}

// otherManifests are facts that need an HPA with a behavior, with AverageValue or
// with a metric of an adapter, or a full node: their own tests hold them.
var otherManifests = []string{"averageValue", "targetAverageValue", "metricValue", "targetValue", "recommendationMin", "scaleDownLimit", "unschedulablePods", "replicaFailure"}

// unstable facts depend on the day, the machine or the scheduler's choice.
var (
	unstable = []string{"podTimestamp", "kubelet1", "kubelet2", "metricsAPITimestamp", "node", "podTemplateHash", "window", "pod", "watchEvent", "webhookURL", "series"}
	podHash  = regexp.MustCompile(`web-[0-9a-f]{6,10}(-[a-z0-9]{5})?`)
)

func writeGolden(w *strings.Builder, f trace.Frame) {
	fmt.Fprintf(w, "%d %s %s\n", f.Pass, f.Step, f.Actor)
	seen := map[string]bool{}
	var lines []string
	for _, x := range f.Facts {
		base, _, _ := strings.Cut(x.Name, "/")
		if slices.ContainsFunc(unstable, func(u string) bool { return base == u || strings.HasPrefix(base, u) && u != "pod" && u != "node" }) {
			continue
		}
		line := fmt.Sprintf("  %s = %s = %s\n", hidePods(x.Name), hidePods(x.Expr), hidePods(x.Value))
		if !seen[line] { // several pods tell the same
			lines = append(lines, line)
		}
		seen[line] = true
	}
	slices.Sort(lines) // pods come in the order of their random names
	w.WriteString(strings.Join(lines, ""))
	for _, c := range f.Changes {
		if strings.HasPrefix(c.Object, "pod/") { // which pod, and in what order, is the controllers' business
			continue
		}
		fmt.Fprintf(w, "  ! %s %s %s -> %s\n", hidePods(c.Object), c.Field, hidePods(c.From), hidePods(c.To))
	}
	waiting := map[string]bool{}
	for _, x := range f.Waiting {
		if f.Actor == trace.ActorLearner && x.Actor == trace.ActorKubelet { // a look back may meet the report of a resize, or not yet
			continue
		}
		waiting[x.Actor+" "+x.Verb] = true
	}
	if len(waiting) > 0 {
		var names []string
		for n := range waiting {
			names = append(names, n)
		}
		slices.Sort(names)
		fmt.Fprintf(w, "  … %s\n", strings.Join(names, ", "))
	}
}

func hidePods(s string) string {
	s = podHash.ReplaceAllString(s, "web-*")
	for strings.Contains(s, "web-*, web-*") {
		s = strings.ReplaceAll(s, "web-*, web-*", "web-*")
	}
	return s
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run with -update to write it", err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s:%d\ngot  %s\nwant %s", file, i+1, g[i], w[min(i, len(w)-1)])
		}
	}
	t.Fatalf("%s: the trace ends early", file)
}

// TestInterruptInTheMiddleOfAStep cancels while an actor is at work: the step
// ends at once, and everything can still be taken down.
func TestInterruptInTheMiddleOfAStep(t *testing.T) {
	a := testApp(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := testStage(t, a, ctx, "hpa", "web-surge")
	_, err := s.Session().Continue(func(f trace.Frame) bool {
		if scaled(f) {
			cancel()
		}
		return false
	})
	if err == nil || ctx.Err() == nil {
		t.Fatalf("the loop went on: %v", err)
	}
	if code := a.report(ctx, problem.OfStep(ctx, "x", err)); code != problem.ExitInterrupted {
		t.Errorf("exit code %d, want %d", code, problem.ExitInterrupted)
	}
}

// TestAPIServerGoneInTheMiddleOfAStep takes the cluster down under the loop.
func TestAPIServerGoneInTheMiddleOfAStep(t *testing.T) {
	a := testApp(t)
	s := testStage(t, a, t.Context(), "hpa", "web-surge")
	if _, err := s.Session().Next(); err != nil {
		t.Fatal(err)
	}
	if err := s.conn.close(); err != nil {
		t.Fatal(err)
	}
	f, err := s.Session().Next()
	if err == nil {
		t.Fatalf("step %s succeeded without an API server", f.Step)
	}
	if f.Err == "" {
		t.Error("the frame does not tell")
	}
	if got := problem.OfStep(t.Context(), string(f.Step), err); !strings.Contains(got.Error(), "연결이 끊겼습니다") {
		t.Errorf("told as %q (%v)", got, err)
	}
}
