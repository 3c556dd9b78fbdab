package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine"
	"github.com/stepscale/stepscale/engine/hpa"
	"github.com/stepscale/stepscale/engine/trace"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGoldenTraces holds what the loops tell, executed on the embedded cluster,
// against the traces of an earlier day.
func TestGoldenTraces(t *testing.T) {
	t.Parallel()
	told := map[trace.StepID][]string{}
	played := 0
	var mu sync.Mutex
	loopsPlayed := []struct {
		name, loop, scenario string
		frames               int
	}{
		{"intro", "intro", "web-surge", 3},
		{"architecture", "hpa-architecture", "web-surge", 5},
		{"surge", "hpa", "web-surge", 13 * 38}, // up, keep, down, keep
		{"requests", "hpa", "web-requests", 13 * 5},
		{"zero", "hpa", "queue-zero", 13 * 11}, // to zero and back
		{"beside", "hpa-beside", "web-surge", 14 * 6},
		{"no-requests", "hpa", "no-requests", 13},
		{"missing-target", "hpa", "missing-target", 13},
		{"vpa-architecture", "vpa-architecture", "vpa-web", 6},
		{"vpa", "vpa", "vpa-web", 19 * 6}, // keep three times, evict twice, keep
		{"vpa-inplace", "vpa", "vpa-inplace", 19 * 6},
		{"vpa-pdb", "vpa", "vpa-pdb", 19 * 4},
		{"vpa-oom", "vpa", "vpa-oom", 19 * 10},
		{"vpa-history", "vpa-history", "vpa-day", 4},
		{"karpenter", "karpenter", "karpenter-web", 17 * 2},                          // a node comes, and then nothing is left to do
		{"karpenter-disruption", "karpenter-disruption", "karpenter-shrink", 22 * 3}, // a cheaper node, none, and then nothing is left to do
		{"ca", "cluster-autoscaler", "ca-web", 17 * 6},                               // young pods, an order, two passes of waiting, nodes, nothing left
		{"ca-down", "cluster-autoscaler-down", "ca-idle", 15 * 14},                   // ten minutes, one node, another, the minimum
		{"ca-once", "cluster-autoscaler-once", "ca-web", 32 * 6},                     // what waits or was ordered keeps the second half from removing
		{"karpenter-chain", "hpa-karpenter", "karpenter-surge", 13*32 + 14*3 + 19*2},
		{"ca-chain", "hpa-cluster-autoscaler", "ca-surge", 13*8 + 15*8 + 14*4},
		{"comparison", "node-comparison", "karpenter-and-ca", 480},
		{"ca-stuck", "cluster-autoscaler-down", "ca-stuck", 15 * 2},
		{"hpa-vpa", "hpa-vpa", "hpa-vpa-fight", 32 * 4}, // later the pods of one age are not alike any more
	}
	for _, c := range loopsPlayed {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			open := appFor
			if c.loop == "hpa-architecture" { // it tells every watch: other tests may have let more controllers start
				open = func(t *testing.T, _ string) *app { return testApp(t) }
			}
			s := testStage(t, open(t, c.loop), t.Context(), c.loop, c.scenario)
			var got strings.Builder
			for range c.frames {
				f, err := s.Session().Next()
				if err != nil {
					t.Fatal(err)
				}
				if c.loop == "node-comparison" { // the scheduler tries the pods of the one side when a node comes to the other, and upstream finds the first of several reasons in a map
					retried := []string{"whyNot"}
					if f.Actor == trace.ActorScheduler { // what it finds then may be what it has written before
						retried = append(retried, trace.FactSkipped)
					}
					f.Waiting = nil
					f.Facts = slices.DeleteFunc(f.Facts, func(x trace.Fact) bool { return slices.Contains(retried, engine.Base(x.Name)) })
				}
				writeGolden(&got, f, s.namespace)
				describes(t, loops[c.loop], f)
				mu.Lock()
				for _, fact := range f.Facts {
					told[f.Step] = append(told[f.Step], fact.Name)
				}
				mu.Unlock()
			}
			mu.Lock()
			played++
			mu.Unlock()
			compareGolden(t, filepath.Join("testdata", c.name+".trace"), got.String())
		})
	}
	t.Cleanup(func() {
		if played == len(loopsPlayed) { // or -run has chosen, and the others tell the rest
			allTold(t, told)
		}
	})
}

// allTold fails on facts that no step has told, which lessons may ask about.
func allTold(t *testing.T, told map[trace.StepID][]string) {
	t.Helper()
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

// otherManifests are facts that need an HPA with a behavior, with a Value
// or a full node: their own tests hold them.
var otherManifests = []string{"targetValue", "scaleDownLimit", "unschedulablePods", "replicaFailure"}

// unstable facts depend on the day, the machine or the scheduler's choice.
var (
	unstable  = []string{"podTimestamp", "kubelet1", "kubelet2", "metricsAPITimestamp", "node", "podTemplateHash", "window", "pod", "watchEvent", "webhookURL", "series", "statusAverage"}
	taintedAt = regexp.MustCompile(`Autoscaler=\d{10}:`)
	claim     = regexp.MustCompile(`\bdefault-[a-z0-9]{5}\b`)
	podHash   = regexp.MustCompile(`(web|worker|cache|guarded|lonely)(?:-groups)?-[0-9a-f]{6,10}(-[a-z0-9]{5})?`)
)

func writeGolden(w *strings.Builder, f trace.Frame, namespace string) {
	fmt.Fprintf(w, "%d %s %s\n", f.Pass, f.Step, f.Actor)
	seen := map[string]bool{}
	var lines []string
	for _, x := range f.Facts {
		base, _, _ := strings.Cut(x.Name, "/")
		if slices.ContainsFunc(unstable, func(u string) bool { return base == u || strings.HasPrefix(base, u) && u != "pod" && u != "node" }) {
			continue
		}
		value := strings.ReplaceAll(x.Value, "/"+namespace+"/", "/$NS/")
		line := fmt.Sprintf("  %s = %s = %s\n", hidePods(x.Name), hidePods(x.Expr), hidePods(value))
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
	s = claim.ReplaceAllString(podHash.ReplaceAllString(s, "$1-*"), "default-*")
	s = taintedAt.ReplaceAllString(s, "Autoscaler=SECONDS:")
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

// interrupted is a cluster whose gate does not open: the learner interrupts while the
// step waits for the actor behind it.
type interrupted struct {
	lab.Simulation
	actor  string
	cancel func()
}

func (i interrupted) Open(ctx context.Context, actor string) error {
	if actor != i.actor {
		return i.Simulation.Open(ctx, actor)
	}
	i.cancel()
	return nil
}

// interruptedCall interrupts with the first call that matches, before it is sent.
type interruptedCall struct {
	http.RoundTripper
	match  func(*http.Request) bool
	cancel func()
}

func (i interruptedCall) RoundTrip(r *http.Request) (*http.Response, error) {
	if i.match(r) {
		i.cancel()
	}
	return i.RoundTripper.RoundTrip(r)
}

// TestInterruptInTheMiddleOfAStep interrupts while a step is under way: in a call, and
// while it waits for an actor that does not move. It ends at once and has written
// nothing, and everything is taken down.
func TestInterruptInTheMiddleOfAStep(t *testing.T) {
	t.Parallel()
	for step, prepare := range map[trace.StepID]func(c *lab.Simulated, cancel func()){
		hpa.UpdateStep: func(c *lab.Simulated, cancel func()) {
			writes := func(r *http.Request) bool {
				return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/scale")
			}
			c.Config.Wrap(func(rt http.RoundTripper) http.RoundTripper { return interruptedCall{rt, writes, cancel} })
		},
		"hpa/4-deployment/replicaset": func(c *lab.Simulated, cancel func()) {
			c.Simulation = interrupted{c.Simulation, trace.ActorDeployment, cancel}
		},
	} {
		t.Run(string(step), func(t *testing.T) {
			t.Parallel()
			a := simulatedApp(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			a.session = a.opener(a.deps, a.target, a.scenarios).(*session)
			var at time.Time
			prepare(a.session.cluster.Cluster.(*lab.Simulated), func() { at = time.Now(); cancel() })
			s := testStage(t, a, ctx, "hpa", "web-surge")
			frames, err := s.Session().Continue(func(trace.Frame) bool { return false })
			if took := time.Since(at); at.IsZero() || took > 5*time.Second {
				t.Errorf("the step ended %s after the interrupt", took)
			}
			f := frames[len(frames)-1]
			if f.Step != step || f.Err == "" || !errors.Is(err, context.Canceled) {
				t.Errorf("it ended with %s (%s): %v", f.Step, f.Err, err)
			}
			d, err2 := s.kube.AppsV1().Deployments(s.namespace).Get(t.Context(), "web", metav1.GetOptions{})
			rs, err3 := s.kube.AppsV1().ReplicaSets(s.namespace).List(t.Context(), metav1.ListOptions{})
			if err := errors.Join(err2, err3); err != nil {
				t.Fatal(err)
			}
			written := int32(2)
			if step != hpa.UpdateStep { // which is past
				written = 4
			}
			if *d.Spec.Replicas != written || *rs.Items[0].Spec.Replicas != 2 {
				t.Errorf("the Deployment says %d, want %d; the ReplicaSet says %d, want 2", *d.Spec.Replicas, written, *rs.Items[0].Spec.Replicas)
			}
			if code := a.report(ctx, problem.OfStep(ctx, "x", err)); code != problem.ExitInterrupted {
				t.Errorf("exit code %d, want %d", code, problem.ExitInterrupted)
			}
		})
	}
}

// TestAPIServerGoneInTheMiddleOfAStep takes the cluster down under the loop.
func TestAPIServerGoneInTheMiddleOfAStep(t *testing.T) {
	t.Parallel()
	a := testApp(t)
	opened, closeStage, err := a.openStage(t.Context(), "hpa", "web-surge", silent{})
	if err != nil {
		t.Fatal(err)
	}
	s := opened.(*clusterStage)
	if _, err := s.Session().Next(); err != nil {
		t.Fatal(err)
	}
	if err := s.cluster.down(); err != nil {
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
	if closeStage() == nil {
		t.Error("nothing can be removed any more, and nobody is told")
	}
}
