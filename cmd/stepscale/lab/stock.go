package lab

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/engine/instances"
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
		t, ok := instances.Find(n.Type)
		if !ok {
			return fmt.Errorf("no instance type %s", n.Type) // the scenario was checked
		}
		nodes = append(nodes, t.Node(n.Name, instances.Placement{Zone: n.Zone, Group: n.Group}))
	}
	if len(nodes) == 0 {
		return nil
	}
	return s.cluster.Simulation.SetNodes(ctx, nodes)
}

// stock leaves the nodes as they are: no scenario with nodes of its own is played there.
func (s *realSite) stock(context.Context) error { return nil }
