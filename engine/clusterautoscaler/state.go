package clusterautoscaler

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/stepscale/stepscale/engine/world"
)

// Actor is named as the Deployment is in upstream's manifests.
const Actor = "cluster-autoscaler"

// Wide are the paths of the cluster-wide objects whose writes the loops tell.
var Wide = []string{"/api/v1/nodes"}

// State is what the steps of a loop share. The upper part is set by the caller; the sizes of
// the groups are the cloud's, and change with the steps that order.
type State struct {
	world.World
	Target  string // name of the Deployment whose pods need nodes
	Groups  []*NodeGroup
	Options Options
	// Whole tells that one RunOnce has both halves, as upstream's: the half that removes
	// nodes goes on where the half that adds them has ended, and lets no time pass.
	Whole   bool
	Evicted int // pods, in all passes
	// Machine is the n-th node of a group, counted from 1.
	Machine func(group string, n int) *corev1.Node

	autoscaler *Autoscaler
	booting    []*machine
	dates      *world.Dates
	pass       pass
	due        bool      // in this pass, where another loop lets time pass
	scanned    time.Time // when the last RunOnce began there
}

// machine is one that was ordered and whose node is not Ready.
type machine struct {
	node    *corev1.Node
	group   *NodeGroup
	ordered time.Time
	joined  bool
}

// pass is what the steps of one pass hand to each other.
type pass struct {
	inputs  json.RawMessage // of the decision
	up      *ScaleUp
	ordered bool // the nodes, already
	opened  bool // all nodes that were ordered are Ready
	down    *ScaleDown
}

func (s *State) subject() string { return s.Namespace + "/" + s.Target }
func (s *State) now() time.Time  { return s.Clock.Now() }

func worldOf(s *State) *world.World { return &s.World }

// begin makes the autoscaler, in its first pass.
func (s *State) begin(ctx context.Context) error {
	s.pass = pass{}
	if s.autoscaler != nil {
		return nil
	}
	judge, err := NewJudge(ctx)
	if err != nil {
		return err
	}
	s.autoscaler, s.dates = New(s.Options, judge, s.Clock.Now()), &world.Dates{Clock: s.Clock}
	return nil
}

// cluster reads all that a decision needs. Upstream has it in the caches of its informers.
func (s *State) cluster(ctx context.Context) (*Cluster, error) {
	kube, all := s.AsObserver().Kube, metav1.ListOptions{}
	nodes, err := kube.CoreV1().Nodes().List(ctx, all)
	if err != nil {
		return nil, err
	}
	pods, err := kube.CoreV1().Pods(metav1.NamespaceAll).List(ctx, all)
	if err != nil {
		return nil, err
	}
	budgets, err := kube.PolicyV1().PodDisruptionBudgets(metav1.NamespaceAll).List(ctx, all)
	if err != nil {
		return nil, err
	}
	c := &Cluster{Now: s.Clock.Now(), Groups: s.Groups, Nodes: pointers(nodes.Items), Pods: pointers(pods.Items), Budgets: pointers[policyv1.PodDisruptionBudget](budgets.Items)}
	for _, n := range c.Nodes {
		s.dates.Date(n)
	}
	for _, p := range c.Pods {
		s.dates.Date(p)
	}
	lean(c)
	c.ReplicaSets, err = s.replicaSets(ctx)
	c.Replicas = replicasIn(c.ReplicaSets)
	return c, err
}

func pointers[T any](items []T) []*T {
	list := make([]*T, len(items))
	for i := range items {
		list[i] = &items[i]
	}
	return list
}

// replicaSets are the sizes of the controllers of pods.
func (s *State) replicaSets(ctx context.Context) (map[types.UID]int32, error) {
	sets, err := s.AsObserver().Kube.AppsV1().ReplicaSets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	wanted := map[types.UID]int32{}
	for i := range sets.Items {
		wanted[sets.Items[i].UID] = world.ReplicasOf(&sets.Items[i])
	}
	return wanted, nil
}

// node is the Node of that name; nil where there is none.
func (s *State) node(ctx context.Context, name string) (*corev1.Node, error) {
	n, err := s.AsObserver().Kube.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return n, err
}

// order asks the cloud for a group of that size: machines begin to boot.
func (s *State) order(g *NodeGroup, size int) {
	for ; g.Target < size; g.Target++ {
		n := 1
		for taken := true; taken; n++ {
			name := s.Machine(g.Name, n).Name
			taken = slices.Contains(g.Nodes, name) || slices.ContainsFunc(s.booting, func(m *machine) bool { return m.node.Name == name })
			if !taken {
				s.booting = append(s.booting, &machine{node: s.Machine(g.Name, n), group: g, ordered: s.Clock.Now()})
			}
		}
	}
}

// release takes a node from its group, whose size goes down with it.
func (s *State) release(node string) {
	for _, g := range s.Groups {
		if i := slices.Index(g.Nodes, node); i >= 0 {
			g.Nodes = slices.Delete(g.Nodes, i, i+1)
			g.Target--
		}
	}
}
