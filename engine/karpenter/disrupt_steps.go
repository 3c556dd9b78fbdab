package karpenter

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/controllers/disruption"
	"sigs.k8s.io/karpenter/pkg/utils/resources"

	"github.com/stepscale/stepscale/engine/trace"
)

// Prepare lets Karpenter bring its first nodes, which the loop is about to take away: one
// pass of the other loop, of which nothing is told.
func (s *State) Prepare(ctx context.Context) error {
	for _, step := range Loop().Table {
		if err := step.Do(ctx, s, &trace.Frame{}); err != nil {
			return fmt.Errorf("%s: %w", step.ID, err)
		}
	}
	return nil
}

// settle lets the quiet time of every NodePool pass, and upstream say which nodes may be
// consolidated now.
func settle(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodeclaim -o custom-columns='NAME:.metadata.name,NODE:.status.nodeName,LAST:.status.lastPodEventTime'"
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return err
	}
	if err := s.examinePools(ctx); err != nil { // somebody may have changed one
		return err
	}
	if err := s.parts.look(ctx); err != nil {
		return err
	}
	after, err := s.quietTime(ctx)
	if err != nil {
		return err
	}
	if !s.Shared {
		if _, err := s.Elapse(ctx, after); err != nil {
			return err
		}
	}
	f.Add("consolidateAfter", after.String(), "")
	claims, err := s.claims(ctx)
	if err != nil {
		return err
	}
	may := 0
	for i := range claims {
		if _, err := s.parts.disrupt.conditions.Reconcile(ctx, claims[i].DeepCopy()); err != nil {
			return err
		}
		now := &karpv1.NodeClaim{}
		if err := s.parts.kube.Get(ctx, keyOf(&claims[i]), now); err != nil {
			return err
		}
		f.Add("sincePodEvent/"+now.Status.NodeName, s.Clock.Since(now.Status.LastPodEventTime.Time).Round(time.Second).String(), "")
		if met(now, karpv1.ConditionTypeConsolidatable) {
			may++
		}
	}
	f.Add("consolidatableNodes", strconv.Itoa(may), "")
	if err := s.parts.look(ctx); err != nil {
		return err
	}
	return s.announce(ctx, f)
}

// quietTime is the longest consolidateAfter of the NodePools.
func (s *State) quietTime(ctx context.Context) (longest time.Duration, err error) {
	pools, err := s.parts.readyPools(ctx)
	for _, p := range pools {
		if after := p.Spec.Disruption.ConsolidateAfter.Duration; after != nil {
			longest = max(longest, *after)
		}
	}
	return longest, err
}

// listCandidates judges, and tells which nodes may go; who may not, and why, is in events.
func listCandidates(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes -L karpenter.sh/nodepool,node.kubernetes.io/instance-type"
	if s.waits(f) {
		return nil
	}
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return err
	}
	if s.pass.inputs, err = s.record(ctx, true); err != nil {
		return err
	}
	if s.pass.verdict, err = s.parts.judge(ctx, stepClock{s.Clock}); err != nil {
		return err
	}
	v := s.pass.verdict
	if s.judged.at = s.Clock.Now(); s.Shared {
		if s.judged.of, err = s.picture(ctx); err != nil {
			return err
		}
	}
	f.Add("candidates", strconv.Itoa(len(v.candidates)), "")
	for _, c := range v.candidates {
		free := c.Available()
		f.Add("candidatePrice/"+c.Name(), dollars(c.Price), "시간당 USD, "+c.Labels()[corev1.LabelInstanceTypeStable])
		f.Add("candidateUsed/"+c.Name(), text(resources.Subtract(c.Allocatable(), free), corev1.ResourceCPU), "할당 가능 "+text(c.Allocatable(), corev1.ResourceCPU))
	}
	return s.announce(ctx, f)
}

// waits tells that what an earlier pass has started is not done yet: upstream does one
// thing at a time with a node.
func (s *State) waits(f *trace.Frame) bool {
	if s.going != nil {
		f.Add("skipped", "앞에서 시작한 교체가 새 노드를 기다리고 있습니다.", "")
	}
	return s.going != nil
}

const noCandidate = "없앨 수 있는 노드가 없습니다."

// showBudget tells how many nodes may go at a time.
func showBudget(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodepool -o custom-columns='NAME:.metadata.name,BUDGETS:.spec.disruption.budgets[*].nodes'"
	if s.waits(f) {
		return nil
	}
	if len(s.pass.verdict.candidates) == 0 {
		f.Add("skipped", noCandidate, "")
		return nil
	}
	for pool, n := range s.pass.verdict.budget {
		f.Add("budget/"+pool, strconv.Itoa(n), string(s.pass.verdict.method.Reason()))
	}
	return nil
}

// showSimulation tells where the pods of the first candidate would go.
func showSimulation(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlNodes()
	v := s.pass.verdict
	if s.waits(f) {
		return nil
	}
	if v.simulated == nil {
		f.Add("skipped", "자리를 옮길 파드가 없습니다.", "")
		return nil
	}
	f.Add("simulatedWithout", v.candidates[0].Name(), "")
	moved := 0
	for _, n := range v.simulated.ExistingNodes {
		if len(n.Pods) > 0 {
			moved += len(n.Pods)
			f.Add("movedTo/"+n.Name(), strconv.Itoa(len(n.Pods)), "")
		}
	}
	f.Add("movedPods", strconv.Itoa(moved), "")
	f.Add("simulatedNodes", strconv.Itoa(len(v.simulated.NewNodeClaims)), "")
	for _, claim := range v.simulated.NewNodeClaims {
		for _, t := range claim.InstanceTypeOptions.OrderByPrice(claim.Requirements) {
			price := t.Offerings.Available().WorstLaunchPrice(claim.Requirements)
			verdict := "지금보다 쌉니다"
			if price >= v.candidates[0].Price {
				verdict = "지금보다 싸지 않습니다"
			}
			f.Add("price/"+t.Name, dollars(price), verdict)
		}
	}
	return nil
}

// decideDisruption tells what upstream has decided.
func decideDisruption(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl, f.Inputs = kubectlClaims, s.pass.inputs
	c := s.pass.verdict.command
	if s.waits(f) {
		return nil
	}
	if c == nil {
		f.Add("decision", string(disruption.NoOpDecision), "")
		return nil
	}
	f.Add("decision", string(c.Decision()), string(c.Reason()))
	f.Add("priceNow", dollars(c.SourceCost()), "시간당 USD")
	f.Add("savings", dollars(rounded(c.EstimatedSavings())), "시간당 USD")
	return nil
}

// validate lets upstream's delay pass, and looks whether the decision is still right:
// somebody may have made a pod meanwhile.
func validate(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = s.KubectlNodes()
	v := s.pass.verdict
	if s.waits(f) {
		return nil
	}
	if v.command == nil {
		f.Add("skipped", "결정한 것이 없습니다.", "")
		return nil
	}
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return err
	}
	if _, err := s.Elapse(ctx, validationDelay); err != nil {
		return err
	}
	f.Add("validationDelay", validationDelay.String(), "")
	if err := s.parts.look(ctx); err != nil {
		return err
	}
	_, err = v.method.validate.Validate(ctx, *v.command, 0)
	if err != nil && !disruption.IsValidationError(err) {
		return err
	}
	f.Add("stillValid", strconv.FormatBool(err == nil), "")
	if err != nil {
		f.Add("invalid", err.Error(), "")
		s.pass.verdict.command = nil
	}
	return s.announce(ctx, f)
}
