package karpenter

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
)

// watches are upstream's informers of Karpenter's picture of the cluster. A watch calls
// them for every object that changes; here a step calls them for every object that there
// is, and once more for one that has gone.
type watches struct {
	nodes, pods, claims, pools reconcile.Reconciler

	known map[string]keys // by kind
}

type keys map[types.NamespacedName]bool

// look brings Karpenter's picture of the cluster up to date.
func (p *parts) look(ctx context.Context) error {
	for _, kind := range []struct {
		name string
		list client.ObjectList
		each reconcile.Reconciler
	}{ // in this order: a Node belongs to a claim, a pod to a Node
		{"nodepool", &karpv1.NodePoolList{}, p.watch.pools},
		{"nodeclaim", &karpv1.NodeClaimList{}, p.watch.claims},
		{"node", &corev1.NodeList{}, p.watch.nodes},
		{"pod", &corev1.PodList{}, p.watch.pods},
	} {
		if err := p.kube.List(ctx, kind.list); err != nil {
			return fmt.Errorf("list of %s: %w", kind.name, err)
		}
		there := keys{}
		err := meta.EachListItem(kind.list, func(o runtime.Object) error {
			object, err := meta.Accessor(o)
			if err == nil {
				there[types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}] = true
			}
			return err
		})
		if err != nil {
			return err
		}
		for key := range p.watch.known[kind.name] {
			if !there[key] {
				if _, err := kind.each.Reconcile(ctx, reconcile.Request{NamespacedName: key}); err != nil {
					return fmt.Errorf("%s %s: %w", kind.name, key.Name, err)
				}
			}
		}
		for key := range there {
			if _, err := kind.each.Reconcile(ctx, reconcile.Request{NamespacedName: key}); err != nil {
				return fmt.Errorf("%s %s: %w", kind.name, key.Name, err)
			}
		}
		p.watch.known[kind.name] = there
	}
	return nil
}
