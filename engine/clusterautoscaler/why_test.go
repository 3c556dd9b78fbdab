package clusterautoscaler

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/stepscale/stepscale/engine/otherwise"
	"github.com/stepscale/stepscale/engine/trace"
)

var whys = flag.Int("whys", 40, "random clusters whose decision is asked why, of each half")

func oneOf[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// randomRecorded is a decision of either half on a random cluster, as a recording has it.
func randomRecorded(t *testing.T, r *rand.Rand, down bool) Recorded {
	t.Helper()
	a := autoscaler(t, func(o *Options) {
		o.Expander = oneOf(r, LeastWaste, LeastWaste, MostPods, LeastNodes, Price)
		o.Seed = r.Uint64()
		o.MaxNodesTotal = oneOf(r, 0, 0, 0, 5)
		o.DrainParallelism = oneOf(r, 1, 2)
	})
	c := &Cluster{Now: now, ReplicaSets: map[types.UID]int32{"ReplicaSet/web": 5}}
	sizes := []struct{ cpu, memory string }{{"2", "4Gi"}, {"4", "8Gi"}, {"8", "32Gi"}}
	for i := range 1 + r.IntN(3) {
		size := oneOf(r, sizes...)
		g := group(fmt.Sprintf("g%d", i), r.IntN(2), 2+r.IntN(4), size.cpu, size.memory)
		g.Price = float64(1+r.IntN(9)) / 10
		for n := range r.IntN(min(g.Max, 3) + 1) {
			name := fmt.Sprintf("%s-%d", g.Name, n)
			g.Nodes = append(g.Nodes, name)
			c.Nodes = append(c.Nodes, node(name, size.cpu, size.memory))
			for p := range r.IntN(3) {
				c.Pods = append(c.Pods, pod(fmt.Sprintf("on-%s-%d", name, p), oneOf(r, "100m", "500m", "900m"), oneOf(r, "128Mi", "1Gi"), on(name), randomPod(r)))
			}
			if down && r.IntN(2) == 0 {
				a.unneeded[name] = now.Add(-time.Duration(r.IntN(1300)) * time.Second)
			}
			if r.IntN(8) == 0 {
				a.recheck[name] = now.Add(time.Duration(r.IntN(300)) * time.Second)
			}
		}
		g.Target = len(g.Nodes)
		c.Groups = append(c.Groups, g)
		if r.IntN(6) == 0 {
			a.backOff(g.Name, now.Add(-time.Duration(r.IntN(400))*time.Second))
		}
	}
	if !down {
		age := time.Duration(r.IntN(6)) * time.Second
		c.Pods = append(c.Pods, pending(1+r.IntN(5), "web", oneOf(r, "300m", "900m", "1900m", "3"), oneOf(r, "256Mi", "3Gi"), unschedulable(age))...)
	}
	if r.IntN(3) == 0 {
		a.lastScaleUp = now.Add(-time.Duration(r.IntN(700)) * time.Second)
	}
	if r.IntN(2) == 0 {
		c.Budgets = []*policyv1.PodDisruptionBudget{budget("web", int32(r.IntN(3)))}
	}
	inputs, err := a.record(c, down)
	succeed(t, err)
	recorded, err := ReadRecorded(inputs)
	succeed(t, err)
	return recorded
}

// randomPod has something that may keep it where it is, now and then.
func randomPod(r *rand.Rand) func(*corev1.Pod) {
	switch r.IntN(10) {
	case 0:
		return bare
	case 1:
		return note(SafeToEvict, "false")
	case 2:
		return func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
		}
	}
	return func(*corev1.Pod) {}
}

// TestWhyIsTrue: on random clusters, what is named as the smallest change of an input flips
// the decision, and one unit less does not; and what was recorded decides as it did.
func TestWhyIsTrue(t *testing.T) {
	t.Parallel()
	judge, err := NewJudge(t.Context())
	succeed(t, err)
	told := map[string]int{}
	for seed := range uint64(*whys) {
		r := rand.New(rand.NewPCG(seed, 5))
		up := randomRecorded(t, r, false)
		u, err := up.up(t.Context(), judge)
		succeed(t, err)
		told["up "+u.outcome().Verdict]++
		holds(t, seed, up, u.outcome(), sample(r, up.inputsUp(judge, u)), told, func(r Recorded) otherwise.Outcome {
			u, err := r.up(t.Context(), judge)
			succeed(t, err)
			return u.outcome()
		})
		down := randomRecorded(t, r, true)
		d, err := down.down(t.Context(), judge)
		succeed(t, err)
		of := outcomes(d)
		for _, node := range slices.Sorted(maps.Keys(of)) {
			base := of[node]
			told["down "+base.Verdict]++
			if node != oneOf(r, slices.Sorted(maps.Keys(of))...) { // all would take long
				continue
			}
			inputs := sample(r, down.inputsDown(judge, d, node, map[string]map[string]otherwise.Outcome{}))
			holds(t, seed, down, base, inputs, told, func(r Recorded) otherwise.Outcome {
				d, err := r.down(t.Context(), judge)
				succeed(t, err)
				return outcomes(d)[node]
			})
		}
	}
	t.Log(told)
	if *whys < 400 {
		return
	}
	for _, kind := range []string{"up ScaledUpGroup", "up NotNeeded", "up InCooldown", "up NotTriggerScaleUp", "down ScaleDown", "down NotUnderutilized", "down BlockedByPod",
		"down NoPlaceToMovePods", "down NotUnneededLongEnough", "down NodeGroupMinSizeReached", "down ScaleDownInCooldown", "down ScaleDownBudget", "down RecentlyUnremovable",
		"requests.cpu", "requests.memory", "waitingPods", "groupMax", "groupMin", "groupPrice", "expander", "time", "podsOnNode", "safeToEvict", "disruptionsAllowed", "allocatable.cpu",
		"--scale-down-utilization-threshold", "--scale-down-unneeded-time", "--scale-down-delay-after-add", "--max-drain-parallelism", "--skip-nodes-with-local-storage"} {
		if told[kind] == 0 {
			t.Errorf("%s never: the generator is too tame", kind)
		}
	}
}

// sample are some of the inputs: all would take long.
func sample(r *rand.Rand, of []otherwise.Probe) []otherwise.Probe {
	r.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
	return of[:min(len(of), 2)]
}

func holds(t *testing.T, seed uint64, r Recorded, base otherwise.Outcome, inputs []otherwise.Probe, told map[string]int, decide func(Recorded) otherwise.Outcome) {
	t.Helper()
	before := written(t, r)
	a, err := otherwise.Ask(t.Context(), "", "", base, otherwise.Coarse, inputs)
	succeed(t, err)
	if len(a.Unmoved) > len(inputs) || len(a.Changes)+len(a.Unmoved) < len(inputs) {
		t.Fatalf("seed %d: %d inputs, %d changes, %d unmoved", seed, len(inputs), len(a.Changes), len(a.Unmoved))
	}
	for _, c := range a.Changes {
		told[c.Kind]++
		told[c.Field]++
		step := int64(1)
		if c.To < c.From {
			step = -1
		}
		probe := inputs[slices.IndexFunc(inputs, func(p otherwise.Probe) bool { return p.Input == c.Input })]
		if got := byHand(t, r, c, probe, decide); !got.Same(c.Outcome) || got.Same(base) {
			t.Fatalf("seed %d: %s of %s %d → %d gives %v by hand, %v is said, %v was decided", seed, c.Kind+c.Field, c.Of, c.From, c.To, got, c.Outcome, base)
		}
		if got, err := probe.Decide(t.Context(), c.To-step); err != nil || !got.Same(base) {
			t.Fatalf("seed %d: %s of %s %d → %d, and one less gives %v already, %v was decided, %v", seed, c.Kind+c.Field, c.Of, c.From, c.To, got, base, err)
		}
	}
	if written(t, r) != before {
		t.Fatalf("seed %d: what was recorded is changed", seed)
	}
}

// byHand makes the change where that is a line, so that it is not the same code that says
// and that confirms.
func byHand(t *testing.T, r Recorded, c otherwise.Change, probe otherwise.Probe, decide func(Recorded) otherwise.Outcome) otherwise.Outcome {
	t.Helper()
	r, err := ReadRecorded([]byte(written(t, r)))
	succeed(t, err)
	switch {
	case c.Kind == "time":
		r.Cluster.Now = r.Cluster.Now.Add(time.Duration(c.To) * r.Options.ScanInterval)
	case c.Field == "--scale-down-utilization-threshold":
		r.Options.UtilizationThreshold = float64(c.To) / 1000
	case c.Field == "--scale-down-unneeded-time":
		r.Options.UnneededTime = time.Duration(c.To) * time.Second
	case c.Kind == "expander":
		r.Options.Expander = c.Of
	case c.Kind == "groupMax", c.Kind == "groupMin":
		for _, g := range r.Cluster.Groups {
			if g.Name == c.Of && c.Kind == "groupMax" {
				g.Max = int(c.To)
			} else if g.Name == c.Of {
				g.Min = int(c.To)
			}
		}
	case c.Kind == "disruptionsAllowed":
		r.Cluster.Budgets[0].Status.DisruptionsAllowed = int32(c.To)
	default:
		o, err := probe.Decide(t.Context(), c.To)
		succeed(t, err)
		return o
	}
	return decide(r)
}

func written(t *testing.T, r Recorded) string {
	t.Helper()
	b, err := json.Marshal(r)
	succeed(t, err)
	return string(b)
}

// TestWhyNamesTheNumbers of a decision that anybody can check.
func TestWhyNamesTheNumbers(t *testing.T) {
	a := autoscaler(t)
	a.unneeded["n1"] = now.Add(-8 * time.Minute)
	c := &Cluster{Now: now, Nodes: []*corev1.Node{node("n1", "2", "4Gi"), node("n2", "2", "4Gi"), node("n3", "2", "4Gi")},
		Pods:   []*corev1.Pod{pod("a", "500m", "1Gi", on("n1")), pod("b", "1100m", "1Gi", on("n2")), pod("c", "1500m", "1Gi", on("n3"))},
		Groups: []*NodeGroup{group("g", 0, 9, "2", "4Gi").holding("n1", "n2", "n3")}}
	for _, p := range c.Pods { // workloads of their own
		owned("StatefulSet", "of-"+p.Name)(p)
	}
	inputs, err := a.record(c, true)
	succeed(t, err)
	for _, x := range []struct{ node, verdict, change string }{
		{"n1", "NotUnneededLongEnough", "time  0→13 ScaleDown"},                                         // 8m + 13 × 10s is more than 10m, + 12 × 10s is 10m
		{"n1", "NotUnneededLongEnough", "flag --scale-down-unneeded-time 600→479 ScaleDown"},            // strictly
		{"n2", "NotUnderutilized", "flag --scale-down-utilization-threshold 500→550 NoPlaceToMovePods"}, // 1100m of 2000m
		{"n2", "NotUnderutilized", "requests.cpu resources.requests.cpu 1100→1000 NoPlaceToMovePods"},   // 0.5 passes, and 500m are left on n3, 500m of n1 have moved
	} {
		answers, err := Why(t.Context(), trace.Frame{Inputs: inputs}, x.node)
		succeed(t, err)
		if len(answers) != 1 || answers[0].Outcome.Verdict != x.verdict {
			t.Fatalf("%s: %+v", x.node, answers)
		}
		var said []string
		for _, c := range answers[0].Changes {
			said = append(said, fmt.Sprintf("%s %s %d→%d %s", c.Kind, c.Field, c.From, c.To, c.Outcome.Verdict))
		}
		if !strings.Contains(strings.Join(said, "\n"), x.change) {
			t.Errorf("%s: %q is not said:\n%s", x.node, x.change, strings.Join(said, "\n"))
		}
	}
	told := trace.Frame{Inputs: inputs}
	told.Add("action", actionDown, "")
	if _, err := Why(t.Context(), told, ""); err != otherwise.ErrDiffers {
		t.Errorf("of a frame in which something else was done: %v", err)
	}
	if _, err := Why(t.Context(), trace.Frame{Inputs: inputs}, "n9"); err != otherwise.ErrNoSubject {
		t.Errorf("of a node that is not there: %v", err)
	}
}

// TestWhyOfDamage: whatever stands in a recording, it is an error and no panic.
func TestWhyOfDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 6))
	good := []byte(written(t, randomRecorded(t, r, true)))
	for _, text := range []string{`{}`, `null`, `{"engine":"cluster-autoscaler","cluster":{"Nodes":[null]}}`, `{"engine":"cluster-autoscaler","cluster":{"Groups":[{"Target":999999999}]}}`, `{"engine":"cluster-autoscaler","cluster":{}}`} {
		if _, err := Why(t.Context(), trace.Frame{Inputs: []byte(text)}, ""); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for range 20 {
		bad := append([]byte{}, good...)
		bad[r.IntN(len(bad))] = byte(r.IntN(256))
		_, _ = Why(ctx, trace.Frame{Inputs: bad}, "") // it returns
	}
}
