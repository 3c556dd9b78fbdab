package inspect

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	vpautil "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
	resourcehelper "k8s.io/component-helpers/resource"
	karpenter "sigs.k8s.io/karpenter/pkg/apis/v1"
)

// counted are what a quota may bound, and what of a pod counts.
var counted = []struct {
	name   corev1.ResourceName
	amount func(corev1.PodSpec) resource.Quantity
}{
	{corev1.ResourcePods, func(corev1.PodSpec) resource.Quantity { return *resource.NewQuantity(1, resource.DecimalSI) }},
	{corev1.ResourceRequestsCPU, requestOf(corev1.ResourceCPU)},
	{corev1.ResourceCPU, requestOf(corev1.ResourceCPU)},
	{corev1.ResourceRequestsMemory, requestOf(corev1.ResourceMemory)},
	{corev1.ResourceMemory, requestOf(corev1.ResourceMemory)},
	{corev1.ResourceLimitsCPU, limitOf(corev1.ResourceCPU)},
	{corev1.ResourceLimitsMemory, limitOf(corev1.ResourceMemory)},
}

func requestOf(name corev1.ResourceName) func(corev1.PodSpec) resource.Quantity {
	return func(spec corev1.PodSpec) resource.Quantity {
		return resourcehelper.PodRequests(&corev1.Pod{Spec: spec}, resourcehelper.PodResourcesOptions{})[name]
	}
}

func limitOf(name corev1.ResourceName) func(corev1.PodSpec) resource.Quantity {
	return func(spec corev1.PodSpec) resource.Quantity {
		return resourcehelper.PodLimits(&corev1.Pod{Spec: spec}, resourcehelper.PodResourcesOptions{})[name]
	}
}

// more is how many pods the target is away from its maximum.
func (h *HPA) more() int64 {
	if h.Target == nil {
		return 0
	}
	return int64(max(h.Spec.MaxReplicas-h.Target.Scale.Spec.Replicas, 0))
}

// times is n of the quantity.
func times(q resource.Quantity, n int64) resource.Quantity {
	q = q.DeepCopy()
	q.Mul(n)
	return q
}

// quotaBelowMax adds what is missing to the maximum to what the quota counts as used.
func quotaBelowMax(s *Snapshot, h *HPA) *Finding {
	spec := s.podSpec(h)
	if spec == nil || h.more() == 0 {
		return nil
	}
	for _, q := range s.Quotas {
		if q.Namespace != h.Namespace || len(q.Spec.Scopes) > 0 || q.Spec.ScopeSelector != nil {
			continue // which pods a scoped one counts is another question
		}
		for _, c := range counted {
			hard, bounded := q.Status.Hard[c.name]
			if !bounded {
				continue
			}
			used, each := q.Status.Used[c.name], c.amount(*spec)
			want := used.DeepCopy()
			want.Add(times(each, h.more()))
			if want.Cmp(hard) <= 0 {
				continue
			}
			return &Finding{Also: []Object{{"ResourceQuota", q.Namespace, q.Name}},
				What: fmt.Sprintf("maxReplicas %d개까지 늘리면 ResourceQuota %s의 %s 한도를 넘습니다.", h.Spec.MaxReplicas, q.Name, c.name),
				Evidence: []Line{observed("%s: 사용 %s, 한도 %s. 파드 하나의 몫 %s", c.name, used.String(), hard.String(), each.String()),
					recomputed("%s + %s × %d = %s > %s", used.String(), each.String(), h.more(), want.String(), hard.String())},
				Fix:     "할당량을 늘리시거나 maxReplicas를 할당량에 맞추십시오. 지금대로면 레플리카셋이 파드를 만들지 못하고(exceeded quota) HPA는 그것을 모릅니다.",
				Command: fmt.Sprintf("kubectl describe resourcequota %s -n %s", q.Name, q.Namespace)}
		}
	}
	return nil
}

// capacityBelowMax packs the pods that are missing to the maximum into what the nodes have
// left. Where somebody adds nodes, what counts is how far.
func capacityBelowMax(s *Snapshot, h *HPA) *Finding {
	spec := s.podSpec(h)
	if spec == nil || h.more() == 0 {
		return nil
	}
	if len(s.NodePools) > 0 || s.Groups != nil {
		return s.poolsBelowMax(h, spec)
	}
	if s.Unread[KindNodePools] != "" || s.Unread[KindGroups] != "" || s.Placed == nil || len(s.Nodes) == 0 || picky(spec) {
		return nil // nobody can tell from this look
	}
	request := corev1.ResourceList{corev1.ResourceCPU: requestOf(corev1.ResourceCPU)(*spec), corev1.ResourceMemory: requestOf(corev1.ResourceMemory)(*spec)}
	room := s.room(request)
	if room >= h.more() {
		return nil
	}
	return &Finding{What: fmt.Sprintf("maxReplicas %d개까지 %d개가 더 필요한데 노드에는 %d개가 들어갈 자리뿐이고, 노드를 늘리는 것이 없습니다.", h.Spec.MaxReplicas, h.more(), room),
		Evidence: []Line{observed("노드 %d개, 파드 하나의 requests cpu %s, memory %s", len(s.Nodes), request.Cpu(), request.Memory()),
			recomputed("노드마다 남은 자리를 세면 %d개(테인트가 있거나 Ready가 아닌 노드는 뺐습니다)", room),
			observed("카펜터의 NodePool도 클러스터 오토스케일러의 status도 없습니다")},
		Fix:     "노드를 늘리시거나, 카펜터나 클러스터 오토스케일러를 두시거나, maxReplicas를 줄이십시오.",
		Command: "kubectl describe nodes"}
}

// picky is a pod that not every node takes: how many it could have is not counted here.
func picky(spec *corev1.PodSpec) bool {
	return len(spec.NodeSelector) > 0 || spec.Affinity != nil || len(spec.Tolerations) > 2 || len(spec.TopologySpreadConstraints) > 0 // the API server gives every pod two
}

// room is how many pods with that request the nodes take.
func (s *Snapshot) room(request corev1.ResourceList) (room int64) {
	for _, n := range s.Nodes {
		ready := slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
			return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
		})
		if !ready || n.Spec.Unschedulable || slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Effect != corev1.TaintEffectPreferNoSchedule }) {
			continue
		}
		free := n.Status.Allocatable.DeepCopy()
		slots := free.Pods().Value()
		for i := range s.Placed {
			p := &s.Placed[i]
			if p.Spec.NodeName != n.Name || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
				continue
			}
			slots--
			for name, q := range resourcehelper.PodRequests(p, resourcehelper.PodResourcesOptions{UseStatusResources: true}) {
				left := free[name]
				left.Sub(q)
				free[name] = left
			}
		}
		for name, q := range request {
			left := free[name]
			if !q.IsZero() {
				slots = min(slots, left.MilliValue()/q.MilliValue())
			}
		}
		room += max(slots, 0)
	}
	return room
}

// poolsBelowMax compares with the limits of Karpenter's NodePools, where all have one.
func (s *Snapshot) poolsBelowMax(h *HPA, spec *corev1.PodSpec) *Finding {
	if len(s.NodePools) == 0 || s.Groups != nil {
		return nil // of node groups a status tells machines, and not how large they are
	}
	var limit, used resource.Quantity
	for _, p := range s.NodePools {
		l, bounded := p.Spec.Limits[corev1.ResourceCPU]
		if !bounded {
			return nil
		}
		limit.Add(l)
		used.Add(p.Status.Resources[corev1.ResourceCPU])
	}
	each := requestOf(corev1.ResourceCPU)(*spec)
	want := times(each, int64(h.Spec.MaxReplicas))
	if want.Cmp(limit) <= 0 {
		return nil
	}
	return &Finding{What: fmt.Sprintf("maxReplicas %d개의 CPU가 카펜터 NodePool의 한도를 모두 더한 것보다 많습니다.", h.Spec.MaxReplicas),
		Evidence: []Line{observed("NodePool %d개의 limits.cpu 합 %s (지금 %s)", len(s.NodePools), limit.String(), used.String()),
			recomputed("파드 하나의 requests %s × %d = %s > %s", each.String(), h.Spec.MaxReplicas, want.String(), limit.String())},
		Fix: "NodePool의 spec.limits를 늘리시거나 maxReplicas를 줄이십시오.", Command: "kubectl get nodepools -o custom-columns='NAME:.metadata.name,LIMITS:.spec.limits,USED:.status.resources'"}
}

// noPDB finds a target without a PodDisruptionBudget where something evicts its pods.
func noPDB(s *Snapshot, h *HPA) *Finding {
	pods := s.podsOf(h)
	who := s.evictor(h)
	if who == "" || h.minReplicas() < 2 || len(pods) == 0 || s.Unread[KindPDBs] != "" {
		return nil
	}
	for _, b := range s.PDBs {
		selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if b.Namespace == h.Namespace && err == nil && selector.Matches(labels.Set(pods[0].Labels)) {
			return nil
		}
	}
	return &Finding{What: fmt.Sprintf("이 파드들을 축출하는 것(%s)이 있는데 PodDisruptionBudget이 없습니다. 한꺼번에 축출될 수 있습니다.", who),
		Evidence: []Line{observed("%s", who), observed("네임스페이스 %s에 파드 %s의 레이블을 고르는 PodDisruptionBudget이 없습니다", h.Namespace, pods[0].Name)},
		Fix:      fmt.Sprintf("maxUnavailable: 1처럼 적은 PodDisruptionBudget을 두십시오. minReplicas가 %d이므로 축출을 영영 막지 않습니다.", h.minReplicas()),
		Command:  fmt.Sprintf("kubectl get poddisruptionbudgets -n %s", h.Namespace)}
}

// evictor is what evicts the target's pods, as an object says; empty where none does.
func (s *Snapshot) evictor(h *HPA) string {
	for i := range s.VPAs {
		if v := &s.VPAs[i]; v.Namespace == h.Namespace && sameTarget(h, v) && evicts(v) {
			return fmt.Sprintf("VPA %s의 updateMode %s", v.Name, vpautil.GetUpdateMode(v))
		}
	}
	for _, p := range s.NodePools {
		if p.Spec.Disruption.ConsolidationPolicy != karpenter.ConsolidationPolicyWhenEmpty {
			return fmt.Sprintf("카펜터 NodePool %s의 통합(consolidation)", p.Name)
		}
	}
	if s.Groups != nil {
		return "클러스터 오토스케일러의 축소"
	}
	return ""
}
