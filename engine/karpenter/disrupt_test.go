package karpenter

import (
	"context"
	"fmt"
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
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/controllers/disruption"

	"github.com/stepscale/stepscale/engine/instances"
)

// fewer than cases: every one is built anew for each run of upstream, which changes it.
const fewer = 120

// atOnce lets upstream's waiting be over when it begins.
type atOnce struct{ stepClock }

func (c atOnce) After(time.Duration) <-chan time.Time {
	now := make(chan time.Time, 1)
	now <- c.Now()
	return now
}

// TestDisruptionAgreesWithUpstream: on random nodes of Karpenter's own, pods, budgets and
// policies the command that is decided in steps is the one that upstream's whole
// disruption.Controller starts.
func TestDisruptionAgreesWithUpstream(t *testing.T) {
	ctx, err := withOptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for seed := range uint64(fewer) {
		p, clk := shrunkWorld(t, ctx, seed)
		v, err := p.judge(ctx, clk)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		ours := "nothing"
		if v.command != nil {
			if _, err := v.method.validate.Validate(ctx, *v.command, 0); err == nil {
				ours = commanded(*v.command)
			} else if !disruption.IsValidationError(err) {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		seen[strings.Fields(ours)[0]]++
		said := map[string]bool{}
		for range 20 { // of equal candidates upstream takes the one that a map yields first
			if said[upstreamDisrupts(t, ctx, seed)] = true; said[ours] {
				break
			}
		}
		if !said[ours] {
			t.Errorf("seed %d: the steps decide\n%s\nand upstream\n%v", seed, ours, said)
		}
	}
	for _, decision := range []string{"nothing", "delete", "replace"} {
		if seen[decision] < fewer/20 {
			t.Errorf("%s: only in %d of %d cases: the generator proves nothing of it", decision, seen[decision], fewer)
		}
	}
}

// commanded writes a command down, so that two can be compared.
func commanded(c disruption.Command) string {
	names := c.SourceNodeNames()
	slices.Sort(names)
	text := fmt.Sprintf("%s %s of %v", c.Decision(), c.Reason(), names)
	for _, r := range c.Replacements {
		var kinds []string
		for _, it := range r.InstanceTypeOptions {
			kinds = append(kinds, it.Name)
		}
		slices.Sort(kinds)
		text += fmt.Sprintf(" by one of %v", kinds)
	}
	return text
}

// upstreamDisrupts is what upstream's controller starts on the same cluster.
func upstreamDisrupts(t *testing.T, ctx context.Context, seed uint64) string {
	t.Helper()
	p, clk := shrunkWorld(t, ctx, seed)
	c := disruption.NewController(clk, p.kube, p.provision, p.cloud, p.said, p.cluster, p.disrupt.queue, p.disrupt.costs)
	if _, err := c.Reconcile(ctx); err != nil {
		t.Fatalf("seed %d: upstream: %v", seed, err)
	}
	started := p.disrupt.queue.GetCommands()
	if len(started) == 0 {
		return "nothing"
	}
	return commanded(*started[0])
}

// shrunkWorld has nodes of one NodePool with few pods on them.
func shrunkWorld(t *testing.T, ctx context.Context, seed uint64) (*parts, clock.Clock) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	passive := clocktesting.NewFakePassiveClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	pool := randomPool(r, 0)
	pool.Spec.Template.Spec.Taints, pool.Spec.Limits = nil, nil
	pool.Spec.Template.Spec.Requirements = pool.Spec.Template.Spec.Requirements[:1]
	pool.Spec.Template.Spec.Requirements[0].Values = []string{"amd64"}
	quiet := 30 * time.Second
	pool.Spec.Disruption = karpv1.Disruption{ConsolidateAfter: karpv1.NillableDuration{Duration: &quiet},
		ConsolidationPolicy: pick(r, []karpv1.ConsolidationPolicy{karpv1.ConsolidationPolicyWhenEmpty, karpv1.ConsolidationPolicyWhenEmptyOrUnderutilized, karpv1.ConsolidationPolicyWhenEmptyOrUnderutilized}),
		Budgets:             []karpv1.Budget{{Nodes: pick(r, []string{"0", "10%", "50%", "100%", "1"})}}}
	objects := []client.Object{pool}
	rented := newCloud()
	for i := range 1 + r.IntN(4) {
		objects = append(objects, managed(t, r, rented, i)...)
	}
	cluster := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(objects...).WithStatusSubresource(&karpv1.NodePool{}, &karpv1.NodeClaim{}).
		WithIndex(&corev1.Pod{}, "spec.nodeName", func(o client.Object) []string { return []string{o.(*corev1.Pod).Spec.NodeName} }).Build()
	clk := atOnce{stepClock{passive}}
	p := newParts(ctx, &direct{Client: cluster, reader: cluster}, clk)
	p.cloud.launched = rented.launched
	if err := p.look(ctx); err != nil {
		t.Fatal(err)
	}
	return p, clk
}

// managed is a node that Karpenter has made, with its NodeClaim and some pods.
func managed(t *testing.T, r *rand.Rand, rented *cloud, i int) []client.Object {
	t.Helper()
	kind := pick(r, []string{"m5.large", "m5.xlarge", "m5.2xlarge", "c5.xlarge", "r5.large"})
	claim := &karpv1.NodeClaim{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("claim-%d", i), UID: types.UID(fmt.Sprintf("claim-%d", i))}}
	claim.Spec.NodeClassRef = &karpv1.NodeClassReference{Group: "karpenter.kwok.sh", Kind: "KWOKNodeClass", Name: "default"}
	for key, value := range map[string]string{corev1.LabelInstanceTypeStable: kind, karpv1.CapacityTypeLabelKey: pick(r, []string{instances.OnDemand, instances.OnDemand, instances.Spot})} {
		claim.Spec.Requirements = append(claim.Spec.Requirements, karpv1.NodeSelectorRequirementWithMinValues{Key: key, Operator: corev1.NodeSelectorOpIn, Values: []string{value}})
	}
	made, err := rented.Create(t.Context(), claim)
	if err != nil {
		t.Fatal(err)
	}
	in := rented.find(made.Status.ProviderID)
	made.Labels[karpv1.NodePoolLabelKey] = "pool-0"
	made.Status.NodeName = in.name
	for _, condition := range []string{karpv1.ConditionTypeLaunched, karpv1.ConditionTypeRegistered, karpv1.ConditionTypeInitialized} {
		made.StatusConditions().SetTrue(condition)
	}
	if r.IntN(5) > 0 {
		made.StatusConditions().SetTrue(karpv1.ConditionTypeConsolidatable)
	}
	node := in.typ.Node(in.name, instances.Placement{Zone: in.offering.Zone()})
	node.UID = types.UID(in.name)
	for key, value := range made.Labels {
		node.Labels[key] = value
	}
	node.Labels[karpv1.NodeRegisteredLabelKey], node.Labels[karpv1.NodeInitializedLabelKey] = "true", "true"
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	objects := []client.Object{made, node}
	for n := range r.IntN(3) {
		pod := randomPod(r, fmt.Sprintf("on-%d-%d", i, n))
		pod.Spec.Affinity, pod.Spec.TopologySpreadConstraints, pod.Spec.NodeSelector = nil, nil, nil
		pod.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(pick(r, []string{"100m", "300m", "500m", "900m"}))}
		pod.Spec.NodeName, pod.Status = in.name, corev1.PodStatus{Phase: corev1.PodRunning}
		if r.IntN(10) == 0 {
			pod.Annotations = map[string]string{karpv1.DoNotDisruptAnnotationKey: "true"}
		}
		objects = append(objects, pod)
	}
	return objects
}
