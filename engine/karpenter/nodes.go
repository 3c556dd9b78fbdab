package karpenter

import (
	"context"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/world"
)

func keyOf(o client.Object) client.ObjectKey { return client.ObjectKeyFromObject(o) }

// waiting are the machines of the NodeClaims that have one condition and not the next.
func (s *State) waiting(ctx context.Context, has, lacks string) ([]*instance, error) {
	claims, err := s.claims(ctx)
	if err != nil {
		return nil, err
	}
	var between []karpv1.NodeClaim
	for _, c := range claims {
		if c.DeletionTimestamp == nil && met(&c, has) && !met(&c, lacks) {
			between = append(between, c)
		}
	}
	return s.instancesOf(between), nil
}

func (s *State) instancesOf(claims []karpv1.NodeClaim) (list []*instance) {
	for _, c := range claims {
		if in := s.parts.cloud.find(c.Status.ProviderID); in != nil {
			list = append(list, in)
		}
	}
	return list
}

// node is the Node of that name; nil where there is none.
func (s *State) node(ctx context.Context, name string) (*corev1.Node, error) {
	n := &corev1.Node{}
	err := s.parts.kube.Get(ctx, client.ObjectKey{Name: name}, n)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return n, err
}

// podsOn are the pods that have been bound to a node.
func (s *State) podsOn(ctx context.Context, node string) ([]corev1.Pod, error) {
	var pods corev1.PodList
	err := s.parts.kube.List(ctx, &pods, &client.ListOptions{FieldSelector: fields.OneTermEqualSelector("spec.nodeName", node)})
	return pods.Items, err
}

// addTaints tells what keeps pods from the new nodes. Pods may be bound once nothing does
// that the scheduler goes by, whether Karpenter has called the node initialized or not.
func (s *State) addTaints(ctx context.Context, f *trace.Frame, of []*instance) error {
	open := len(of) > 0
	for _, in := range of {
		n, err := s.node(ctx, in.name)
		if err != nil {
			return err
		}
		if n == nil {
			open = false
			continue
		}
		f.Add("taints/"+n.Name, world.TaintsText(n.Spec.Taints), "")
		for _, t := range n.Spec.Taints {
			open = open && t.Effect == corev1.TaintEffectPreferNoSchedule
		}
	}
	f.Add("podsMayBind", strconv.FormatBool(open), "")
	return nil
}
