package vpa

import (
	"context"
	_ "embed" // the manifests
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/stepscale/stepscale/clusters/manifest"
	"github.com/stepscale/stepscale/engine/world"
)

var (
	//go:embed manifests/policy.yaml
	policyManifest []byte
	//go:embed manifests/student.yaml
	studentManifest []byte
	//go:embed manifests/fence.yaml
	fenceManifest []byte
)

// policyAPI serves MutatingAdmissionPolicy, by default from 1.36 on.
const policyAPI = "admissionregistration.k8s.io/v1"

// Class is what an instructor prepares, once, on a cluster that many use: the VPA's
// resource types, what students may do and may not, and an admission that needs no
// webhook.
type Class struct {
	cluster   manifest.Client
	discovery discovery.DiscoveryInterface
	kube      kubernetes.Interface
}

// Prepared is one part of a Class.
type Prepared struct {
	Kind, Name string
	There      bool     // it exists, or did before Install
	Ours       bool     // and we made it
	Lacks      []string // what the lessons need of a resource type that somebody else made
	Origin

	manifest *unstructured.Unstructured
	client   dynamic.ResourceInterface
}

// Origin is what an object tells about who made it.
type Origin struct {
	Managers []string // that have written fields of it
	Created  time.Time
	Labels   map[string]string
	Going    bool // it is being deleted
}

func originOf(live *unstructured.Unstructured) Origin {
	o := Origin{Created: live.GetCreationTimestamp().Time, Labels: live.GetLabels(), Going: live.GetDeletionTimestamp() != nil}
	for _, f := range live.GetManagedFields() {
		if !slices.Contains(o.Managers, f.Manager) {
			o.Managers = append(o.Managers, f.Manager)
		}
	}
	return o
}

// usable tells of a part that somebody else made whether lessons can do with it: the
// resource types that upstream's installation brings, and nothing else.
func (p Prepared) usable() bool {
	return p.Ours || !p.There || p.Kind == "CustomResourceDefinition" && len(p.Lacks) == 0
}

// ForeignError tells that parts are somebody else's. Nothing was written.
type ForeignError struct{ Parts []Prepared }

func (e *ForeignError) Error() string {
	names := make([]string, len(e.Parts))
	for i, p := range e.Parts {
		names[i] = p.Kind + " " + p.Name
	}
	return "somebody else made " + strings.Join(names, ", ")
}

// NewClass looks at a cluster; nothing is written.
func NewClass(cfg *rest.Config) (*Class, error) {
	c, err := world.NewClients(cfg)
	if err != nil {
		return nil, err
	}
	dyn, err := dynamic.NewForConfig(cfg)
	return &Class{cluster: manifest.Client{Dynamic: dyn, Mapper: c.Mapper}, discovery: c.Kube.Discovery(), kube: c.Kube}, err
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

// Status tells what of the class is there, in the order of its making.
func (c *Class) Status(ctx context.Context) ([]Prepared, error) {
	policies, err := c.HasPolicies()
	if err != nil {
		return nil, err
	}
	manifests := [][]byte{crdManifest, fenceManifest, studentManifest}
	if policies {
		manifests = append(manifests, policyManifest)
	}
	var all []Prepared
	for _, m := range manifests {
		err := manifest.EachObject(m, func(obj *unstructured.Unstructured) error {
			p, err := c.look(ctx, obj)
			all = append(all, p)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// look finds out whether an object is there, and whose it is.
func (c *Class) look(ctx context.Context, obj *unstructured.Unstructured) (Prepared, error) {
	p := Prepared{Kind: obj.GetKind(), Name: obj.GetName(), manifest: obj}
	var err error
	if p.client, err = c.cluster.Resource(obj); err != nil {
		return p, err
	}
	live, err := p.client.Get(ctx, obj.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.There, p.Ours, p.Origin = true, applied(live), originOf(live)
	if p.Kind == "CustomResourceDefinition" && !p.Ours {
		p.Lacks = lacking(live)
	}
	return p, nil
}

// applied tells of an object whether Install or Enroll made it: it bears our label,
// and the API server remembers that we applied it.
func applied(live *unstructured.Unstructured) bool {
	return manifest.Marked(live) && slices.ContainsFunc(live.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool {
		return f.Manager == manifest.FieldManager && f.Operation == metav1.ManagedFieldsOperationApply
	})
}

// What is being deleted is gone within that time, unless a finalizer keeps it.
const (
	goingTimeout = 30 * time.Second
	goingPoll    = 500 * time.Millisecond
)

// settled is Status when nothing of it is being deleted any more. Resource types that a
// lesson brought go with its end, and take a while: as long as they are there, they look
// like somebody else's that are of use, and what is applied to ours goes with them.
func (c *Class) settled(ctx context.Context) (all []Prepared, err error) {
	going := func(p Prepared) bool { return p.Going }
	err = wait.PollUntilContextTimeout(ctx, goingPoll, goingTimeout, true, func(context.Context) (bool, error) {
		all, err = c.Status(ctx)
		return !slices.ContainsFunc(all, going), err
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		p := all[slices.IndexFunc(all, going)]
		return nil, fmt.Errorf("%s %s: %w", p.Kind, p.Name, ErrGoing)
	}
	return all, err
}

// Install makes what is missing and brings ours up to date, after what is going has gone.
// Where a part is somebody else's, nothing is written. It is safe to call twice.
func (c *Class) Install(ctx context.Context) ([]Prepared, error) {
	all, err := c.settled(ctx)
	if err != nil {
		return nil, err
	}
	foreign := slices.DeleteFunc(slices.Clone(all), Prepared.usable)
	if len(foreign) > 0 {
		return nil, &ForeignError{foreign}
	}
	var made []Prepared
	for _, p := range all {
		if p.There && !p.Ours {
			continue
		}
		if err := c.apply(ctx, p.manifest); err != nil {
			return made, err
		}
		p.Ours = true
		made = append(made, p)
	}
	return made, nil
}

// apply makes an object ours as it is in the manifest.
func (c *Class) apply(ctx context.Context, obj *unstructured.Unstructured) error {
	if _, err := c.cluster.Apply(ctx, obj); err != nil {
		return fmt.Errorf("%s %s: %w", obj.GetKind(), obj.GetName(), err)
	}
	return nil
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
