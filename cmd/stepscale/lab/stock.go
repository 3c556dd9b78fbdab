package lab

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/stepscale/stepscale/engine/world"
)

// machinery is what nodes run on, where they can be made and taken away.
type machinery interface {
	world.Machines
	// SetNodes makes these the only nodes, until the namespace is let go.
	SetNodes(ctx context.Context, nodes []*corev1.Node) error
}

// stock gives the cluster the scenario's nodes, where it has some.
func (s *simulatedSite) stock(ctx context.Context) error {
	var nodes []*corev1.Node
	for _, n := range s.Scenario.Nodes() {
		nodes = append(nodes, n.Object())
	}
	if len(nodes) == 0 {
		return nil
	}
	if err := s.emptied(ctx); err != nil {
		return err
	}
	return s.cluster.Simulation.SetNodes(ctx, nodes)
}

// goneWithin bounds, in machine time, how long a namespace that is deleted may stay: where
// types went with it, upstream's namespace controller tries again after a while only.
const goneWithin = time.Minute

// emptied waits until the namespaces of sessions before are gone: who makes nodes looks
// at every pod of the cluster, and theirs would want a place too.
func (s *simulatedSite) emptied(ctx context.Context) error {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, goneWithin, true, func(ctx context.Context) (bool, error) {
		all, err := s.objects.kube.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		return !slices.ContainsFunc(all.Items, func(ns corev1.Namespace) bool { return ns.DeletionTimestamp != nil }), nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return nil // somebody's finalizer holds it
	}
	return err
}

// stock leaves the nodes as they are: no scenario with nodes of its own is played there.
func (s *realSite) stock(context.Context) error { return nil }
