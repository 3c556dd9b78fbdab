package karpenter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/awslabs/operatorpkg/option"
	corev1 "k8s.io/api/core/v1"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/controllers/provisioning"
	"sigs.k8s.io/karpenter/pkg/metrics"

	"github.com/stepscale/stepscale/engine/instances"
	"github.com/stepscale/stepscale/engine/trace"
)

// createClaims writes a NodeClaim for every planned node, and what the scheduling found
// into Karpenter's memory and into events.
func createClaims(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl, f.Inputs = "kubectl get nodeclaim", s.pass.inputs
	if s.idle(f) {
		return nil
	}
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return err
	}
	plan, p := s.pass.plan, s.parts
	p.cluster.MarkPodSchedulingDecisions(ctx, plan.PodErrors, plan.NodePoolToPodMapping(), plan.ExistingNodeToPodMapping())
	plan.Record(ctx, p.said, p.cluster)
	todo := plan.NewNodeClaims[len(s.pass.created):] // a step that is run again goes on
	for _, claim := range todo {
		name, err := p.provision.Create(ctx, claim, provisioning.WithReason(metrics.ProvisionedReason), option.Function[provisioning.LaunchOptions](provisioning.RecordPodNomination))
		if err != nil {
			return errors.Join(err, s.announce(ctx, f))
		}
		s.pass.created, s.pass.acted = append(s.pass.created, name), "addNode"
		f.Changes = append(f.Changes, trace.Change{Object: "nodeclaim/" + name, Field: "metadata.name", To: name})
	}
	f.Add("createdClaims", strconv.Itoa(len(s.pass.created)), "")
	claims, err := s.claims(ctx)
	if err != nil {
		return err
	}
	for _, c := range claims {
		if !slices.Contains(s.pass.created, c.Name) {
			continue
		}
		f.Add("claim", c.Name, "NodePool "+c.Labels[poolLabel])
		for _, r := range c.Spec.Requirements {
			if r.Key == corev1.LabelInstanceTypeStable || r.Key == karpv1.CapacityTypeLabelKey {
				f.Add("claimRequirement", strings.Join(r.Values, ", "), r.Key)
			}
		}
	}
	return s.announce(ctx, f)
}

// claims are the NodeClaims, the oldest first.
func (s *State) claims(ctx context.Context) ([]karpv1.NodeClaim, error) {
	var list karpv1.NodeClaimList
	if err := s.parts.kube.List(ctx, &list); err != nil {
		return nil, err
	}
	slices.SortFunc(list.Items, func(a, b karpv1.NodeClaim) int {
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list.Items, nil
}

// advance lets the lifecycle controller look at every NodeClaim, and tells which have
// newly got the condition.
func (s *State) advance(ctx context.Context, f *trace.Frame, condition string) (reached []karpv1.NodeClaim, err error) {
	f.Kubectl = kubectlClaims
	if ctx, err = s.withUpstream(ctx); err != nil {
		return nil, err
	}
	before, err := s.claims(ctx)
	if err != nil {
		return nil, err
	}
	for i := range before {
		c := &before[i]
		if met(c, condition) || c.DeletionTimestamp != nil {
			continue
		}
		if _, err := s.parts.lifecycle.Reconcile(ctx, c.DeepCopy()); err != nil {
			return nil, fmt.Errorf("NodeClaim %s: %w", c.Name, err)
		}
		now := &karpv1.NodeClaim{}
		if err := s.parts.kube.Get(ctx, keyOf(c), now); err != nil {
			return nil, err
		}
		if met(now, condition) {
			reached = append(reached, *now)
			f.Changes = append(f.Changes, trace.Change{Object: "nodeclaim/" + c.Name, Field: "status.conditions[" + condition + "]", From: "Unknown", To: "True"})
		}
		f.Add("condition/"+condition, string(now.StatusConditions().Get(condition).Status), c.Name)
	}
	if err := s.parts.look(ctx); err != nil {
		return nil, err
	}
	return reached, s.announce(ctx, f)
}

func met(c *karpv1.NodeClaim, condition string) bool {
	got := c.StatusConditions().Get(condition)
	return got != nil && got.IsTrue()
}

const noClaim = "이 단계를 기다리는 NodeClaim이 없습니다."

// launch lets Karpenter ask the cloud for the machines.
func launch(ctx context.Context, s *State, f *trace.Frame) error {
	reached, err := s.advance(ctx, f, karpv1.ConditionTypeLaunched)
	if err != nil {
		return err
	}
	f.Add("launchedNodes", strconv.Itoa(len(reached)), "")
	if len(reached) == 0 {
		f.Add("skipped", noClaim, "")
	}
	for i, c := range reached {
		in := s.parts.cloud.find(c.Status.ProviderID)
		if in == nil {
			continue
		}
		in.launched = s.Clock.Now()
		f.Add("instanceType/"+c.Name, in.typ.Name, in.offering.CapacityType())
		if i == 0 {
			f.Add("instanceType", in.typ.Name, in.offering.CapacityType())
		}
		f.Add("price/"+in.typ.Name, dollars(in.offering.Price), "시간당 USD")
		f.Add("zone/"+c.Name, in.offering.Zone(), c.Status.ProviderID)
	}
	return nil
}

// join lets the machines boot, and their kubelets register the nodes.
func join(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes"
	booting, err := s.waiting(ctx, karpv1.ConditionTypeLaunched, karpv1.ConditionTypeRegistered)
	if err != nil {
		return err
	}
	if len(booting) == 0 {
		f.Add("joinedNodes", "0", "")
		f.Add("skipped", "부팅을 기다리는 인스턴스가 없습니다.", "")
		return nil
	}
	if booting, err = s.after(ctx, f, booting, instances.BootTime); err != nil || len(booting) == 0 {
		f.Add("joinedNodes", "0", "")
		return err
	}
	f.Add("bootTime", instances.BootTime.String(), "시뮬레이션")
	joined := 0
	for _, in := range booting {
		node, err := s.node(ctx, in.name)
		if err != nil {
			return err
		}
		if node == nil { // or the step is run again
			if err := s.Machines.Join(ctx, in.node()); err != nil {
				return err
			}
			f.Changes = append(f.Changes, trace.Change{Object: "node/" + in.name, Field: "metadata.name", To: in.name})
		}
		joined++
	}
	f.Add("joinedNodes", strconv.Itoa(joined), "")
	if err := s.addTaints(ctx, f, booting); err != nil {
		return err
	}
	return s.AwaitWaiting(ctx, trace.ActorScheduler) // to whom a new node is worth another try
}

// register lets Karpenter find its node, label it, and take its own taint off.
func register(ctx context.Context, s *State, f *trace.Frame) error {
	reached, err := s.advance(ctx, f, karpv1.ConditionTypeRegistered)
	if err != nil {
		return err
	}
	f.Add("registeredNodes", strconv.Itoa(len(reached)), "")
	if len(reached) == 0 {
		f.Add("skipped", noClaim, "")
		return nil
	}
	return s.addTaints(ctx, f, s.instancesOf(reached))
}

// ready lets the network of the new nodes come up.
func ready(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes"
	starting, err := s.waiting(ctx, karpv1.ConditionTypeRegistered, karpv1.ConditionTypeInitialized)
	if err != nil {
		return err
	}
	if len(starting) == 0 {
		f.Add("readyNodes", "0", "")
		f.Add("skipped", "네트워크를 기다리는 노드가 없습니다.", "")
		return nil
	}
	if starting, err = s.after(ctx, f, starting, instances.BootTime+instances.NetworkUp); err != nil || len(starting) == 0 {
		f.Add("readyNodes", "0", "")
		return err
	}
	f.Add("readyNodes", strconv.Itoa(len(starting)), "")
	f.Add("networkTime", instances.NetworkUp.String(), "시뮬레이션")
	for _, in := range starting {
		if err := s.Machines.Report(ctx, in.name, true); err != nil {
			return err
		}
		f.Changes = append(f.Changes, trace.Change{Object: "node/" + in.name, Field: "status.conditions[Ready]", From: "False", To: "True"})
	}
	s.pass.opened = starting
	return s.addTaints(ctx, f, starting)
}

// after are the machines that were launched that long ago, for which a step waits unless
// another loop lets time pass.
func (s *State) after(ctx context.Context, f *trace.Frame, machines []*instance, age time.Duration) (old []*instance, err error) {
	for _, in := range machines {
		left := age - s.Clock.Since(in.launched)
		if left > 0 && !s.Shared {
			if _, err := s.Elapse(ctx, left); err != nil {
				return nil, err
			}
			left = 0
		}
		if left > 0 {
			f.Add("bootLeft/"+in.name, left.String(), "시뮬레이션")
			continue
		}
		old = append(old, in)
	}
	if len(old) == 0 {
		f.Add("skipped", "아직 부팅 중입니다. 그동안 다른 루프는 계속 돕니다.", "")
	}
	return old, nil
}

// initialize lets Karpenter find that the node has all that was promised.
func initialize(ctx context.Context, s *State, f *trace.Frame) error {
	reached, err := s.advance(ctx, f, karpv1.ConditionTypeInitialized)
	if err != nil {
		return err
	}
	f.Add("initializedNodes", strconv.Itoa(len(reached)), "")
	if len(reached) == 0 {
		f.Add("skipped", noClaim, "")
	}
	for _, in := range s.instancesOf(reached) {
		pods, err := s.podsOn(ctx, in.name)
		if err != nil {
			return err
		}
		f.Add("podsOnNode/"+in.name, strconv.Itoa(len(pods)), "")
	}
	return nil
}
