package vpa

import (
	"context"
	_ "embed" // the manifest
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/stepscale/stepscale/clusters/manifest"
)

//go:embed manifests/namespace.yaml
var namespaceManifest []byte

var (
	// ErrNotInstalled tells that a class has no role for its students yet, or no
	// policy to fence them in.
	ErrNotInstalled = errors.New("the class is not installed")
	// ErrGoing tells that something is being deleted.
	ErrGoing = errors.New("it is being deleted")
)

// The quota controller learns of a new resource type within thirty seconds.
const (
	quotaTimeout = 45 * time.Second
	quotaPoll    = 100 * time.Millisecond
	quotaNudge   = 30 // looks, three seconds
)

// Student is a seat in a class: a namespace, and who works in it.
type Student struct {
	Namespace     string
	Users, Groups []string
	// Mark, if set, is called for every object before it is applied, however often: what
	// it adds stays.
	Mark func(*unstructured.Unstructured)
}

// Objects are all that a student's namespace holds before the student comes in.
func (s Student) Objects() ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	err := manifest.EachObject(namespaceManifest, func(obj *unstructured.Unstructured) error {
		all = append(all, obj)
		switch obj.GetKind() {
		case "Namespace":
			obj.SetName(s.Namespace)
		case "RoleBinding":
			obj.Object["subjects"] = s.subjects()
			obj.SetNamespace(s.Namespace)
		default:
			obj.SetNamespace(s.Namespace)
		}
		if s.Mark != nil {
			s.Mark(obj)
		}
		return nil
	})
	return all, err
}

func (s Student) subjects() []any {
	var all []any
	add := func(kind string, names []string) {
		for _, name := range names {
			all = append(all, map[string]any{"apiGroup": rbacv1.GroupName, "kind": kind, "name": name})
		}
	}
	add(rbacv1.UserKind, s.Users)
	add(rbacv1.GroupKind, s.Groups)
	return all
}

// Ready tells whether students can be let in.
func (c *Class) Ready(ctx context.Context) error {
	all, err := c.Status(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if !p.There {
			return fmt.Errorf("%w: %s %s", ErrNotInstalled, p.Kind, p.Name)
		}
		if !p.usable() {
			return &ForeignError{[]Prepared{p}}
		}
	}
	return nil
}

// Namespace looks at a student's namespace. One that somebody else made, or that is
// going away, is an error.
func (c *Class) Namespace(ctx context.Context, name string) (there bool, err error) {
	objects, err := Student{Namespace: name}.Objects()
	if err != nil {
		return false, err
	}
	p, err := c.look(ctx, objects[0])
	switch {
	case err != nil || !p.There:
		return false, err
	case !p.Ours:
		return true, &ForeignError{[]Prepared{p}}
	case p.Going:
		return true, ErrGoing
	}
	return true, nil
}

// Enroll makes a student's namespace or brings it up to date, and binds the student
// last. It is safe to call twice, and after it was killed.
func (c *Class) Enroll(ctx context.Context, s Student) error {
	objects, err := s.Objects()
	if err != nil {
		return err
	}
	for _, obj := range objects {
		if err := c.apply(ctx, obj); err != nil {
			return err
		}
	}
	return nil
}

// AwaitQuota waits until everything that the quota of a student's namespace names is
// counted: until then the API server refuses it all. It reports false where nobody counts.
func (c *Class) AwaitQuota(ctx context.Context, s Student) (bool, error) {
	objects, err := s.Objects()
	if err != nil {
		return false, err
	}
	quota := objects[slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "ResourceQuota" })]
	client, err := c.cluster.Resource(quota)
	if err != nil {
		return false, err
	}
	looks := 0
	err = wait.PollUntilContextTimeout(ctx, quotaPoll, quotaTimeout, true, func(ctx context.Context) (bool, error) {
		live, err := client.Get(ctx, quota.GetName(), metav1.GetOptions{})
		if err != nil || !uncounted(live) {
			return err == nil, err
		}
		if looks++; looks%quotaNudge == 0 {
			err = c.nudge(ctx, quota)
		}
		return false, err
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// nudge lets the quota controller look again, which it does when a limit changes: by
// itself it would count a resource type that it has met since only after five minutes.
func (c *Class) nudge(ctx context.Context, quota *unstructured.Unstructured) error {
	other := quota.DeepCopy()
	if err := unstructured.SetNestedField(other.Object, "0", "spec", "hard", "pods"); err != nil {
		return err
	}
	if err := c.apply(ctx, other); err != nil {
		return err
	}
	return c.apply(ctx, quota)
}

func uncounted(u *unstructured.Unstructured) bool {
	q := &corev1.ResourceQuota{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, q); err != nil {
		return true
	}
	for name := range q.Spec.Hard {
		if _, ok := q.Status.Used[name]; !ok {
			return true
		}
	}
	return false
}
