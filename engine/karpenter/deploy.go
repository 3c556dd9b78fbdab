package karpenter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	kwokapis "sigs.k8s.io/karpenter/kwok/apis"
	kwokv1 "sigs.k8s.io/karpenter/kwok/apis/v1alpha1"
	"sigs.k8s.io/karpenter/pkg/apis"
	karpv1 "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/stepscale/stepscale/clusters/manifest"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/trace"
)

// NodeClass is the name of the one NodeClass that deploying brings: the pools refer to it.
const NodeClass = "default"

// startTimeout bounds, in machine time, how long a new resource type may take to be served.
const startTimeout = 20 * time.Second

// Deploy brings Karpenter's resource types, its NodeClass and the scenario's NodePools,
// and builds its controllers. What a killed session left is cleared away.
func (s *State) Deploy(ctx context.Context) error {
	log.SetLogger(logr.Discard()) // upstream writes to standard error otherwise
	ctx, err := s.withUpstream(ctx)
	if err != nil {
		return err
	}
	cluster, err := manifest.NewClient(s.Identity(trace.ActorLearner))
	if err != nil {
		return err
	}
	err = eachCRD(func(obj *unstructured.Unstructured) error {
		_, err := cluster.Create(ctx, obj)
		return err
	})
	if err != nil {
		return fmt.Errorf("카펜터의 CRD를 만들지 못했습니다: %w", err)
	}
	kube, err := newDirect(s.Identity(ActorKarpenter), s.Identity(""), s.Clock)
	if err != nil {
		return err
	}
	if err := s.awaitTypes(ctx, kube); err != nil {
		return err
	}
	s.parts = newParts(ctx, kube, stepClock{s.Clock})
	if err := s.clear(ctx); err != nil {
		return err
	}
	return s.createObjects(ctx)
}

// eachCRD calls do with each of the resource types that the loop needs, as the module has them.
func eachCRD(do func(*unstructured.Unstructured) error) error {
	for _, text := range [][]byte{apis.NodePoolCRD, apis.NodeClaimCRD, kwokapis.KWOKNodeClassCRD} {
		if err := manifest.EachObject(text, do); err != nil {
			return err
		}
	}
	return nil
}

// awaitTypes waits until the API server serves what the CRDs describe.
func (s *State) awaitTypes(ctx context.Context, kube client.Client) error {
	return s.Poll(ctx, startTimeout, func(ctx context.Context) (bool, error) {
		for _, list := range []client.ObjectList{&karpv1.NodePoolList{}, &karpv1.NodeClaimList{}, &kwokv1.KWOKNodeClassList{}} {
			if err := kube.List(ctx, list); err != nil { // not yet; the step that needs it would say why
				return false, ctx.Err()
			}
		}
		return true, nil
	})
}

// createObjects creates the NodeClass and the NodePools as the learner's kubectl apply,
// and lets upstream's controllers find them ready.
func (s *State) createObjects(ctx context.Context) error {
	cluster, err := manifest.NewClient(s.Identity(trace.ActorLearner))
	if err != nil {
		return err
	}
	class := &unstructured.Unstructured{Object: map[string]any{"apiVersion": kwokapis.Group + "/v1alpha1", "kind": "KWOKNodeClass", "metadata": map[string]any{"name": NodeClass}}}
	for _, obj := range append([]*unstructured.Unstructured{class}, s.Objects...) {
		if _, err := cluster.Apply(ctx, obj.DeepCopy()); err != nil {
			return fmt.Errorf("%s %s 만들지 못했습니다: %w", obj.GetKind(), korean.Object(obj.GetName()), err)
		}
	}
	return s.examinePools(ctx)
}

// examinePools lets upstream say which NodePools are valid and ready.
func (s *State) examinePools(ctx context.Context) error {
	var pools karpv1.NodePoolList
	if err := s.parts.kube.List(ctx, &pools); err != nil {
		return err
	}
	for i := range pools.Items {
		pool := &pools.Items[i]
		if _, err := s.parts.valid.Reconcile(ctx, pool); err != nil {
			return err
		}
		if err := s.parts.kube.Get(ctx, client.ObjectKeyFromObject(pool), pool); err != nil {
			return err
		}
		if _, err := s.parts.ready.Reconcile(ctx, pool); err != nil {
			return err
		}
	}
	return nil
}

// Close takes away what deploying and the loop have made. The nodes go when the namespace
// is let go.
func (s *State) Close(ctx context.Context) error {
	if s.parts == nil {
		return nil
	}
	cluster, err := manifest.NewClient(s.Identity(trace.ActorLearner))
	if err != nil {
		return err
	}
	return errors.Join(s.clear(ctx), eachCRD(func(obj *unstructured.Unstructured) error {
		of, err := cluster.Resource(obj)
		if err != nil {
			return err
		}
		return client.IgnoreNotFound(of.Delete(ctx, obj.GetName(), metav1.DeleteOptions{}))
	}))
}

// clear deletes Karpenter's objects, and lets go of what waits for Karpenter to finish it.
func (s *State) clear(ctx context.Context) error {
	var failed error
	for _, list := range []client.ObjectList{&karpv1.NodeClaimList{}, &karpv1.NodePoolList{}, &kwokv1.KWOKNodeClassList{}} {
		failed = errors.Join(failed, s.deleteAll(ctx, list))
	}
	var nodes corev1.NodeList
	if err := s.parts.kube.List(ctx, &nodes); err != nil {
		return errors.Join(failed, err)
	}
	for i := range nodes.Items {
		failed = errors.Join(failed, s.letGo(ctx, &nodes.Items[i]))
	}
	return failed
}

func (s *State) deleteAll(ctx context.Context, list client.ObjectList) error {
	if err := s.parts.kube.List(ctx, list); err != nil {
		return err
	}
	return meta.EachListItem(list, func(item runtime.Object) error {
		o, ok := item.(client.Object)
		if !ok {
			return nil
		}
		if err := s.letGo(ctx, o); err != nil {
			return err
		}
		return client.IgnoreNotFound(s.parts.kube.Delete(ctx, o))
	})
}

// letGo takes Karpenter's finalizer off.
func (s *State) letGo(ctx context.Context, o client.Object) error {
	if len(o.GetFinalizers()) == 0 {
		return nil
	}
	return client.IgnoreNotFound(s.parts.kube.Patch(ctx, o, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))))
}
