// Package instances is what a cloud rents out to become nodes: instance types with their
// size, what the kubelet keeps of it, and their price. The sizes and prices are EC2's; the
// machines are simulated.
package instances

import (
	"fmt"
	"math"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// How an instance is paid for.
const (
	OnDemand = "on-demand"
	Spot     = "spot"
)

// How long a machine takes in virtual time, whoever asked for it: both are simulated.
const (
	BootTime  = 20 * time.Second // from the order to the kubelet's first word
	NetworkUp = 10 * time.Second // from there until the node is Ready
)

// LabelGroup names the node group that a node belongs to; nodes of no group have none.
const LabelGroup = "stepscale.io/node-group"

// Type is one size of machine.
type Type struct {
	Name      string
	VCPU      int
	MemoryMiB int     // as it is advertised
	Arch      string  // as in the label kubernetes.io/arch
	Pods      int     // that the kubelet takes
	Price     float64 // USD an hour, on demand
}

// All are the types that there are, in the order of the table.
func All() []Type { return slices.Clone(table) }

// Find is the type of that name.
func Find(name string) (Type, bool) {
	i := slices.IndexFunc(table, func(t Type) bool { return t.Name == name })
	if i < 0 {
		return Type{}, false
	}
	return table[i], true
}

// Names are those of all types.
func Names() []string {
	names := make([]string, len(table))
	for i, t := range table {
		names[i] = t.Name
	}
	return names
}

// PriceAs is what an hour costs in USD, paid for in that way.
func (t Type) PriceAs(capacity string) float64 {
	if capacity == Spot {
		return t.Price * spotShare
	}
	return t.Price
}

// vmOverhead of the advertised memory never reaches the operating system: the default of
// karpenter-provider-aws (--vm-memory-overhead-percent).
const vmOverhead = 0.075

// Capacity is what the kubelet reports of the machine.
func (t Type) Capacity() corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewQuantity(int64(t.VCPU), resource.DecimalSI),
		corev1.ResourceMemory: mebibytes(t.MemoryMiB - int(math.Ceil(float64(t.MemoryMiB)*vmOverhead))),
		corev1.ResourcePods:   *resource.NewQuantity(int64(t.Pods), resource.DecimalSI),
	}
}

// reserved shares of the CPU are larger for the first cores than for the later ones.
var reserved = []struct {
	upTo  int64 // millicores
	share float64
}{{1000, 0.06}, {2000, 0.01}, {4000, 0.005}, {math.MaxInt64, 0.0025}}

// evictionMiB of memory are kept free, or pods are evicted.
const evictionMiB = 100

// Reserved is what the kubelet keeps of the capacity for itself and the system: EKS's rule
// (karpenter-provider-aws pkg/providers/instancetype/types.go: kubeReservedResources,
// evictionThreshold).
func (t Type) Reserved() corev1.ResourceList {
	var kept, from int64
	for _, r := range reserved {
		if cpu := int64(t.VCPU) * 1000; cpu > from {
			kept += int64(float64(min(cpu, r.upTo)-from) * r.share)
		}
		from = r.upTo
	}
	return corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(kept, resource.DecimalSI),
		corev1.ResourceMemory: mebibytes(255 + 11*t.Pods + evictionMiB),
	}
}

// Allocatable is what is left for pods.
func (t Type) Allocatable() corev1.ResourceList {
	left := t.Capacity()
	for name, kept := range t.Reserved() {
		q := left[name]
		q.Sub(kept)
		left[name] = q
	}
	return left
}

func mebibytes(n int) resource.Quantity {
	return *resource.NewQuantity(int64(n)<<20, resource.BinarySI)
}

// Placement is what the renter of a machine chooses beside its type. What is empty is
// the first zone, and no group.
type Placement struct {
	Zone, Group string
}

// Node is a node on a machine of the type, as its kubelet would register it: without
// address and conditions.
func (t Type) Node(name string, p Placement) *corev1.Node {
	if p.Zone == "" {
		p.Zone = Zones[0]
	}
	labels := map[string]string{
		corev1.LabelHostname: name, corev1.LabelInstanceTypeStable: t.Name, corev1.LabelTopologyZone: p.Zone,
		corev1.LabelOSStable: "linux", corev1.LabelArchStable: t.Arch,
	}
	if p.Group != "" {
		labels[LabelGroup] = p.Group
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       corev1.NodeSpec{ProviderID: ProviderID(p.Zone, name)},
		Status:     corev1.NodeStatus{Capacity: t.Capacity(), Allocatable: t.Allocatable()},
	}
}

// ProviderID names a machine of this simulated cloud as spec.providerID does.
func ProviderID(zone, machine string) string { return fmt.Sprintf("sim:///%s/%s", zone, machine) }
