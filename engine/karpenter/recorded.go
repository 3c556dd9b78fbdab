package karpenter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"

	"github.com/stepscale/stepscale/engine/instances"
)

// Recorded is the JSON in Frame.Inputs of the steps that decide: enough to decide again
// without a cluster.
type Recorded struct {
	Engine     string                          `json:"engine"`     // ActorKarpenter
	Disruption bool                            `json:"disruption"` // whether nodes are to go
	Now        time.Time                       `json:"now"`        // of the loop, as are all times in the objects
	Types      []instances.Type                `json:"types"`      // for rent
	Pools      []*karpv1.NodePool              `json:"nodePools"`
	Claims     []*karpv1.NodeClaim             `json:"nodeClaims"`
	Nodes      []*corev1.Node                  `json:"nodes"`
	Pods       []*corev1.Pod                   `json:"pods"`
	Budgets    []*policyv1.PodDisruptionBudget `json:"podDisruptionBudgets"`

	adjust func([]*cloudprovider.InstanceType) // the types, before anybody sees them
}

// record writes down what a decision is about to read.
func (s *State) record(ctx context.Context, disruption bool) (json.RawMessage, error) {
	r := Recorded{Engine: ActorKarpenter, Disruption: disruption, Now: s.Clock.Now(), Types: instances.All()}
	for _, list := range recordedLists() {
		if err := s.parts.kube.List(ctx, list); err != nil {
			return nil, err
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			r.keep(o.(client.Object))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return json.Marshal(r)
}

// recordedLists are of what a decision reads.
func recordedLists() []client.ObjectList {
	return []client.ObjectList{&karpv1.NodePoolList{}, &karpv1.NodeClaimList{}, &corev1.NodeList{}, &corev1.PodList{}, &policyv1.PodDisruptionBudgetList{}}
}

// keep takes an object without what no decision looks at.
func (r *Recorded) keep(o client.Object) {
	o.SetManagedFields(nil)
	switch o := o.(type) {
	case *karpv1.NodePool:
		r.Pools = append(r.Pools, o)
	case *karpv1.NodeClaim:
		r.Claims = append(r.Claims, o)
	case *corev1.Node:
		o.Status.Images = nil
		r.Nodes = append(r.Nodes, o)
	case *corev1.Pod:
		r.Pods = append(r.Pods, o)
	case *policyv1.PodDisruptionBudget:
		r.Budgets = append(r.Budgets, o)
	}
}

// mostRecorded objects of a kind are taken from a recording: it may have been written by
// somebody else.
const mostRecorded = 10_000

var errRecorded = errors.New("recorded inputs of Karpenter are damaged")

// ReadRecorded reads the Inputs of a recorded step; what was damaged is an error.
func ReadRecorded(inputs []byte) (Recorded, error) {
	var r Recorded
	if err := json.Unmarshal(inputs, &r); err != nil {
		return r, fmt.Errorf("%w: %w", errRecorded, err)
	}
	if r.Engine != ActorKarpenter || len(r.Types) == 0 {
		return r, fmt.Errorf("%w: no instance types", errRecorded)
	}
	if max(len(r.Types), len(r.Pools), len(r.Claims), len(r.Nodes), len(r.Pods), len(r.Budgets)) > mostRecorded {
		return r, fmt.Errorf("%w: too many objects", errRecorded)
	}
	if slices.Contains(r.Pools, nil) || slices.Contains(r.Claims, nil) || slices.Contains(r.Nodes, nil) || slices.Contains(r.Pods, nil) || slices.Contains(r.Budgets, nil) {
		return r, fmt.Errorf("%w: an object is missing", errRecorded)
	}
	return r, nil
}

// Own is a copy whose lists may be changed.
func (r Recorded) Own() Recorded {
	r.Types, r.Pools, r.Claims, r.Nodes, r.Pods, r.Budgets = slices.Clone(r.Types), slices.Clone(r.Pools), slices.Clone(r.Claims), slices.Clone(r.Nodes), slices.Clone(r.Pods), slices.Clone(r.Budgets)
	return r
}

// parts are upstream's controllers over what was recorded.
func (r Recorded) parts(ctx context.Context) (*parts, stepClock, error) {
	clk := clocktesting.NewFakePassiveClock(r.Now)
	store := &shelf{}
	for _, o := range r.Pools {
		store.objects = append(store.objects, o)
	}
	for _, o := range r.Claims {
		store.objects = append(store.objects, o.DeepCopy()) // their conditions are written
	}
	for _, o := range r.Nodes {
		store.objects = append(store.objects, o)
	}
	for _, o := range r.Budgets {
		store.objects = append(store.objects, o)
	}
	p := newParts(ctx, &direct{Client: store, reader: store}, stepClock{clk})
	p.watch.bound = map[types.NamespacedName]*corev1.Pod{} // all have been seen: nothing has happened to a pod
	for _, o := range r.Pods {
		store.objects = append(store.objects, o)
		if o.Spec.NodeName != "" {
			p.watch.bound[client.ObjectKeyFromObject(o)] = o
		}
	}
	p.cloud.types = instanceTypes(r.Types)
	if r.adjust != nil {
		r.adjust(p.cloud.types)
	}
	return p, stepClock{clk}, p.look(ctx)
}

// shelf holds recorded objects where upstream's controllers look for them. It is no API
// server: nothing is checked, and only the status is ever written.
type shelf struct {
	client.Client // nobody calls the rest
	objects       []client.Object
}

func (s *shelf) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	for _, o := range s.objects {
		if reflect.TypeOf(o) == reflect.TypeOf(into) && client.ObjectKeyFromObject(o) == key {
			reflect.ValueOf(into).Elem().Set(reflect.ValueOf(o.DeepCopyObject()).Elem())
			return nil
		}
	}
	return apierrors.NewNotFound(schema.GroupResource{Resource: reflect.TypeOf(into).Elem().Name()}, key.Name)
}

func (s *shelf) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	asked := client.ListOptions{}
	asked.ApplyOptions(opts)
	of, err := apiutil.GVKForObject(list, scheme.Scheme)
	if err != nil {
		return err
	}
	var kept []runtime.Object
	for _, o := range s.objects {
		kind, err := apiutil.GVKForObject(o, scheme.Scheme)
		if err != nil {
			return err
		}
		if kind.Group != of.Group || kind.Kind != strings.TrimSuffix(of.Kind, "List") || asked.Namespace != "" && o.GetNamespace() != asked.Namespace ||
			asked.LabelSelector != nil && !asked.LabelSelector.Matches(labels.Set(o.GetLabels())) {
			continue
		}
		if pod, ok := o.(*corev1.Pod); ok && asked.FieldSelector != nil && !asked.FieldSelector.Matches(fields.Set{"spec.nodeName": pod.Spec.NodeName}) {
			continue
		}
		kept = append(kept, o.DeepCopyObject())
	}
	return meta.SetList(list, kept)
}

// Status is what writes conditions.
func (s *shelf) Status() client.SubResourceWriter { return statusWriter{shelf: s} }

type statusWriter struct {
	client.SubResourceWriter
	shelf *shelf
}

// Patch keeps the object as its controller has it.
func (w statusWriter) Patch(_ context.Context, o client.Object, _ client.Patch, _ ...client.SubResourcePatchOption) error {
	for i, is := range w.shelf.objects {
		if reflect.TypeOf(is) == reflect.TypeOf(o) && client.ObjectKeyFromObject(is) == client.ObjectKeyFromObject(o) {
			w.shelf.objects[i] = o.DeepCopyObject().(client.Object)
			return nil
		}
	}
	return apierrors.NewNotFound(schema.GroupResource{}, o.GetName())
}
