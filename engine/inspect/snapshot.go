// Package inspect looks once at the autoscalers of a cluster that somebody else runs, and
// says what is wrong with them. Reading (Read) and judging (Inspect) are apart: a Snapshot
// is plain API objects, and a rule is a pure function of it.
package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"k8s.io/kubernetes/pkg/controller/util/selectors"
	karpenter "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/stepscale/stepscale/engine/hpa"
)

// Snapshot is what was read, once. What could not be read is in Unread and empty here.
type Snapshot struct {
	Now       time.Time
	Namespace string // empty: all

	HPAs      []HPA
	VPAs      []vpav1.VerticalPodAutoscaler
	Pods      []corev1.Pod // of the namespaces that are looked at
	Quotas    []corev1.ResourceQuota
	PDBs      []policyv1.PodDisruptionBudget
	Events    []corev1.Event // about HPAs
	APIs      []apiregistration.APIService
	Nodes     []corev1.Node
	Placed    []corev1.Pod // of all namespaces, which hold what nodes have; nil where they cannot be listed
	NodePools []karpenter.NodePool
	Groups    *NodeGroups // of Cluster Autoscaler; nil: none has left a status

	Unread map[Kind]string // why a kind of object could not be read
}

// Kind is what a read asks for, as a learner reads it.
type Kind string

// The kinds of which a look can do without.
const (
	KindVPAs      Kind = "VerticalPodAutoscaler"
	KindPods      Kind = "Pod"
	KindQuotas    Kind = "ResourceQuota"
	KindPDBs      Kind = "PodDisruptionBudget"
	KindEvents    Kind = "HPA의 Event"
	KindAPIs      Kind = "APIService"
	KindNodes     Kind = "Node"
	KindPlaced    Kind = "모든 네임스페이스의 Pod"
	KindNodePools Kind = "카펜터의 NodePool"
	KindGroups    Kind = "클러스터 오토스케일러의 status(ConfigMap)"
)

// HPA is one HPA, its target, and what the metrics APIs answered.
type HPA struct {
	hpa.Listed
	Target    *Target // nil: it could not be read
	TargetErr error
	Metrics   []hpa.MetricData // one for each of spec.metrics; none where the controller does not ask
}

// Target is what an HPA scales.
type Target struct {
	Scale    *autoscalingv1.Scale
	Resource string            // "deployments.apps"
	Meta     metav1.ObjectMeta // with its managed fields
	Template *corev1.PodTemplateSpec
}

// NodeGroups is the status of Cluster Autoscaler as it writes it
// (clusterstate/api/types.go, ClusterAutoscalerStatus).
type NodeGroups struct {
	Time        string `json:"time"`
	Status      string `json:"autoscalerStatus"`
	ClusterWide struct {
		Health  GroupHealth `json:"health"`
		ScaleUp GroupHealth `json:"scaleUp"`
	} `json:"clusterWide"`
	Groups []struct {
		Name   string      `json:"name"`
		Health GroupHealth `json:"health"`
	} `json:"nodeGroups"`
}

// GroupHealth is how the whole, or one group, is.
type GroupHealth struct {
	Status string `json:"status"`
	Target int    `json:"cloudProviderTarget"`
	Min    int    `json:"minSize"`
	Max    int    `json:"maxSize"`
}

// podsOf are the pods that the target selects.
func (s *Snapshot) podsOf(h *HPA) []*corev1.Pod {
	if h.Target == nil || h.Target.Scale.Status.Selector == "" {
		return nil
	}
	selector, err := labels.Parse(h.Target.Scale.Status.Selector)
	if err != nil {
		return nil
	}
	var pods []*corev1.Pod
	for i := range s.Pods {
		if p := &s.Pods[i]; p.Namespace == h.Namespace && selector.Matches(labels.Set(p.Labels)) {
			pods = append(pods, p)
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return pods
}

// rivals are the HPAs whose targets select one of the pods, when they are more than one
// (horizontal.go, hpasControllingPodsUnderLock).
func (s *Snapshot) rivals(h *HPA, pods []*corev1.Pod) []selectors.Key {
	var keys []selectors.Key
	for i := range s.HPAs {
		other := &s.HPAs[i]
		if other.Namespace != h.Namespace || other.Target == nil || other.Target.Scale.Status.Selector == "" {
			continue
		}
		selector, err := labels.Parse(other.Target.Scale.Status.Selector)
		if err == nil && slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return selector.Matches(labels.Set(p.Labels)) }) {
			keys = append(keys, selectors.Key{Name: other.Name, Namespace: other.Namespace})
		}
	}
	if len(keys) < 2 {
		return nil
	}
	return keys
}

// target is how the HPA's target is called on a screen.
func (h *HPA) target() string {
	return fmt.Sprintf("%s %s", h.Spec.ScaleTargetRef.Kind, h.Spec.ScaleTargetRef.Name)
}

func (h *HPA) minReplicas() int32 {
	if h.Spec.MinReplicas == nil {
		return 1
	}
	return *h.Spec.MinReplicas
}

// podSpec is a pod of the target as admission has made it, or the template where none is
// there.
func (s *Snapshot) podSpec(h *HPA) *corev1.PodSpec {
	for _, p := range s.podsOf(h) {
		if p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded {
			return &p.Spec
		}
	}
	if h.Target != nil && h.Target.Template != nil {
		return &h.Target.Template.Spec
	}
	return nil
}
