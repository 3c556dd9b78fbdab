package chain

import (
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/instances"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// both lets an actor play its part for each of the two Deployments, and tells of each what
// has changed since before either.
func (s *Comparison) both(ctx context.Context, f *trace.Frame, turn func(context.Context, *trace.Frame, string) error, tell func(*side, world.Workload, world.Workload, *trace.Frame)) error {
	before := map[string]world.Workload{}
	for _, of := range s.sides {
		w, err := s.Workload(ctx, of.target)
		if err != nil {
			return err
		}
		before[of.name] = w
	}
	idle := true
	for _, of := range s.sides {
		var g trace.Frame
		if err := turn(ctx, &g, of.target); err != nil {
			return err
		}
		f.Kubectl = g.Kubectl
		_, skipped := g.Fact(trace.FactSkipped)
		idle = idle && skipped
	}
	for _, of := range s.sides {
		after, err := s.Workload(ctx, of.target)
		if err != nil {
			return err
		}
		tell(of, before[of.name], after, f)
	}
	if idle {
		f.Add(trace.FactSkipped, "두 디플로이먼트 모두 그대로이므로 할 일이 없습니다.", "")
	}
	return nil
}

func (o *side) count(f *trace.Frame, fact string, n int) {
	f.Add(fact+"/"+o.name, strconv.Itoa(n), "")
}

// scaleBoth begins a pass: time goes by, in which somebody may have scaled both.
func scaleBoth(ctx context.Context, s *Comparison, f *trace.Frame) error {
	if s.sides == nil {
		s.sides = []*side{{name: sideKarpenter, target: s.Karpenter.Target}, {name: sideAutoscaler, target: s.Autoscaler.Target}}
		s.last = s.Clock.Now()
	}
	if _, err := s.Tick(ctx, ComparisonPass); err != nil {
		return err
	}
	f.Add("interval", ComparisonPass.String(), "")
	return s.both(ctx, f, s.TurnDeployment, func(o *side, before, after world.Workload, f *trace.Frame) {
		o.count(f, "deploymentReplicas", int(after.Replicas()))
		if rs := after.Newest(); rs != nil {
			o.count(f, "replicaSetReplicas", int(world.ReplicasOf(rs)))
			if from, known := before.Find(rs.UID); known && from != world.ReplicasOf(rs) {
				f.Changes = append(f.Changes, trace.Change{Object: "replicaset/" + rs.Name, Field: "spec.replicas", From: strconv.Itoa(int(from)), To: strconv.Itoa(int(world.ReplicasOf(rs)))})
			}
		}
	})
}

func createBoth(ctx context.Context, s *Comparison, f *trace.Frame) error {
	return s.both(ctx, f, s.TurnReplicaSet, func(o *side, before, after world.Workload, f *trace.Frame) {
		created, deleted := world.DiffPods(world.Fingerprints(before.Pods), after, f)
		o.count(f, "createdPods", len(created))
		o.count(f, "deletedPods", len(deleted))
	})
}

func markBoth(ctx context.Context, s *Comparison, f *trace.Frame) error {
	turn := func(ctx context.Context, f *trace.Frame, target string) error {
		_, err := s.TurnScheduler(ctx, f, target)
		return err
	}
	return s.both(ctx, f, turn, func(o *side, before, after world.Workload, f *trace.Frame) {
		var g trace.Frame
		o.count(f, "boundPods", world.AddBound(world.Fingerprints(before.Pods), after, &g))
		f.Changes = append(f.Changes, g.Changes...)
		_, waiting := after.Bound()
		o.count(f, "unschedulablePods", waiting)
		if waiting > 0 && o.since.IsZero() {
			o.since = s.Clock.Now()
		}
	})
}

func runBoth(ctx context.Context, s *Comparison, f *trace.Frame) error {
	return s.both(ctx, f, s.TurnKubelet, func(o *side, before, after world.Workload, f *trace.Frame) {
		world.AddRun(world.Fingerprints(before.Pods), after, f)
		o.count(f, "readyPods", after.Ready())
	})
}

// compare reads what nodes each has and what they cost, and counts up what has happened.
func compare(ctx context.Context, s *Comparison, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes -L node.kubernetes.io/instance-type," + instances.LabelGroup
	nodes, err := s.AsLearner().Kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	types := map[string][]string{}
	for _, n := range nodes.Items {
		of := sideKarpenter
		if n.Labels[instances.LabelGroup] != "" {
			of = sideAutoscaler
		}
		types[of] = append(types[of], n.Labels[corev1.LabelInstanceTypeStable])
	}
	evicted := map[string]int{sideKarpenter: s.Karpenter.Evicted, sideAutoscaler: s.Autoscaler.Evicted}
	since := s.Clock.Since(s.last)
	s.last = s.Clock.Now()
	for _, of := range s.sides {
		w, err := s.Workload(ctx, of.target)
		if err != nil {
			return err
		}
		of.spent += of.price * since.Hours() // of the nodes that were there when the time began
		var terms string
		of.price, terms = hourly(types[of.name])
		of.count(f, "sideNodes", len(types[of.name]))
		f.Add("sideTypes/"+of.name, tally(types[of.name]), "")
		f.Add("sidePrice/"+of.name, dollars(of.price), terms)
		f.Add("sideSpent/"+of.name, dollars(of.spent), "")
		of.wait(w, s.Clock.Now())
		f.Add("sideWaited/"+of.name, of.waited.String(), "")
		of.count(f, "sideEvicted", evicted[of.name])
		of.count(f, "readyPods", w.Ready())
	}
	return nil
}

// wait counts for how long pods have had no node, until all are ready for the first time.
func (o *side) wait(w world.Workload, now time.Time) {
	if o.done || o.since.IsZero() {
		return
	}
	o.waited, o.done = now.Sub(o.since), w.Ready() == len(w.Active())
}

// hourly is what the machines cost in an hour in USD, on demand, and how it is added up.
func hourly(types []string) (sum float64, terms string) {
	var each []string
	for _, name := range slices.Sorted(slices.Values(types)) {
		t, _ := instances.Find(name)
		sum += t.Price
		each = append(each, dollars(t.Price))
	}
	if len(each) > 1 {
		terms = strings.Join(each, " + ")
	}
	return sum, terms
}

// tally names the types, alike ones together: "m5.large×2, c5.xlarge".
func tally(types []string) string {
	count := map[string]int{}
	for _, t := range types {
		count[t]++
	}
	var all []string
	for _, t := range slices.Sorted(maps.Keys(count)) {
		if count[t] > 1 {
			t += "×" + strconv.Itoa(count[t])
		}
		all = append(all, t)
	}
	return strings.Join(all, ", ")
}

// dollars is an amount in USD without what adding floating-point numbers leaves behind.
func dollars(amount float64) string {
	return strconv.FormatFloat(math.Round(amount*1e4)/1e4, 'f', -1, 64)
}
