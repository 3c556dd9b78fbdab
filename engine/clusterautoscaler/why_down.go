package clusterautoscaler

import (
	"context"
	"math"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/engine/otherwise"
)

// inputsDown are all that the fate of a node depends on and that somebody could have
// changed.
func (r Recorded) inputsDown(judge *Judge, d *ScaleDown, node string, memo otherwise.Memo) []otherwise.Probe {
	on := otherwise.OnNode(r.Cluster.Pods, node)
	edits := slices.Concat(r.requests(on, nil), recordedPods.OnNode(node, on), safeToEvict(on), r.allowed(on), r.roomElsewhere(d, node), r.minimum(node), r.flagsDown(), []edit{r.passing()})
	return otherwise.ProbesOf(node, r, edits, memo, otherwise.Outcome{Verdict: Unhealthy, Ref: ofHealth}, func(ctx context.Context, r Recorded) (map[string]otherwise.Outcome, error) {
		again, err := r.down(ctx, judge)
		return outcomes(again), err
	})
}

// safeToEvict is the annotation, on the pods of a workload that has it not.
func safeToEvict(on []*corev1.Pod) (list []edit) {
	for _, w := range otherwise.Workloads(on) {
		if w.Pods[0].Annotations[SafeToEvict] == "true" || ofDaemonSet(w.Pods[0]) {
			continue
		}
		list = append(list, recordedPods.Change(otherwise.Input{Kind: "safeToEvict", Of: w.Name, Field: SafeToEvict, Unit: otherwise.Choice, High: 1}, w.Has, func(p *corev1.Pod, _ int64) {
			metav1.SetMetaDataAnnotation(&p.ObjectMeta, SafeToEvict, "true")
		}))
	}
	return list
}

// allowed is how many pods the budgets let go that are about pods of the node.
func (r Recorded) allowed(on []*corev1.Pod) (list []edit) {
	tracker, err := newPDBTracker(r.Cluster.Budgets)
	if err != nil {
		return nil
	}
	for i, b := range tracker.budgets {
		if b.count(on) == 0 {
			continue
		}
		list = append(list, edit{Input: otherwise.Allowed(b.name, int32(b.allowed)), Set: func(r *Recorded, v int64) {
			r.Cluster.Budgets[i] = r.Cluster.Budgets[i].DeepCopy()
			r.Cluster.Budgets[i].Status.DisruptionsAllowed = int32(v)
		}})
	}
	return list
}

// roomElsewhere is what another node has for pods, where pods of this one find no place.
func (r Recorded) roomElsewhere(d *ScaleDown, node string) (list []edit) {
	if d == nil || !slices.ContainsFunc(d.Removals, func(x Removal) bool { return x.Node.Name == node && x.Reason == NoPlaceToMovePods }) {
		return nil
	}
	for i, n := range r.Cluster.Nodes {
		if n.Name == node {
			continue
		}
		list = append(list, edit{Input: otherwise.RoomOn(n), Set: func(r *Recorded, v int64) {
			n := r.Cluster.Nodes[i].DeepCopy()
			n.Status.Allocatable[corev1.ResourceCPU] = *resource.NewMilliQuantity(v, resource.DecimalSI)
			r.Cluster.Nodes[i] = n
		}})
	}
	return list
}

// minimum is that of the node's group.
func (r Recorded) minimum(node string) []edit {
	i := slices.IndexFunc(r.Cluster.Groups, func(g *NodeGroup) bool { return slices.Contains(g.Nodes, node) })
	if i < 0 {
		return nil
	}
	g := r.Cluster.Groups[i]
	from := int64(g.Min)
	return []edit{{Input: otherwise.Input{Kind: "groupMin", Of: g.Name, Unit: otherwise.Count, From: from, High: max(from, int64(g.Target))}, Set: func(r *Recorded, v int64) {
		r.editGroup(i, func(g *NodeGroup) { g.Min = int(v) })
	}}}
}

// flagsDown are the flags that a decision about fewer nodes depends on.
func (r Recorded) flagsDown() []edit {
	o := r.Options
	seconds := func(d time.Duration) int64 { return int64(d / time.Second) }
	duration := func(v int64) time.Duration { return time.Duration(v) * time.Second }
	hour := seconds(time.Hour)
	list := []edit{
		flagged("--scale-down-utilization-threshold", otherwise.Thousandth, int64(math.Round(o.UtilizationThreshold*1000)), 0, 2000, func(o *Options, v int64) { o.UtilizationThreshold = float64(v) / 1000 }),
		flagged("--scale-down-unneeded-time", otherwise.Seconds, seconds(o.UnneededTime), 0, hour, func(o *Options, v int64) { o.UnneededTime = duration(v) }),
		flagged("--scale-down-delay-after-add", otherwise.Seconds, seconds(o.DelayAfterAdd), 0, hour, func(o *Options, v int64) { o.DelayAfterAdd = duration(v) }),
		flagged("--max-drain-parallelism", otherwise.Count, int64(o.DrainParallelism), 0, 20, func(o *Options, v int64) { o.DrainParallelism = int(v) }),
		flagged("--max-scale-down-parallelism", otherwise.Count, int64(o.Parallelism), 0, 50, func(o *Options, v int64) { o.Parallelism = int(v) }),
	}
	if o.SkipLocalStorage {
		list = append(list, edit{Input: otherwise.Input{Kind: "switch", Of: "false", Field: "--skip-nodes-with-local-storage", Unit: otherwise.Choice, High: 1}, Set: func(r *Recorded, _ int64) { r.Options.SkipLocalStorage = false }})
	}
	return list
}
