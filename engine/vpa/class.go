package vpa

import (
	"context"
	_ "embed" // the manifests
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/engine/world"
)

var (
	//go:embed manifests/policy.yaml
	policyManifest []byte
	//go:embed manifests/student.yaml
	studentManifest []byte
)

// policyAPI serves MutatingAdmissionPolicy, by default from 1.36 on.
const policyAPI = "admissionregistration.k8s.io/v1"

// Class is what an instructor prepares, once, on a cluster that many use: the VPA's
// resource types, what students may do, and an admission that needs no webhook.
type Class struct {
	dyn       dynamic.Interface
	mapper    meta.RESTMapper
	discovery discovery.DiscoveryInterface
}

// Prepared is one part of a Class.
type Prepared struct {
	Kind, Name string
	There      bool // it exists, or did before Install
	Ours       bool // and carries our label

	client dynamic.ResourceInterface
}

// NewClass looks at a cluster; nothing is written.
func NewClass(cfg *rest.Config) (*Class, error) {
	c, err := world.NewClients(cfg)
	if err != nil {
		return nil, err
	}
	dyn, err := dynamic.NewForConfig(cfg)
	return &Class{dyn: dyn, mapper: c.Mapper, discovery: c.Kube.Discovery()}, err
}

// HasPolicies tells whether the API server serves MutatingAdmissionPolicy v1.
func (c *Class) HasPolicies() (bool, error) { return servesPolicies(c.discovery) }

func servesPolicies(d discovery.DiscoveryInterface) (bool, error) {
	list, err := d.ServerResourcesForGroupVersion(policyAPI)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == "mutatingadmissionpolicies" }), nil
}

// Parts are the objects of a class in the order of their making.
func (c *Class) parts(do func(*unstructured.Unstructured) error) error {
	policies, err := c.HasPolicies()
	if err != nil {
		return err
	}
	manifests := [][]byte{crdManifest, studentManifest}
	if policies {
		manifests = append(manifests, policyManifest)
	}
	for _, m := range manifests {
		if err := world.EachObject(m, do); err != nil {
			return err
		}
	}
	return nil
}

// Status tells what of the class is there.
func (c *Class) Status(ctx context.Context) ([]Prepared, error) {
	var all []Prepared
	err := c.parts(func(obj *unstructured.Unstructured) error {
		client, err := c.client(obj)
		if err != nil {
			return err
		}
		p := Prepared{Kind: obj.GetKind(), Name: obj.GetName(), client: client}
		live, err := client.Get(ctx, obj.GetName(), metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err == nil {
			p.There, p.Ours = true, live.GetLabels()[labelManaged] == "true"
		}
		all = append(all, p)
		return nil
	})
	return all, err
}

// Install makes what is missing and brings ours up to date. What somebody else
// made stays as it is. It is safe to call twice.
func (c *Class) Install(ctx context.Context) ([]Prepared, error) {
	var made []Prepared
	err := c.parts(func(obj *unstructured.Unstructured) error {
		client, err := c.client(obj)
		if err != nil {
			return err
		}
		old, err := client.Get(ctx, obj.GetName(), metav1.GetOptions{})
		there := err == nil
		if there && old.GetLabels()[labelManaged] != "true" {
			return nil
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		labels := obj.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[labelManaged] = "true"
		obj.SetLabels(labels)
		if _, err := client.Apply(ctx, obj.GetName(), obj, metav1.ApplyOptions{FieldManager: "stepscale", Force: true}); err != nil {
			return fmt.Errorf("%s %s: %w", obj.GetKind(), obj.GetName(), err)
		}
		made = append(made, Prepared{Kind: obj.GetKind(), Name: obj.GetName(), There: there, Ours: true})
		return nil
	})
	return made, err
}

// Remove deletes what Install made, the last first. With the resource types go all
// objects of theirs.
func (c *Class) Remove(ctx context.Context) ([]Prepared, error) {
	all, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	var removed []Prepared
	var errs []error
	for _, p := range slices.Backward(all) {
		if !p.Ours {
			continue
		}
		err := p.client.Delete(ctx, p.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("%s %s: %w", p.Kind, p.Name, err))
			continue
		}
		removed = append(removed, p)
	}
	return removed, errors.Join(errs...)
}

func (c *Class) client(obj *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	gvk := obj.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil, err
	}
	return c.dyn.Resource(mapping.Resource), nil
}
