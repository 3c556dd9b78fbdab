package scenarios

import (
	"context"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"

	// The kinds of a scenario, with their defaults and conversions.
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
)

// upstream makes of an object what an API server would store of it, and tells what one
// would refuse: the defaults, the conversion and the rules are those of
// k8s.io/kubernetes, called as its API server calls them (rest.BeforeCreate).
func (r *reader) upstream(o *object) {
	k, ok := kindOf(o.value.GetObjectKind().GroupVersionKind())
	if !ok || k.create == nil { // told by accept, or another API server's
		return
	}
	versioned := o.value.DeepCopyObject()
	legacyscheme.Scheme.Default(versioned)
	internal, err := legacyscheme.Scheme.ConvertToVersion(versioned, runtime.InternalGroupVersioner)
	if err != nil {
		r.add(o.line("spec"), "kubectl apply --dry-run=server로 확인해 주십시오.", "API 서버가 이 오브젝트를 읽지 못합니다: %s", err)
		return
	}
	object, err := meta.Accessor(internal)
	if err != nil || object.GetName() == "" { // told by metadata
		return
	}
	object.SetNamespace(metav1.NamespaceDefault) // any: the stage has its own
	rest.FillObjectMetaSystemFields(object)
	ctx := request.WithRequestInfo(request.WithNamespace(context.Background(), object.GetNamespace()), &request.RequestInfo{
		IsResourceRequest: true, Verb: "create", APIGroup: k.Group, APIVersion: k.Version, Resource: k.Resource.Resource,
	})
	k.create.PrepareForCreate(ctx, internal)
	for _, e := range rest.ValidateCreate(ctx, internal, k.create) {
		r.invalid(*o, e)
	}
	if o.value, err = legacyscheme.Scheme.ConvertToVersion(internal, k.GroupVersion()); err != nil {
		r.add(o.line("spec"), "kubectl apply --dry-run=server로 확인해 주십시오.", "API 서버가 이 오브젝트를 저장하지 못합니다: %s", err)
	}
}

// upstreamUpdate tells what an API server would refuse to change of an object that it has:
// the selector of a Deployment, for example. Both are as upstream left them.
func (r *reader) upstreamUpdate(o, old object) {
	k, ok := kindOf(o.value.GetObjectKind().GroupVersionKind())
	if !ok || k.create == nil {
		return
	}
	update, ok := k.create.(rest.RESTUpdateStrategy)
	if !ok {
		return
	}
	after, err := legacyscheme.Scheme.ConvertToVersion(o.value, runtime.InternalGroupVersioner)
	if err != nil {
		return // told by upstream
	}
	before, err := legacyscheme.Scheme.ConvertToVersion(old.value, runtime.InternalGroupVersioner)
	if err != nil {
		return
	}
	was, err := meta.Accessor(before)
	if err != nil {
		return
	}
	is, err := meta.Accessor(after)
	if err != nil {
		return
	}
	was.SetResourceVersion("1") // any, and the same
	is.SetResourceVersion("1")
	is.SetUID(was.GetUID())
	is.SetCreationTimestamp(was.GetCreationTimestamp())
	ctx := request.WithRequestInfo(request.WithNamespace(context.Background(), was.GetNamespace()), &request.RequestInfo{
		IsResourceRequest: true, Verb: "update", APIGroup: k.Group, APIVersion: k.Version, Resource: k.Resource.Resource,
	})
	update.PrepareForUpdate(ctx, after, before)
	for _, e := range rest.ValidateUpdate(ctx, after, before, update) {
		r.invalid(o, e)
	}
}

// current writes an object of an older version that the API server still serves, as a v1
// HPA, in the version that the engine and the screens speak of.
func current(o *object) error {
	gvk := o.value.GetObjectKind().GroupVersionKind()
	k, ok := kindOf(gvk)
	if !ok || k.GroupVersionKind == gvk {
		return nil
	}
	internal, err := legacyscheme.Scheme.ConvertToVersion(o.value, runtime.InternalGroupVersioner)
	if err != nil {
		return err
	}
	if o.value, err = legacyscheme.Scheme.ConvertToVersion(internal, k.GroupVersion()); err != nil {
		return err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o.value)
	if err != nil {
		return err
	}
	delete(content, "status")
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	o.content = &unstructured.Unstructured{Object: content}
	return nil
}

var pathPart = regexp.MustCompile(`[^.\[\]]+|\[[^\]]*\]`)

// fieldPath splits "spec.containers[0].resources.requests[ephemeral-storage]".
func fieldPath(path string) []string {
	parts := pathPart.FindAllString(path, -1)
	for i, p := range parts {
		parts[i] = strings.Trim(p, "[]")
	}
	return parts
}
