package lab

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/engine/clusterautoscaler"
	"github.com/stepscale/stepscale/engine/instances"
	"github.com/stepscale/stepscale/scenarios"
)

// forClusterAutoscaler has the scenario's node groups, as large as they are at the start.
func (s *Stage) forClusterAutoscaler(context.Context) (*clusterautoscaler.State, error) {
	options, err := s.nodeOptions()
	if err != nil {
		return nil, err
	}
	w, err := s.newWorld(clusterautoscaler.Actor)
	if err != nil {
		return nil, err
	}
	w.Wide = clusterautoscaler.Wide
	state := &clusterautoscaler.State{World: w, Target: s.Scenario.Target, Options: options, Machine: s.machine}
	for _, g := range s.Scenario.Groups {
		t, ok := instances.Find(g.Type)
		if !ok {
			return nil, fmt.Errorf("no instance type %s", g.Type) // the scenario was checked
		}
		template := scenarios.Node{Name: g.Name, Type: g.Type, Zone: g.Zone, Group: g.Name}
		group := &clusterautoscaler.NodeGroup{Name: g.Name, Min: g.Min, Max: g.Max, Target: g.Desired, Price: t.Price, Template: template.Object()}
		for i := range g.Desired {
			group.Nodes = append(group.Nodes, g.Node(i+1).Name)
		}
		state.Groups = append(state.Groups, group)
	}
	return state, nil
}

// forRunOnce has both halves of Cluster Autoscaler in one loop.
func (s *Stage) forRunOnce(ctx context.Context) (*clusterautoscaler.State, error) {
	state, err := s.forClusterAutoscaler(ctx)
	if err == nil {
		state.Whole = true
	}
	return state, err
}

// machine is the n-th node of a group.
func (s *Stage) machine(group string, n int) *corev1.Node {
	for _, g := range s.Scenario.Groups {
		if g.Name == group {
			return g.Node(n).Object()
		}
	}
	return nil
}
