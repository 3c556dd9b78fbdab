package instances_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/engine/instances"
)

// TestAllocatable holds the rule against numbers worked out by hand.
func TestAllocatable(t *testing.T) {
	for name, want := range map[string]struct{ cpu, memory string }{
		"m6g.medium": {"940m", "3345Mi"}, // 1 core: 6 %
		"m5.large":   {"1930m", "6903Mi"},
		"m5.xlarge":  {"3920m", "14162Mi"},
		"m5.2xlarge": {"7910m", "29317Mi"},
	} {
		it, ok := instances.Find(name)
		if !ok {
			t.Fatalf("no type %s", name)
		}
		left := it.Allocatable()
		if got := left.Cpu().String(); got != want.cpu {
			t.Errorf("%s: cpu %s, want %s", name, got, want.cpu)
		}
		if got := left.Memory().String(); got != want.memory {
			t.Errorf("%s: memory %s, want %s", name, got, want.memory)
		}
		if got := left[corev1.ResourcePods]; got.Value() != int64(it.Pods) {
			t.Errorf("%s: %s pods, want %d", name, got.String(), it.Pods)
		}
	}
}

func TestTableIsWhole(t *testing.T) {
	names := instances.Names()
	slices.Sort(names)
	if len(slices.Compact(names)) != len(instances.All()) {
		t.Error("a type is there twice")
	}
	for _, it := range instances.All() {
		if it.VCPU < 1 || it.MemoryMiB < 1024 || it.Pods < 8 || it.Price <= 0 || it.Arch == "" {
			t.Errorf("%+v", it)
		}
		if spot := it.PriceAs(instances.Spot); spot <= 0 || spot >= it.PriceAs(instances.OnDemand) {
			t.Errorf("%s: spot costs %g", it.Name, spot)
		}
		n := it.Node("n", instances.Placement{Group: "g"})
		if n.Labels[corev1.LabelTopologyZone] == "" || n.Labels[instances.LabelGroup] != "g" || n.Spec.ProviderID == "" {
			t.Errorf("%s: node %+v", it.Name, n)
		}
	}
}
