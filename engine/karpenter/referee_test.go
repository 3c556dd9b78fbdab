package karpenter

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/controllers/provisioning/scheduling"
	"sigs.k8s.io/karpenter/pkg/utils/resources"

	"github.com/stepscale/stepscale/engine/instances"
)

const cases = 400

// TestStepsAgreeWithUpstream: on random pods, NodePools, instance types and nodes the plan
// that is made one step at a time is that of upstream's whole Provisioner.Schedule: the
// same NodeClaims with the same types and requirements, the same pods on the same nodes,
// and the same refusals in the same words.
func TestStepsAgreeWithUpstream(t *testing.T) {
	ctx, err := withOptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for seed := range uint64(cases) {
		p := randomWorld(t, ctx, rand.New(rand.NewPCG(seed, 1)))
		pods, err := p.provision.GetPendingPods(ctx)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := p.schedule(ctx, pods, p.cluster.DeepCopyNodes().Active())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		agree(t, ctx, seed, p, told(ours.Results))
		explained(t, seed, ours)
		count(seen, ours)
	}
	for _, kind := range []string{"a pod on an existing node", "a new node", "several new nodes", "several pods on one", "no place", "limits", "a limit of nodes", "types fell out", "a second pool"} {
		if seen[kind] < cases/40 {
			t.Errorf("%s: only in %d of %d cases: the generator proves nothing of it", kind, seen[kind], cases)
		}
	}
}

// runs bounds how often upstream is asked. Of zones that are equally good it takes the one
// that a map yields first, so that two runs of its own may differ.
const runs = 60

// agree fails unless upstream says the same, at least in one of its runs.
func agree(t *testing.T, ctx context.Context, seed uint64, p *parts, ours string) {
	t.Helper()
	said := map[string]bool{}
	for range runs {
		upstream, err := p.provision.Schedule(ctx)
		if err != nil {
			t.Fatalf("seed %d: upstream: %v", seed, err)
		}
		if said[told(upstream)] = true; said[ours] {
			return
		}
	}
	t.Fatalf("seed %d: upstream says one of %d things:\n%s\n\nthe steps say\n%s", seed, len(said), strings.Join(slices.Collect(maps.Keys(said)), "\n\n"), ours)
}

// told writes a result down, so that two can be compared.
func told(r scheduling.Results) string {
	var lines []string
	names := func(pods []*corev1.Pod) string {
		var all []string
		for _, p := range pods {
			all = append(all, p.Name)
		}
		return strings.Join(all, " ")
	}
	for _, c := range r.NewNodeClaims {
		var types []string
		for _, it := range c.InstanceTypeOptions {
			types = append(types, it.Name)
		}
		slices.Sort(types)
		lines = append(lines, fmt.Sprintf("new %s pods=%s types=%v requirements=%s cpu=%s annotations=%v", c.NodePoolName, names(c.Pods), types, c.Requirements, text(c.Spec.Resources.Requests, corev1.ResourceCPU), c.Annotations))
	}
	for _, n := range r.ExistingNodes {
		lines = append(lines, fmt.Sprintf("node %s pods=%s", n.Name(), names(n.Pods)))
	}
	var failed []string
	for p, err := range r.PodErrors {
		failed = append(failed, fmt.Sprintf("pod %s: %s", p.Name, err))
	}
	slices.Sort(failed)
	return strings.Join(append(lines, failed...), "\n")
}

// explained: every type of a planned node is kept or has a reason, and never both.
func explained(t *testing.T, seed uint64, p *plan) {
	t.Helper()
	for _, claim := range p.NewNodeClaims {
		from := p.opened[claim]
		for _, it := range from.allowed {
			why, _ := fallenOut(it, from, claim)
			if kept := slices.Contains(claim.InstanceTypeOptions, it); kept == (why != "") {
				t.Errorf("seed %d: %s: kept %t, and fell out because %q", seed, it.Name, kept, why)
			}
			if why == "제외됨" {
				t.Errorf("seed %d: %s fell out, and nobody knows why", seed, it.Name)
			}
		}
	}
	for _, pod := range p.pods {
		placed := slices.ContainsFunc(p.tries, func(try try) bool { return try.pod.UID == pod.UID && try.why == nil })
		if placed == (p.failed(pod) != nil) {
			t.Errorf("seed %d: pod %s is placed: %t, and fails with %v", seed, pod.Name, placed, p.failed(pod))
		}
	}
}

// count notes what a case was about.
func count(seen map[string]int, p *plan) {
	note := func(kind string, is bool) {
		if is {
			seen[kind]++
		}
	}
	note("a new node", len(p.NewNodeClaims) > 0)
	note("several new nodes", len(p.NewNodeClaims) > 1)
	note("no place", len(p.PodErrors) > 0)
	note("a pod on an existing node", slices.ContainsFunc(p.ExistingNodes, func(n *scheduling.ExistingNode) bool { return len(n.Pods) > 0 }))
	note("several pods on one", slices.ContainsFunc(p.NewNodeClaims, func(c *scheduling.NodeClaim) bool { return len(c.Pods) > 1 }))
	note("a second pool", slices.ContainsFunc(p.NewNodeClaims, func(c *scheduling.NodeClaim) bool { return c.NodePoolName != p.pools[0].Name }))
	note("types fell out", slices.ContainsFunc(p.NewNodeClaims, func(c *scheduling.NodeClaim) bool { return len(c.InstanceTypeOptions) < len(p.opened[c].allowed) }))
	note("a limit of nodes", slices.ContainsFunc(p.tries, func(t try) bool { return t.why != nil && strings.Contains(t.why.Error(), "node limits") }))
	note("limits", slices.ContainsFunc(p.tries, func(t try) bool { return t.why != nil && strings.Contains(t.why.Error(), "limits") }))
}

// randomWorld is Karpenter's picture of a random cluster.
func randomWorld(t *testing.T, ctx context.Context, r *rand.Rand) *parts {
	t.Helper()
	clk := clocktesting.NewFakePassiveClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	var objects []client.Object
	for i := range 1 + r.IntN(3) {
		objects = append(objects, randomPool(r, i))
	}
	for i := range r.IntN(3) {
		size := instances.All()[r.IntN(len(instances.All()))]
		node := size.Node(fmt.Sprintf("node-%d", i), instances.Placement{Zone: pick(r, instances.Zones)})
		node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		if r.IntN(2) == 0 { // of Karpenter's: it counts against the limits
			for _, label := range []string{karpv1.NodeRegisteredLabelKey, karpv1.NodeInitializedLabelKey} {
				node.Labels[label] = "true"
			}
			node.Labels[karpv1.NodePoolLabelKey] = "pool-0"
		}
		objects = append(objects, node)
		for n := range r.IntN(3) {
			bound := randomPod(r, fmt.Sprintf("bound-%d-%d", i, n))
			bound.Spec.NodeName, bound.Status = node.Name, corev1.PodStatus{Phase: corev1.PodRunning}
			objects = append(objects, bound)
		}
	}
	for i := range 1 + r.IntN(12) {
		objects = append(objects, randomPod(r, fmt.Sprintf("pod-%d", i)))
	}
	cluster := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(objects...).WithStatusSubresource(&karpv1.NodePool{}, &karpv1.NodeClaim{}).
		WithIndex(&corev1.Pod{}, "spec.nodeName", func(o client.Object) []string { return []string{o.(*corev1.Pod).Spec.NodeName} }).Build()
	p := newParts(ctx, &direct{Client: cluster, reader: cluster}, stepClock{clk})
	p.cloud.types = instanceTypes(slices.DeleteFunc(instances.All(), func(instances.Type) bool { return r.IntN(3) == 0 }))
	if err := p.look(ctx); err != nil {
		t.Fatal(err)
	}
	return p
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func randomPool(r *rand.Rand, i int) *karpv1.NodePool {
	name := fmt.Sprintf("pool-%d", i)
	pool := &karpv1.NodePool{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}
	pool.Spec.Template.Spec.NodeClassRef = &karpv1.NodeClassReference{Group: "karpenter.kwok.sh", Kind: "KWOKNodeClass", Name: "default"}
	pool.Spec.Weight = new(int32(1 + r.IntN(3)))
	require := func(key string, values ...string) {
		pool.Spec.Template.Spec.Requirements = append(pool.Spec.Template.Spec.Requirements, karpv1.NodeSelectorRequirementWithMinValues{Key: key, Operator: corev1.NodeSelectorOpIn, Values: values})
	}
	require(corev1.LabelArchStable, pick(r, [][]string{{"amd64"}, {"arm64"}, {"amd64", "arm64"}, {"amd64"}})...)
	require(karpv1.CapacityTypeLabelKey, pick(r, [][]string{{"on-demand"}, {"spot"}, {"on-demand", "spot"}})...)
	if r.IntN(3) == 0 {
		require(corev1.LabelTopologyZone, pick(r, instances.Zones))
	}
	if r.IntN(2) == 0 {
		pool.Spec.Limits = karpv1.Limits{corev1.ResourceCPU: resource.MustParse(pick(r, []string{"1", "4", "8", "16", "32"}))}
	}
	if r.IntN(4) == 0 {
		pool.Spec.Limits = karpv1.Limits{resources.Node: resource.MustParse(pick(r, []string{"0", "1", "2"}))}
	}
	if r.IntN(6) == 0 {
		pool.Spec.Template.Spec.Taints = []corev1.Taint{{Key: "team", Value: "a", Effect: pick(r, []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule})}}
	}
	pool.StatusConditions().SetTrue(karpv1.ConditionTypeValidationSucceeded)
	pool.StatusConditions().SetTrue(karpv1.ConditionTypeNodeClassReady)
	return pool
}

func randomPod(r *rand.Rand, name string) *corev1.Pod {
	app := map[string]string{"app": pick(r, []string{"a", "b"})}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "x", UID: types.UID(fmt.Sprintf("%08x", r.Uint32())), Labels: app, CreationTimestamp: metav1.NewTime(time.Unix(1767225600-int64(r.IntN(3)), 0))},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse(pick(r, []string{"100m", "500m", "1", "1900m", "3", "7"})),
			corev1.ResourceMemory: resource.MustParse(pick(r, []string{"128Mi", "1Gi", "6Gi", "30Gi"})),
		}}}}},
		Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable}}},
	}
	switch r.IntN(8) {
	case 0:
		pod.Spec.NodeSelector = map[string]string{corev1.LabelArchStable: pick(r, []string{"amd64", "arm64"})}
	case 1:
		pod.Spec.NodeSelector = map[string]string{corev1.LabelTopologyZone: pick(r, append(slices.Clone(instances.Zones), "mars"))}
	case 2:
		pod.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: pick(r, []string{corev1.LabelTopologyZone, corev1.LabelHostname}),
			WhenUnsatisfiable: pick(r, []corev1.UnsatisfiableConstraintAction{corev1.DoNotSchedule, corev1.ScheduleAnyway}), LabelSelector: &metav1.LabelSelector{MatchLabels: app}}}
	case 3:
		pod.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
			{TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: app}}}}}
	case 4:
		pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{
			{Weight: 1, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelInstanceTypeStable, Operator: corev1.NodeSelectorOpIn, Values: []string{pick(r, instances.Names())}}}}}}}}
	case 5:
		pod.Spec.Tolerations = []corev1.Toleration{{Key: "team", Operator: corev1.TolerationOpExists}}
	}
	return pod
}
