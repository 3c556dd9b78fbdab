package clusterautoscaler

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// Snapshot is a cluster on which pods are placed to see what would happen. A fork costs
// little: the nodes are shared until one of the two changes them.
type Snapshot struct {
	judge *Judge
	nodes []fwk.NodeInfo // never changed in place
	index map[string]int // of nodes, by name
}

// NewSnapshot has the nodes in the order given, with the pods that are bound to them.
func (j *Judge) NewSnapshot(nodes []*corev1.Node, pods []*corev1.Pod) *Snapshot {
	s := &Snapshot{judge: j, index: map[string]int{}}
	on := map[string][]*corev1.Pod{}
	for _, p := range pods {
		on[p.Spec.NodeName] = append(on[p.Spec.NodeName], p)
	}
	for _, n := range nodes {
		s.Add(n, on[n.Name]...)
	}
	return s
}

// Fork is a copy that goes its own way.
func (s *Snapshot) Fork() *Snapshot {
	return &Snapshot{judge: s.judge, nodes: slices.Clone(s.nodes), index: maps.Clone(s.index)}
}

// Add adds a node with pods on it.
func (s *Snapshot) Add(n *corev1.Node, pods ...*corev1.Pod) {
	info := framework.NewNodeInfo(pods...)
	info.SetNode(n)
	s.index[n.Name] = len(s.nodes)
	s.nodes = append(s.nodes, info)
}

// Remove takes a node away with all that is on it.
func (s *Snapshot) Remove(node string) {
	at, ok := s.index[node]
	if !ok {
		return
	}
	s.nodes = slices.Delete(s.nodes, at, at+1)
	delete(s.index, node)
	for name, i := range s.index {
		if i > at {
			s.index[name] = i - 1
		}
	}
}

// Has tells whether the node is there.
func (s *Snapshot) Has(node string) bool {
	_, ok := s.index[node]
	return ok
}

// PodsOn are the pods of a node.
func (s *Snapshot) PodsOn(node string) (pods []*corev1.Pod) {
	info, err := s.info(node)
	if err != nil {
		return nil
	}
	for _, p := range info.GetPods() {
		pods = append(pods, p.GetPod())
	}
	return pods
}

// Fit tells why a pod does not fit on a node; nil: it does.
func (s *Snapshot) Fit(ctx context.Context, pod *corev1.Pod, node string) *Refusal {
	return s.judge.fit(ctx, s, pod, node)
}

// Place puts a pod on a node, whether it fits or not.
func (s *Snapshot) Place(pod *corev1.Pod, node string) error {
	at, ok := s.index[node]
	if !ok {
		return errNoNode(node)
	}
	placed := *pod
	placed.Spec.NodeName = node
	info, err := framework.NewPodInfo(&placed)
	if err != nil {
		return fmt.Errorf("pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	s.nodes[at] = s.nodes[at].Snapshot()
	s.nodes[at].AddPodInfo(info)
	return nil
}

// Schedule puts a pod on an acceptable node on which it fits; "" where there is none.
func (s *Snapshot) Schedule(ctx context.Context, pod *corev1.Pod, acceptable func(node string) bool) (string, error) {
	node := s.judge.search(ctx, s, pod, acceptable)
	if node == "" {
		return "", nil
	}
	return node, s.Place(pod, node)
}

// Unschedule takes pods from a node.
func (s *Snapshot) Unschedule(ctx context.Context, node string, pods []*corev1.Pod) error {
	at, ok := s.index[node]
	if !ok {
		return errNoNode(node)
	}
	s.nodes[at] = s.nodes[at].Snapshot()
	for _, p := range pods {
		if err := s.nodes[at].RemovePod(klog.FromContext(ctx), p); err != nil {
			return err
		}
	}
	return nil
}

// info is a node with what is on it.
func (s *Snapshot) info(node string) (fwk.NodeInfo, error) {
	at, ok := s.index[node]
	if !ok {
		return nil, errNoNode(node)
	}
	return s.nodes[at], nil
}

func errNoNode(name string) error { return fmt.Errorf("node %s is not in the snapshot", name) }

// newNode is a node as the group's template says, under a name of its own
// (simulator/node_info_utils.go SanitizedNodeInfo).
func (g *NodeGroup) newNode(suffix string) (*corev1.Node, []*corev1.Pod) {
	n := g.Template.DeepCopy()
	n.Name = "template-node-for-" + g.Name + "-" + suffix
	n.UID = types.UID(n.Name)
	if n.Labels == nil {
		n.Labels = map[string]string{}
	}
	n.Labels[corev1.LabelHostname] = n.Name
	pods := make([]*corev1.Pod, len(g.Daemons))
	for i, p := range g.Daemons {
		pods[i] = p.DeepCopy()
		pods[i].Name += "-" + suffix
		pods[i].UID = types.UID(n.Name + "/" + pods[i].Name)
		pods[i].Spec.NodeName = n.Name
	}
	return n, pods
}

// view lets one framework look at the snapshot that is asked about. What else the
// framework wants to list (pod groups) is empty.
type view struct {
	*cache.Snapshot
	at *Snapshot
}

func (v *view) NodeInfos() fwk.NodeInfoLister       { return v }
func (v *view) StorageInfos() fwk.StorageInfoLister { return v }

func (v *view) List() ([]fwk.NodeInfo, error)         { return v.at.nodes, nil }
func (v *view) Get(node string) (fwk.NodeInfo, error) { return v.at.info(node) }

func (v *view) HavePodsWithAffinityList() ([]fwk.NodeInfo, error) {
	return v.having(fwk.NodeInfo.GetPodsWithAffinity), nil
}

func (v *view) HavePodsWithRequiredAntiAffinityList() ([]fwk.NodeInfo, error) {
	return v.having(fwk.NodeInfo.GetPodsWithRequiredAntiAffinity), nil
}

func (v *view) HavePodsWithRequiredNonHostScopedAntiAffinityList() ([]fwk.NodeInfo, error) {
	return v.having(fwk.NodeInfo.GetPodsWithRequiredNonHostScopedAntiAffinity), nil
}

func (v *view) IsPVCUsedByPods(key string) bool {
	return slices.ContainsFunc(v.at.nodes, func(n fwk.NodeInfo) bool { return n.GetPVCRefCounts()[key] > 0 })
}

func (v *view) having(pods func(fwk.NodeInfo) []fwk.PodInfo) (list []fwk.NodeInfo) {
	for _, n := range v.at.nodes {
		if len(pods(n)) > 0 {
			list = append(list, n)
		}
	}
	return list
}
