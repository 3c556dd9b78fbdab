package karpenter

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/stepscale/stepscale/engine/instances"
	"github.com/stepscale/stepscale/engine/trace"
)

// BenchmarkPlan holds the plan that is made in steps, with all that it tells, against
// upstream's Solve on the same pods and 60 instance types.
func BenchmarkPlan(b *testing.B) {
	ctx, err := withOptions(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{10, 1000} {
		p, pods := crowded(b, ctx, n)
		b.Run(fmt.Sprintf("pods=%d/engine=upstream", n), func(b *testing.B) {
			for b.Loop() {
				s, err := p.provision.NewScheduler(ctx, pods, p.cluster.DeepCopyNodes().Active(), nil)
				if err == nil {
					_, err = s.Solve(ctx, pods)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("pods=%d/engine=steps", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := p.schedule(ctx, pods, p.cluster.DeepCopyNodes().Active()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// traced makes the plan in steps, with all that the steps tell of it.
func traced(ctx context.Context, p *parts, pods []*corev1.Pod) (*trace.Frame, error) {
	plan, err := p.schedule(ctx, pods, p.cluster.DeepCopyNodes().Active())
	if err != nil {
		return nil, err
	}
	s, f := &State{parts: p, pass: pass{pending: pods, plan: plan}}, &trace.Frame{}
	addOrder(f, plan.pods)
	for _, do := range []func(context.Context, *State, *trace.Frame) error{showExisting, showTypes, showLimits, showPrices} {
		if err := do(ctx, s, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// BenchmarkPlanRatio plans by turns with upstream's Solve and in steps, so that both have
// the same of the machine, and reports how many times as long the steps take.
func BenchmarkPlanRatio(b *testing.B) {
	ctx, err := withOptions(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprintf("pods=%d", n), func(b *testing.B) {
			p, pods := crowded(b, ctx, n)
			var solve, steps time.Duration
			for b.Loop() {
				begin := time.Now()
				s, err := p.provision.NewScheduler(ctx, pods, p.cluster.DeepCopyNodes().Active(), nil)
				if err == nil {
					_, err = s.Solve(ctx, pods)
				}
				if err != nil {
					b.Fatal(err)
				}
				solve += time.Since(begin)
				begin = time.Now()
				if f, err := traced(ctx, p, pods); err != nil || len(f.Facts) == 0 {
					b.Fatal(err)
				}
				steps += time.Since(begin)
			}
			b.ReportMetric(solve.Seconds()*1000/float64(b.N), "ms-upstream")
			b.ReportMetric(steps.Seconds()*1000/float64(b.N), "ms-steps")
			b.ReportMetric(steps.Seconds()/solve.Seconds(), "steps/upstream")
		})
	}
}

// crowded has so many pending pods, one NodePool and 60 instance types.
func crowded(b *testing.B, ctx context.Context, n int) (*parts, []*corev1.Pod) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	pool := randomPool(r, 0)
	pool.Spec.Limits, pool.Spec.Template.Spec.Taints = nil, nil
	pool.Spec.Template.Spec.Requirements = pool.Spec.Template.Spec.Requirements[:2]
	objects := []client.Object{pool}
	for i := range n {
		objects = append(objects, randomPod(r, fmt.Sprintf("pod-%d", i)))
	}
	clk := clocktesting.NewFakePassiveClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	cluster := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(objects...).WithStatusSubresource(&karpv1.NodePool{}).
		WithIndex(&corev1.Pod{}, "spec.nodeName", func(o client.Object) []string { return []string{o.(*corev1.Pod).Spec.NodeName} }).Build()
	p := newParts(ctx, &direct{Client: cluster, reader: cluster}, stepClock{clk})
	table := instances.All()
	for i := 0; len(table) < 60; i++ {
		t := table[i]
		t.Name, t.Price = fmt.Sprintf("%s.%d", t.Name, i), t.Price*1.01
		table = append(table, t)
	}
	p.cloud.types = instanceTypes(table)
	if err := p.look(ctx); err != nil {
		b.Fatal(err)
	}
	pods, err := p.provision.GetPendingPods(ctx)
	if err != nil || len(pods) != n {
		b.Fatalf("%d pods, %v", len(pods), err)
	}
	return p, pods
}
