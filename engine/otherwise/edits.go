package otherwise

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// The questions about nodes (Answer.Question).
const (
	TypeChosen  = "typeChosen"  // why these machines are rented
	GroupChosen = "groupChosen" // why these nodes were ordered
	NoNode      = "noNode"      // why none is
	NodeKept    = "nodeKept"    // why a node stays
	NodeRemoved = "nodeRemoved" // why it goes
)

// Recorded is what was recorded of a decision, R itself.
type Recorded[R any] interface {
	// Own is a copy whose lists may be changed.
	Own() R
}

// Edit is an input, and what another value of it does to a copy of what was recorded.
type Edit[R Recorded[R]] struct {
	Input
	Set func(r *R, v int64)
}

// with is what was recorded with another value; From leaves it alone.
func (e Edit[R]) with(r R, v int64) R {
	r = r.Own()
	if v != e.From {
		e.Set(&r, v)
	}
	return r
}

// Probes decide again about the whole.
func Probes[R Recorded[R]](r R, edits []Edit[R], decide func(context.Context, R) (Outcome, error)) (list []Probe) {
	for _, e := range edits {
		list = append(list, Probe{e.Input, func(ctx context.Context, v int64) (Outcome, error) { return decide(ctx, e.with(r, v)) }})
	}
	return list
}

// Memo keeps what an input at a value comes to: that is the same for all nodes.
type Memo map[string]map[string]Outcome

// ProbesOf decide again about every node, by name, and tell what becomes of one: none where
// the decision is not about it any more.
func ProbesOf[R Recorded[R]](node string, r R, edits []Edit[R], memo Memo, none Outcome, decide func(context.Context, R) (map[string]Outcome, error)) (list []Probe) {
	for _, e := range edits {
		list = append(list, Probe{e.Input, func(ctx context.Context, v int64) (Outcome, error) {
			key := fmt.Sprint(e.Kind, "\x00", e.Of, "\x00", e.Field, "\x00", v)
			if _, ok := memo[key]; !ok {
				all, err := decide(ctx, e.with(r, v))
				if err != nil {
					return Outcome{}, err
				}
				memo[key] = all
			}
			if o, ok := memo[key][node]; ok {
				return o, nil
			}
			return none, nil
		}})
	}
	return list
}

// ErrNoSubject tells that the decision was not about what is asked after.
var ErrNoSubject = errors.New("the decision was not about that")

// MostAnswers are given at once; who wants another names its subject.
const MostAnswers = 5

// AskNodes looks at the inputs of the nodes, in their order: of MostAnswers of them, or of
// the subject alone where there is one.
func AskNodes(ctx context.Context, nodes []string, subject string, decided map[string]Outcome, gone func(Outcome) bool, search Search, probes func(node string) []Probe) (answers []Answer, err error) {
	for _, node := range nodes {
		if subject != "" && subject != node || len(answers) == MostAnswers {
			continue
		}
		question := NodeKept
		if gone(decided[node]) {
			question = NodeRemoved
		}
		a, err := Ask(ctx, question, node, decided[node], search, probes(node))
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	if subject != "" && len(answers) == 0 {
		return nil, ErrNoSubject
	}
	return answers, nil
}

// Pods are where something recorded has its pods.
type Pods[R Recorded[R]] func(*R) *[]*corev1.Pod

// Change is an edit of the pods that match.
func (at Pods[R]) Change(in Input, match func(*corev1.Pod) bool, change func(p *corev1.Pod, v int64)) Edit[R] {
	return Edit[R]{in, func(r *R, v int64) {
		pods := at(r)
		*pods = edited(*pods, match, func(p *corev1.Pod) { change(p, v) })
	}}
}

// Requests are those of each workload of some pods, of all its pods alike that match; none
// beyond the largest of the sizes.
func (at Pods[R]) Requests(pods []*corev1.Pod, sizes []corev1.ResourceList, match func(*corev1.Pod) bool) (list []Edit[R]) {
	for _, w := range Workloads(pods) {
		for _, in := range w.requests(largest(sizes)) {
			list = append(list, at.Change(in, func(p *corev1.Pod) bool { return w.Has(p) && match(p) }, in.setRequest))
		}
	}
	return list
}

// Selectors are nodeSelectors that might not be there.
func (at Pods[R]) Selectors(pods []*corev1.Pod) (list []Edit[R]) {
	for _, w := range Workloads(pods) {
		if len(w.Pods[0].Spec.NodeSelector) > 0 {
			list = append(list, at.Change(Input{Kind: "noNodeSelector", Of: w.Name, Field: "nodeSelector", Unit: Choice, High: 1}, w.Has,
				func(p *corev1.Pod, _ int64) { p.Spec.NodeSelector = nil }))
		}
	}
	return list
}

// Waiting is how many pods wait: fewer of them, or more like the last.
func (at Pods[R]) Waiting(waiting []*corev1.Pod) []Edit[R] {
	n := int64(len(waiting))
	if n == 0 {
		return nil
	}
	return []Edit[R]{{Input{Kind: "waitingPods", Unit: Count, From: n, High: n + mostMore}, func(r *R, v int64) {
		pods := at(r)
		if v < n {
			*pods = without(*pods, waiting[v:])
		} else {
			*pods = more(*pods, waiting[n-1], int(v-n))
		}
	}}}
}

// OnNode is how many pods there are on a node: the last of those that are on it are not
// there.
func (at Pods[R]) OnNode(node string, on []*corev1.Pod) []Edit[R] {
	n := int64(len(on))
	if n == 0 {
		return nil
	}
	return []Edit[R]{{Input{Kind: "podsOnNode", Of: node, Unit: Count, From: n, High: n}, func(r *R, v int64) {
		pods := at(r)
		*pods = without(*pods, on[v:])
	}}}
}

// RoomOn is the CPU that a node has for pods, as much as there is and more.
func RoomOn(n *corev1.Node) Input {
	from := n.Status.Allocatable.Cpu().MilliValue()
	return Input{Kind: "allocatable.cpu", Of: n.Name, Field: "status.allocatable.cpu", Unit: Milli, From: from, Low: from, High: 4*from + 1}
}

// Allowed is how many pods a PodDisruptionBudget lets go.
func Allowed(budget string, now int32) Input {
	from := int64(now)
	return Input{Kind: "disruptionsAllowed", Of: budget, Field: "status.disruptionsAllowed", Unit: Count, From: from, High: from + mostMore}
}
