package clusterautoscaler

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/engine/otherwise"
)

// What no input is tried beyond.
const (
	mostMore   = 50               // pods or nodes more than there were
	mostPassed = 35 * time.Minute // that goes by: the longest backoff, and some
)

type edit = otherwise.Edit[Recorded]

// recordedPods is where they are.
var recordedPods otherwise.Pods[Recorded] = func(r *Recorded) *[]*corev1.Pod { return &r.Cluster.Pods }

// inputsUp are all that a decision about more nodes depends on and that somebody could
// have changed.
func (r Recorded) inputsUp(judge *Judge, u *ScaleUp) []otherwise.Probe {
	edits := slices.Concat(r.requests(u.Pending, u.cluster.Groups), recordedPods.Selectors(u.Pending), recordedPods.Waiting(u.Pending), r.groupMaxima(u), r.expanders(u), []edit{r.passing()})
	return otherwise.Probes(r, edits, func(ctx context.Context, r Recorded) (otherwise.Outcome, error) {
		again, err := r.up(ctx, judge)
		if err != nil {
			return otherwise.Outcome{}, err
		}
		return again.outcome(), nil
	})
}

// waits tells a pod that is on no node.
func waits(p *corev1.Pod) bool { return allocated(p) == "" }

// requests are those of each workload, of all its pods alike: of those alone that wait, where
// more nodes are in question.
func (r Recorded) requests(of []*corev1.Pod, groups []*NodeGroup) []edit {
	var sizes []corev1.ResourceList
	for _, n := range r.Cluster.Nodes {
		sizes = append(sizes, n.Status.Allocatable)
	}
	for _, g := range groups {
		sizes = append(sizes, g.Template.Status.Allocatable)
	}
	of = slices.DeleteFunc(slices.Clone(of), ofDaemonSet)
	return recordedPods.Requests(of, sizes, func(p *corev1.Pod) bool { return r.Down || waits(p) })
}

// groupMaxima are how far the groups may grow.
func (r Recorded) groupMaxima(u *ScaleUp) (list []edit) {
	for i, g := range r.Cluster.Groups {
		from := int64(g.Max)
		list = append(list, edit{Input: otherwise.Input{Kind: "groupMax", Of: g.Name, Unit: otherwise.Count, From: from, Low: min(from, int64(g.Target)), High: from + mostMore}, Set: func(r *Recorded, v int64) {
			r.editGroup(i, func(g *NodeGroup) { g.Max = int(v) })
		}})
		if strings.Contains(r.Options.Expander, Price) {
			price := int64(math.Round(g.Price * 1e4))
			list = append(list, edit{Input: otherwise.Input{Kind: "groupPrice", Of: g.Name, Unit: otherwise.Price, From: price, Low: 1, High: 10*price + 1}, Set: func(r *Recorded, v int64) {
				r.editGroup(i, func(g *NodeGroup) { g.Price = float64(v) / 1e4 })
			}})
		}
	}
	if limit := int64(r.Options.MaxNodesTotal); limit > 0 {
		list = append(list, edit{Input: otherwise.Input{Kind: "flag", Field: "--max-nodes-total", Unit: otherwise.Count, From: limit, Low: 1, High: limit + mostMore}, Set: func(r *Recorded, v int64) {
			r.Options.MaxNodesTotal = int(v)
		}})
	}
	return list
}

func (r *Recorded) editGroup(i int, change func(*NodeGroup)) {
	g := *r.Cluster.Groups[i]
	change(&g)
	r.Cluster.Groups[i] = &g
}

// expanders are the ones that might have chosen.
func (r Recorded) expanders(u *ScaleUp) (list []edit) {
	if len(u.Choices) < 2 {
		return nil
	}
	for _, name := range []string{LeastWaste, MostPods, LeastNodes, Price} {
		if name == r.Options.Expander {
			continue
		}
		list = append(list, edit{Input: otherwise.Input{Kind: "expander", Of: name, Field: "--expander", Unit: otherwise.Choice, High: 1}, Set: func(r *Recorded, _ int64) { r.Options.Expander = name }})
	}
	return list
}

// passing lets loops go by in which all stays as it is.
func (r Recorded) passing() edit {
	interval := max(r.Options.ScanInterval, time.Second)
	longest := mostPassed
	if r.Down {
		longest = max(longest, r.Options.UnneededTime, r.Options.UnreadyTime, r.Options.DelayAfterAdd)
	}
	return edit{Input: otherwise.Input{Kind: "time", Of: interval.String(), Unit: otherwise.Loops, High: int64(longest/interval) + 2}, Set: func(r *Recorded, v int64) {
		r.Cluster.Now = r.Cluster.Now.Add(time.Duration(v) * interval)
	}}
}

// flag is an option of which another value is tried.
func flagged(name string, unit otherwise.Unit, from, low, high int64, set func(o *Options, v int64)) edit {
	return edit{Input: otherwise.Input{Kind: "flag", Field: name, Unit: unit, From: from, Low: low, High: max(from, high)}, Set: func(r *Recorded, v int64) { set(&r.Options, v) }}
}
