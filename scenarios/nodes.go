package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/stepscale/stepscale/engine/instances"
)

// Node is a node that is there when the scenario begins.
type Node struct {
	Name  string
	Type  string // one of instances.Names
	Zone  string // one of instances.Zones
	Group string // the name of its NodeGroup; empty where nobody scales it
}

// NodeGroup are nodes of one type whose number the Cluster Autoscaler changes: an
// auto-scaling group of the cloud.
type NodeGroup struct {
	Name, Type, Zone  string
	Min, Max, Desired int
}

// MaxNodes is how many nodes a scenario may come to: each has a kubelet that listens.
const MaxNodes = 200

// Nodes are those that the scenario begins with; none where it leaves the cluster its own.
// The nodes of a group come after those that nobody scales, in the order of the file.
func (s *Scenario) Nodes() []Node {
	nodes := slices.Clone(s.nodes)
	for _, g := range s.Groups {
		for i := range g.Desired {
			nodes = append(nodes, g.Node(i+1))
		}
	}
	return nodes
}

// Node is the n-th node of the group, counted from 1.
func (g NodeGroup) Node(n int) Node {
	return Node{Name: fmt.Sprintf("%s-%d", g.Name, n), Type: g.Type, Zone: g.Zone, Group: g.Name}
}

// Object is the node as its kubelet registers it.
func (n Node) Object() *corev1.Node {
	t, _ := instances.Find(n.Type) // a type that is not there is refused when the scenario is read
	return t.Node(n.Name, instances.Placement{Zone: n.Zone, Group: n.Group})
}

const nodesHint = "{type: m5.large, count: 1}처럼 적어 주십시오."

// nodeList reads the nodes that nobody scales: node-1, node-2 and so on.
func (r *reader) nodeList(n *yaml.Node) (list []Node) {
	if !r.hasItems(n, "nodes", nodesHint) {
		return nil
	}
	for _, item := range n.Content {
		node, count := Node{Zone: instances.Zones[0]}, 1
		r.mapping(item, "nodes의 항목", []field{
			{"type", true, r.instanceType(&node.Type)},
			{"count", false, r.whole(&count, "count", 1, MaxNodes)},
			{"zone", false, r.zone(&node.Zone)},
		})
		for range count {
			node.Name = fmt.Sprintf("node-%d", len(list)+1)
			list = append(list, node)
		}
	}
	return list
}

const groupsHint = "{name: general, type: m5.large, min: 1, max: 4, desired: 2}처럼 적어 주십시오."

// groups reads the groups whose nodes the Cluster Autoscaler scales.
func (r *reader) groups(n *yaml.Node) (list []NodeGroup) {
	if !r.hasItems(n, "groups", groupsHint) {
		return nil
	}
	for _, item := range n.Content {
		g := NodeGroup{Zone: instances.Zones[0]}
		before := len(r.problems)
		r.mapping(item, "groups의 항목", []field{
			{"name", true, r.groupName(&g.Name)},
			{"type", true, r.instanceType(&g.Type)},
			{"zone", false, r.zone(&g.Zone)},
			{"min", true, r.whole(&g.Min, "min", 0, MaxNodes)},
			{"max", true, r.whole(&g.Max, "max", 1, MaxNodes)},
			{"desired", true, r.whole(&g.Desired, "desired", 0, MaxNodes)},
		})
		switch {
		case len(r.problems) > before:
		case g.Min > g.Desired || g.Desired > g.Max:
			r.add(item.Line, "min ≤ desired ≤ max가 되게 적어 주십시오.", "groups의 %s의 desired(%d)가 min(%d)과 max(%d) 사이에 있지 않습니다.", g.Name, g.Desired, g.Min, g.Max)
		case slices.ContainsFunc(list, func(o NodeGroup) bool { return o.Name == g.Name }):
			r.add(item.Line, "이름을 바꾸어 주십시오.", "groups에 이름이 같은 항목이 두 번 있습니다: %s", g.Name)
		}
		list = append(list, g)
	}
	return list
}

// stock checks how many nodes there may come to be.
func (r *reader) stock(line int, s *Scenario) {
	most := len(s.nodes)
	for _, g := range s.Groups {
		most += g.Max
	}
	if most > MaxNodes {
		r.add(line, "count나 max를 줄여 주십시오.", "노드가 모두 %d개까지 늘어날 수 있습니다. %d개까지 쓸 수 있습니다.", most, MaxNodes)
	}
}

func (r *reader) instanceType(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		text, ok := r.scalar(n, "type")
		if !ok {
			return
		}
		if _, ok := instances.Find(text); !ok {
			r.add(n.Line, "쓸 수 있는 것: "+strings.Join(instances.Names(), ", "), "모르는 인스턴스 타입입니다: %s", text)
			return
		}
		*to = text
	}
}

func (r *reader) zone(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		text, ok := r.scalar(n, "zone")
		if ok && !slices.Contains(instances.Zones, text) {
			r.add(n.Line, "쓸 수 있는 것: "+strings.Join(instances.Zones, ", "), "모르는 가용 영역입니다: %s", text)
			return
		}
		*to = text
	}
}

// groupName reads what the names of nodes will begin with.
func (r *reader) groupName(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		text, ok := r.scalar(n, "name")
		if !ok {
			return
		}
		if bad := validation.IsDNS1123Label(text); len(bad) > 0 || len(text) > maxGroupName || strings.HasPrefix(text, "node") || strings.HasPrefix(text, "sim-node") {
			r.add(n.Line, fmt.Sprintf("영문 소문자, 숫자, 하이픈으로 %d자까지 적어 주십시오. node와 sim-node로는 시작할 수 없습니다.", maxGroupName), "노드 그룹의 이름으로 쓸 수 없습니다: %s", text)
			return
		}
		*to = text
	}
}

const maxGroupName = 40 // it is a label, and begins the names of nodes

// whole reads a count.
func (r *reader) whole(to *int, what string, least, most int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		text, ok := r.scalar(n, what)
		if !ok {
			return
		}
		v, err := strconv.Atoi(text)
		if err != nil || v < least || v > most {
			r.add(n.Line, fmt.Sprintf("%d부터 %d까지의 정수를 적어 주십시오.", least, most), "%s에 쓸 수 없는 값입니다: %s", what, text)
			return
		}
		*to = v
	}
}
