package karpenter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/controllers/provisioning"
	kscheduling "sigs.k8s.io/karpenter/pkg/controllers/provisioning/scheduling"
	"sigs.k8s.io/karpenter/pkg/utils/resources"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

// orderPods finds the pods again, with those that have come meanwhile, and makes the whole
// plan; the steps that follow tell of it.
func orderPods(ctx context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = fmt.Sprintf("kubectl get pods -n %s -o custom-columns='NAME:.metadata.name,CPU:.spec.containers[*].resources.requests.cpu,MEMORY:.spec.containers[*].resources.requests.memory'", s.Namespace)
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return err
	}
	s.pass.plan = nil
	if len(s.pass.pending) > 0 {
		if err := s.readPending(ctx); err != nil {
			return err
		}
	}
	f.Add("pendingPods", strconv.Itoa(len(s.pass.pending)), "")
	if s.pass.inputs, err = s.record(ctx, false); err != nil {
		return err
	}
	if len(s.pass.pending) == 0 {
		f.Add("skipped", noPending, "")
		return s.announce(ctx, f)
	}
	s.pass.plan, err = s.parts.schedule(ctx, s.pass.pending, s.parts.cluster.DeepCopyNodes().Active())
	switch {
	case errors.Is(err, provisioning.ErrNodePoolsNotFound):
		f.Add("skipped", "준비된(Ready) NodePool이 없으므로 카펜터는 아무것도 계획하지 않습니다.", "")
		return s.announce(ctx, f)
	case errors.Is(err, ErrDaemonSets):
		return fmt.Errorf("DaemonSet이 있는 클러스터는 아직 한 단계씩 보여 드리지 못합니다. DaemonSet을 지우고 다시 실행해 주십시오: %w", err)
	case err != nil:
		return err
	}
	addOrder(f, s.pass.plan.pods)
	return s.announce(ctx, f)
}

// addOrder tells in which order the pods are placed, and by what they are sorted.
func addOrder(f *trace.Frame, pods []*corev1.Pod) {
	names := make([]string, len(pods))
	for i, p := range pods {
		names[i] = p.Name
	}
	f.Add("podOrder", world.SomeNames(names), "CPU 요청량이 큰 것부터, 같으면 메모리가 큰 것부터")
	for _, p := range pods[:min(len(pods), world.ShownNames)] {
		r := resources.RequestsForPods(p)
		f.Add("podRequest/"+p.Name, text(r, corev1.ResourceCPU), "메모리 "+text(r, corev1.ResourceMemory))
	}
}

// idle tells that there is no plan, and why.
func (s *State) idle(f *trace.Frame) bool {
	if s.pass.plan != nil {
		return false
	}
	f.Add("skipped", "세운 계획이 없습니다.", "")
	return true
}

// showExisting tells which nodes were tried first, and why they do not do.
func showExisting(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodes -L node.kubernetes.io/instance-type"
	if s.idle(f) {
		return nil
	}
	plan := s.pass.plan
	placed := 0
	for _, n := range plan.ExistingNodes {
		placed += len(n.Pods)
	}
	f.Add("existingNodes", strconv.Itoa(len(plan.ExistingNodes)), "")
	f.Add("placedPods", strconv.Itoa(placed), "")
	for _, n := range plan.ExistingNodes[:min(len(plan.ExistingNodes), world.ShownNames)] {
		left := n.Available()
		f.Add("nodeFree/"+n.Name(), text(left, corev1.ResourceCPU), fmt.Sprintf("할당 가능 %s, 메모리는 %s 남음", text(n.Allocatable(), corev1.ResourceCPU), text(left, corev1.ResourceMemory)))
		i := slices.IndexFunc(plan.tries, func(t try) bool { return t.node == n.Name() && t.why != nil })
		if i >= 0 {
			f.Add("whyNot/"+n.Name(), plan.tries[i].why.Error(), plan.tries[i].pod.Name)
		}
	}
	return nil
}

// showTypes tells which new nodes are planned, which instance types are big enough still,
// and why the others fell out.
func showTypes(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodepool " + s.Pool + " -o yaml"
	if s.idle(f) {
		return nil
	}
	plan := s.pass.plan
	f.Add("plannedNodes", strconv.Itoa(len(plan.NewNodeClaims)), "")
	for i, claim := range plan.NewNodeClaims {
		name, from := strconv.Itoa(i+1), plan.opened[claim]
		f.Add("plannedPods/"+name, strconv.Itoa(len(claim.Pods)), "")
		f.Add("plannedRequest/"+name, text(claim.Spec.Resources.Requests, corev1.ResourceCPU), sum(claim.Pods))
		f.Add("typesOffered/"+name, strconv.Itoa(len(from.allowed)), "NodePool "+claim.NodePoolName+"의 requirements에 맞는 타입")
		f.Add("typesLeft/"+name, strconv.Itoa(len(claim.InstanceTypeOptions)), plan.narrowing(claim))
		for _, t := range from.allowed {
			if why, detail := fallenOut(t, from, claim); why != "" {
				f.Add("typeOut/"+t.Name, why, detail)
			}
		}
	}
	f.Add("noPlacePods", strconv.Itoa(len(plan.PodErrors)), "")
	told := map[string]bool{}
	for _, p := range plan.pods { // pods of one template fail for one reason
		if err := plan.failed(p); err != nil && !told[err.Error()] {
			told[err.Error()] = true
			f.Add("noPlace", err.Error(), p.Name)
		}
	}
	return nil
}

// failed is why there is no place for a pod; nil where there is one.
func (p *plan) failed(pod *corev1.Pod) error {
	for of, err := range p.PodErrors {
		if of.UID == pod.UID {
			return err
		}
	}
	return nil
}

// sum is the sum of the pods' requests for CPU, as it is written.
func sum(pods []*corev1.Pod) string {
	terms := make([]string, len(pods))
	for i, p := range pods {
		terms[i] = text(resources.RequestsForPods(p), corev1.ResourceCPU)
	}
	if len(terms) > world.ShownNames {
		return fmt.Sprintf("파드 %d개의 CPU 요청량의 합", len(pods))
	}
	return strings.Join(terms, " + ")
}

// narrowing is how many types were left after each pod that the planned node took.
func (p *plan) narrowing(claim *kscheduling.NodeClaim) string {
	steps := []string{strconv.Itoa(len(p.opened[claim].within))}
	for _, t := range p.tries {
		if t.planned == claim && t.why == nil {
			steps = append(steps, strconv.Itoa(t.left))
		}
	}
	if len(steps) > 2*world.ShownNames {
		steps = append(steps[:world.ShownNames:world.ShownNames], "…", steps[len(steps)-1])
	}
	return strings.Join(steps, " → ")
}

// fallenOut is why a type that the NodePool allows is not among those of a planned node.
func fallenOut(t *cloudprovider.InstanceType, from opening, claim *kscheduling.NodeClaim) (why, detail string) {
	if slices.Contains(claim.InstanceTypeOptions, t) {
		return "", ""
	}
	if name := exceeds(t, from.limits); name != "" {
		return "한도 초과", fmt.Sprintf("%s %s > 남은 한도 %s", name, text(t.Capacity, name), text(from.limits, name))
	}
	asked := claim.Spec.Resources.Requests
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourcePods} {
		if has := t.Allocatable(); resources.Cmp(asked[name], has[name]) > 0 {
			return "너무 작음", fmt.Sprintf("%s %s > %s (%s − kubelet과 시스템의 몫 %s)", name, text(asked, name), text(has, name), text(t.Capacity, name), text(t.Overhead.Total(), name))
		}
	}
	if err := t.Requirements.Intersects(claim.Requirements); err != nil {
		return "조건이 다름", err.Error()
	}
	if !offered(t, claim.Requirements) {
		return "빌릴 수 없음", "이 조건의 가용 영역과 구매 방식으로는 없습니다"
	}
	return "제외됨", ""
}

// showLimits tells what is left of each NodePool's limits.
func showLimits(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodepool -o custom-columns='NAME:.metadata.name,LIMIT:.spec.limits.cpu'"
	if s.idle(f) {
		return nil
	}
	limited := false
	for _, pool := range s.pass.plan.pools {
		limit, ok := pool.Spec.Limits[corev1.ResourceCPU]
		if !ok {
			continue
		}
		limited = true
		f.Add("limit/"+pool.Name, limit.String(), "")
		f.Add("limitLeft/"+pool.Name, cores(s.pass.plan.left[pool.Name]), s.pass.plan.reckoning(pool.Name, limit.String()))
	}
	if !limited {
		f.Add("skipped", "NodePool에 CPU의 한도(limits)가 없습니다.", "")
	}
	return nil
}

// reckoning is how the limit of a pool became what is left of it.
func (p *plan) reckoning(pool, limit string) string {
	terms := []string{limit}
	for _, n := range p.ExistingNodes {
		if n.Labels()[poolLabel] == pool {
			terms = append(terms, cores(n.Capacity())+"("+n.Name()+")")
		}
	}
	for _, claim := range p.NewNodeClaims {
		if claim.NodePoolName == pool {
			terms = append(terms, largest(claim.InstanceTypeOptions))
		}
	}
	return strings.Join(terms, " − ")
}

// largest is the type of most CPU, with it: which one will be rented is not known yet.
func largest(types []*cloudprovider.InstanceType) string {
	most := slices.MaxFunc(types, func(a, b *cloudprovider.InstanceType) int {
		return resources.Cmp(a.Capacity[corev1.ResourceCPU], b.Capacity[corev1.ResourceCPU])
	})
	return fmt.Sprintf("%s(남은 타입 가운데 가장 큰 %s)", cores(most.Capacity), most.Name)
}

// showPrices puts the types that are left in the order of their price.
func showPrices(_ context.Context, s *State, f *trace.Frame) error {
	f.Kubectl = "kubectl get nodepool " + s.Pool + " -o yaml"
	if s.idle(f) {
		return nil
	}
	if len(s.pass.plan.NewNodeClaims) == 0 {
		f.Add("skipped", "새로 계획한 노드가 없습니다.", "")
		return nil
	}
	told := map[string]bool{}
	for i, claim := range s.pass.plan.NewNodeClaims {
		byPrice := claim.InstanceTypeOptions.OrderByPrice(claim.Requirements)
		for _, t := range byPrice {
			cheapest := t.Offerings.Available().Compatible(claim.Requirements).Cheapest()
			if !told[t.Name] {
				told[t.Name] = true
				f.Add("price/"+t.Name, dollars(cheapest.Price), "시간당 USD, "+cheapest.CapacityType())
			}
		}
		if i == 0 {
			f.Add("cheapestType", byPrice[0].Name, "")
			f.Add("cheapestPrice", dollars(byPrice[0].Offerings.Available().Compatible(claim.Requirements).Cheapest().Price), "시간당 USD")
		}
	}
	return nil
}
