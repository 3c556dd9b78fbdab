package karpenter

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/stepscale/stepscale/engine/world"
)

// direct is the client that upstream's controllers get. It reads the API server where
// theirs reads the manager's cache, so that a step sees what the one before wrote; these
// reads are nobody's calls, because a cache sends none. What it writes is Karpenter's.
//
// The API server stamps objects with the wall clock. Karpenter compares these stamps with
// its own, which is virtual here: without dates it would give up every NodeClaim of an
// hour ahead (nodeclaim/lifecycle/liveness.go).
type direct struct {
	client.Client // writes
	reader        client.Client
	dates         *world.Dates
}

func newDirect(writer, reader *rest.Config, loop clock.PassiveClock) (*direct, error) {
	d := &direct{dates: &world.Dates{Clock: loop}}
	var err error
	if d.Client, err = client.New(writer, client.Options{Scheme: scheme.Scheme}); err != nil {
		return nil, err
	}
	d.reader, err = client.New(reader, client.Options{Scheme: scheme.Scheme})
	return d, err
}

func (d *direct) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if err := d.reader.Get(ctx, key, o, opts...); err != nil {
		return err
	}
	d.dates.Date(o)
	return nil
}

func (d *direct) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	if err := d.Client.Create(ctx, o, opts...); err != nil {
		return err
	}
	d.dates.Date(o)
	return nil
}

func (d *direct) Patch(ctx context.Context, o client.Object, p client.Patch, opts ...client.PatchOption) error {
	if err := d.Client.Patch(ctx, o, p, opts...); err != nil {
		return err
	}
	d.dates.Date(o)
	return nil
}

// List selects by the fields for which Karpenter's cache has an index and the API server
// has none.
func (d *direct) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	asked := client.ListOptions{}
	asked.ApplyOptions(opts)
	selector := asked.FieldSelector
	_, pods := list.(*corev1.PodList) // whose fields the API server does know
	if !pods {
		asked.FieldSelector = nil
	}
	if err := d.reader.List(ctx, list, &asked); err != nil {
		return err
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return err
	}
	var kept []runtime.Object
	for _, item := range items {
		o, ok := item.(client.Object)
		if !ok || !pods && selector != nil && !selector.Matches(indexed(o)) {
			continue
		}
		d.dates.Date(o)
		kept = append(kept, item)
	}
	return meta.SetList(list, kept)
}

// indexed are the fields by which Karpenter looks objects up (operator.go: setupIndexers).
func indexed(o client.Object) fields.Set {
	switch o := o.(type) {
	case *corev1.Node:
		return fields.Set{"spec.providerID": o.Spec.ProviderID}
	case *karpv1.NodeClaim:
		ref := o.Spec.NodeClassRef
		return fields.Set{"status.providerID": o.Status.ProviderID,
			"spec.nodeClassRef.group": ref.Group, "spec.nodeClassRef.kind": ref.Kind, "spec.nodeClassRef.name": ref.Name}
	case *karpv1.NodePool:
		ref := o.Spec.Template.Spec.NodeClassRef
		return fields.Set{"spec.template.spec.nodeClassRef.group": ref.Group, "spec.template.spec.nodeClassRef.kind": ref.Kind, "spec.template.spec.nodeClassRef.name": ref.Name}
	}
	return fields.Set{}
}
