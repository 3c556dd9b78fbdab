package clusterautoscaler

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// choices are what a test's expanders choose from: small needs 3 nodes for 6 pods of 500m
// and 1Gi, large 1 for 6, odd 1 for 2.
func choices() []Choice {
	six := pending(6, "web", "500m", "1Gi")
	small, large, odd := group("small", 0, 9, "1", "4Gi"), group("large", 0, 9, "8", "16Gi"), group("odd", 0, 9, "1", "2Gi")
	small.Price, large.Price, odd.Price = 0.05, 0.40, 0.10
	return []Choice{{Group: small, Nodes: 3, Pods: six}, {Group: large, Nodes: 1, Pods: six}, {Group: odd, Nodes: 1, Pods: six[:2]}}
}

func TestExpanders(t *testing.T) {
	const named = `{10: [".*"], 50: ["^large$", "^none$"]}`
	for _, c := range []struct {
		mirrors    string
		chain      []string
		priorities string
		left       []string // after each round
		best       []string // any of them
	}{
		{"expander/waste/waste.go", []string{LeastWaste}, "", []string{"odd"}, []string{"odd"}},
		{"expander/mostpods/mostpods.go", []string{MostPods}, "", []string{"small large"}, []string{"small", "large"}},
		{"expander/leastnodes/leastnodes.go", []string{LeastNodes}, "", []string{"large odd"}, []string{"large", "odd"}},
		{"expander/factory/chain.go: the second decides among equals", []string{MostPods, LeastNodes}, "", []string{"small large", "large"}, []string{"large"}},
		{"expander/factory/chain.go: the others are not asked any more", []string{LeastWaste, MostPods}, "", []string{"odd"}, []string{"odd"}},
		{"expander/random/random.go", []string{Random}, "", nil, []string{"small", "large", "odd"}},
		{"expander/priority/priority.go: the highest number", []string{Priority}, named, []string{"large"}, []string{"large"}},
		{"expander/priority/priority.go: a group that no pattern matches is not used", []string{Priority}, `{1: ["odd"], 2: ["x"]}`, []string{"odd"}, []string{"odd"}},
		{"expander/priority/priority.go: nothing matches, chance decides", []string{Priority}, `{1: ["x"]}`, []string{"small large odd"}, []string{"small", "large", "odd"}},
		{"expander/priority/priority.go: a bad ConfigMap filters nothing", []string{Priority}, `{1: ["("]}`, []string{"small large odd"}, []string{"small", "large", "odd"}},
		{"expander/price/price.go", []string{Price}, "", []string{"small"}, []string{"small"}},
	} {
		seen := map[string]bool{}
		for seed := range uint64(20) {
			a := autoscaler(t, func(o *Options) { o.Expander, o.Priorities, o.Seed = strings.Join(c.chain, ","), c.priorities, seed })
			u := a.ScaleUp(&Cluster{Now: now})
			u.Choices = choices()
			if err := u.Expand(); err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, r := range u.Rounds {
				var of []string
				for _, s := range r.Scores {
					if s.Left {
						of = append(of, s.Group)
					}
				}
				left = append(left, strings.Join(of, " "))
			}
			if !slices.Equal(left, c.left) {
				t.Fatalf("%s: rounds left %q, want %q", c.mirrors, left, c.left)
			}
			seen[u.Best.Group.Name] = true
		}
		if len(seen) != len(c.best) || slices.ContainsFunc(c.best, func(g string) bool { return !seen[g] }) {
			t.Errorf("%s: chose %v, want each of %v", c.mirrors, seen, c.best)
		}
	}
	a := autoscaler(t, func(o *Options) { o.Expander = "cheapest" })
	u := a.ScaleUp(&Cluster{Now: now})
	if u.Choices = choices(); !errors.Is(u.Expand(), ErrNoExpander) {
		t.Error("an expander that nobody knows is no error")
	}
}

// TestScores holds the arithmetic of the scores against numbers worked out by hand.
func TestScores(t *testing.T) {
	u := autoscaler(t).ScaleUp(&Cluster{Now: now, Nodes: []*corev1.Node{node("a", "1", "1Gi"), node("b", "1", "1Gi"), node("c", "1", "1Gi")}})
	small := choices()[0]
	// 3 nodes of 1 CPU and 4Gi; 6 pods of 500m and 1Gi: no CPU left, half of the memory.
	if got, _ := leastWaste(u, small); math.Abs(got-0.5) > 1e-9 {
		t.Errorf("least-waste %v", got)
	}
	// A cluster of three prefers nodes of 2 CPU: unfitness 2, suppressed 1 + (1 − tanh(2/15)).
	steady := 0.5*0.033174 + 500.0/1024*0.004446
	want := (0.15 + steady) / (3*0.033174 + 6*0.004446 + steady) * (2 - math.Tanh(2.0/15))
	if got, _ := byPrice(u, small); math.Abs(got-want) > 1e-9 {
		t.Errorf("price %v, want %v", got, want)
	}
	for nodes, preferred := range map[int]float64{2: 1, 3: 2, 6: 2, 7: 4, 20: 4, 21: 8, 60: 8, 61: 16, 200: 16, 201: 32} {
		if got := unfitness(nodes, resources(fmt.Sprint(preferred), "1Gi")[corev1.ResourceCPU]); got != 1 {
			t.Errorf("of %d nodes: %v CPU are not preferred (%v)", nodes, preferred, got)
		}
	}
}

// TestCapacityNotAllocatable: least-waste looks at the whole node, the predicates at what
// pods may have.
func TestCapacityNotAllocatable(t *testing.T) {
	g := group("g", 0, 9, "2", "4Gi")
	g.Template.Status.Allocatable = resources("1", "4Gi")
	u := scaleUp(t, autoscaler(t), &Cluster{Pods: pending(2, "web", "1", "1Gi"), Groups: []*NodeGroup{g}})
	if u.Best.Nodes != 2 || u.Rounds[0].Scores[0].Value != 0.5+0.75 {
		t.Errorf("%d nodes, %+v", u.Best.Nodes, u.Rounds)
	}
}
