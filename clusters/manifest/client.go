package manifest

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// ErrForeign tells that an object of that name is there, and not by stepscale.
var ErrForeign = errors.New("it is there, and not by stepscale")

// goingPoll is how often Create looks whether an object has gone.
const goingPoll = 20 * time.Millisecond

// Client puts objects on a cluster, in the namespaces that they name.
type Client struct {
	Dynamic dynamic.Interface
	Mapper  meta.RESTMapper
}

// NewClient makes a client that finds out by itself which resource a kind is.
func NewClient(cfg *rest.Config) (Client, error) {
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return Client{}, err
	}
	kinds, err := discovery.NewDiscoveryClientForConfig(cfg)
	return Client{Dynamic: dyn, Mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(kinds))}, err
}

// Resource is the resource that an object is of, in its namespace.
func (c Client) Resource(obj *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	gvk := obj.GroupVersionKind()
	mapping, err := c.Mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil, err
	}
	if ns := obj.GetNamespace(); ns != "" {
		return c.Dynamic.Resource(mapping.Resource).Namespace(ns), nil
	}
	return c.Dynamic.Resource(mapping.Resource), nil
}

// Apply makes an object or brings it up to date, with a server-side apply that takes
// every field of the manifest over, whoever has it: who may meet an object of somebody
// else's looks before. It returns what is there now.
func (c Client) Apply(ctx context.Context, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	client, err := c.Resource(obj)
	if err != nil {
		return nil, err
	}
	Mark(obj)
	return client.Apply(ctx, obj.GetName(), obj, metav1.ApplyOptions{FieldManager: FieldManager, Force: true})
}

// Create makes an object that nobody else has made, and leaves one of ours as it is, which
// comes back; nil tells that it was made. It waits for one that is being deleted; somebody else's is ErrForeign. It is no apply,
// which would find nothing wrong with an object that somebody made a moment ago: of two
// creations the API server refuses the second.
func (c Client) Create(ctx context.Context, obj *unstructured.Unstructured) (there *unstructured.Unstructured, err error) {
	client, err := c.Resource(obj)
	if err != nil {
		return nil, err
	}
	Mark(obj)
	for {
		_, err := client.Create(ctx, obj, metav1.CreateOptions{})
		if !apierrors.IsAlreadyExists(err) {
			return nil, err
		}
		old, err := client.Get(ctx, obj.GetName(), metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err): // it went between the two calls
		case err != nil:
			return nil, err
		case !Marked(old):
			return nil, fmt.Errorf("%w: %s %s", ErrForeign, obj.GetKind(), obj.GetName())
		case old.GetDeletionTimestamp() == nil: // a killed session left it behind, or it is a class's
			return old, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(goingPoll):
		}
	}
}
