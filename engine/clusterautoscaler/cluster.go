package clusterautoscaler

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	nodeutil "k8s.io/component-helpers/node/util"
)

// The taints that Cluster Autoscaler puts on nodes (utils/taints/taints.go).
const (
	ToBeDeletedTaint       = "ToBeDeletedByClusterAutoscaler"
	DeletionCandidateTaint = "DeletionCandidateOfClusterAutoscaler"
)

// ScaleDownDisabledAnnotation on a node with the value true keeps it
// (core/scaledown/eligibility/eligibility.go).
const ScaleDownDisabledAnnotation = "cluster-autoscaler.kubernetes.io/scale-down-disabled"

// notStartedFor is how long a node may be there without having been Ready (clusterstate.go MaxNodeStartupTime).
const notStartedFor = 15 * time.Minute

// NodeGroup is a set of equal nodes whose number is changed as one: an Auto Scaling group.
type NodeGroup struct {
	Name     string
	Min, Max int
	Target   int           // the number of nodes that the cloud was asked for
	Template *corev1.Node  // how a new node looks
	Price    float64       // of a node, US dollars an hour; 0: unknown
	Nodes    []string      // that are in it
	Daemons  []*corev1.Pod // that a new node brings with it
}

// Cluster is what Cluster Autoscaler sees at one moment. Nothing here changes it.
type Cluster struct {
	Now     time.Time
	Nodes   []*corev1.Node
	Pods    []*corev1.Pod
	Groups  []*NodeGroup
	Budgets []*policyv1.PodDisruptionBudget
	// Replicas tells how many replicas the controller of a pod asks for, and false where
	// there is no such controller any more; nil: all are there.
	Replicas func(namespace string, controller *metav1.OwnerReference) (replicas int32, found bool) `json:"-"`
	// ReplicaSets are the sizes that Replicas goes by where it looks at ReplicaSets alone.
	ReplicaSets map[types.UID]int32
}

// GroupOf is the node group of a node; nil where it has none.
func (c *Cluster) GroupOf(node string) *NodeGroup {
	for _, g := range c.Groups {
		if slices.Contains(g.Nodes, node) {
			return g
		}
	}
	return nil
}

// readiness are the nodes of a group by state (clusterstate/clusterstate.go updateReadinessStats).
type readiness struct{ ready, unready, notStarted, deleted []string }

func (c *Cluster) readiness(g *NodeGroup) (r readiness) {
	for _, n := range c.Nodes {
		switch {
		case g != nil && !slices.Contains(g.Nodes, n.Name):
		case hasTaint(n, ToBeDeletedTaint):
			r.deleted = append(r.deleted, n.Name)
		case nodeReady(n):
			r.ready = append(r.ready, n.Name)
		case c.Now.Sub(n.CreationTimestamp.Time) < notStartedFor:
			r.notStarted = append(r.notStarted, n.Name)
		default:
			r.unready = append(r.unready, n.Name)
		}
	}
	return r
}

// Healthy tells that not too many nodes are unready: more than the count and more than the
// percentage at once stop everything (clusterstate/clusterstate.go IsClusterHealthy).
func (c *Cluster) Healthy(o Options) bool {
	unready := len(c.readiness(nil).unready)
	return unready <= o.OKUnreadyCount || float64(unready) <= o.MaxUnreadyPercentage/100*float64(len(c.Nodes))
}

// nodeReady tells a node that is Ready and has nothing to wait for.
func nodeReady(n *corev1.Node) bool {
	_, c := nodeutil.GetNodeCondition(&n.Status, corev1.NodeReady)
	return c != nil && c.Status == corev1.ConditionTrue && !hasTaint(n, corev1.TaintNodeNotReady)
}

func hasTaint(n *corev1.Node, key string) bool {
	return slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == key })
}

// names of things that have one.
func names[T metav1.Object](of []T) []string {
	list := make([]string, len(of))
	for i, o := range of {
		list[i] = o.GetName()
	}
	return list
}
