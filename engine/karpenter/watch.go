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

	known map[string]keys                      // by kind
	bound map[types.NamespacedName]*corev1.Pod // pods with a node, as they were seen last
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
		if pods, ok := kind.list.(*corev1.PodList); ok {
			if err := p.podEvents(ctx, pods.Items); err != nil {
				return err
			}
		}
	}
	return nil
}

// podEvents lets upstream note on a NodeClaim that a pod came to its node or is about to
// leave it (nodeclaim/podevents: the filter of its Register). A pod that is gone already
// was about to leave in between.
func (p *parts) podEvents(ctx context.Context, pods []corev1.Pod) error {
	now := map[types.NamespacedName]*corev1.Pod{}
	for i := range pods {
		if pods[i].Spec.NodeName != "" {
			now[client.ObjectKeyFromObject(&pods[i])] = &pods[i]
		}
	}
	var moved []*corev1.Pod
	for key, pod := range now {
		was := p.watch.bound[key]
		if was == nil || was.DeletionTimestamp == nil && pod.DeletionTimestamp != nil {
			moved = append(moved, pod)
		}
	}
	for key, pod := range p.watch.bound {
		if now[key] == nil && pod.DeletionTimestamp == nil {
			moved = append(moved, pod)
		}
	}
	for _, pod := range moved {
		if _, err := p.disrupt.podEvents.Reconcile(ctx, pod); err != nil {
			return err
		}
	}
	p.watch.bound = now
	return nil
}
