package embedded

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/etcdserver"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/rest"
	clientrest "k8s.io/client-go/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	schedulingv1 "k8s.io/kubernetes/pkg/apis/scheduling/v1"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrole"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrolebinding"
	"k8s.io/kubernetes/pkg/registry/rbac/role"
	"k8s.io/kubernetes/pkg/registry/rbac/rolebinding"
	"k8s.io/kubernetes/pkg/registry/scheduling/priorityclass"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy"
)

// hooksDone are the hooks of the API server that find their work done: they wait a
// second before they look, and write one object after the other. They run all the same.
var hooksDone = []string{"poststarthook/rbac/bootstrap-roles", "poststarthook/scheduling/bootstrap-system-priority-classes"}

const (
	storePrefix = "/registry/"
	putsAtOnce  = 100 // etcd takes 128 in a transaction
)

// seedStore puts into the store, before the API server starts, what those hooks would
// write and the namespaces of the system. Nothing of it is kept anywhere, so it cannot be
// of another version: it is made from the very lists that the hooks of this program
// read, with the strategies by which its API server creates objects.
func seedStore(ctx context.Context, etcd *etcdserver.EtcdServer) error {
	s, err := newSeed()
	if err != nil {
		return fmt.Errorf("seed of the store: %w", err)
	}
	for puts := range slices.Chunk(s.puts, putsAtOnce) {
		if _, err := etcd.Txn(ctx, &pb.TxnRequest{Success: puts}); err != nil {
			return fmt.Errorf("seed of the store: %w", cmp.Or(ctx.Err(), err)) // etcd has an error of its own for that
		}
	}
	return nil
}

type seed struct {
	protobuf runtime.Serializer
	manager  string // of the fields, as for what the API server writes by itself
	puts     []*pb.RequestOp
}

func newSeed() (*seed, error) {
	info, ok := runtime.SerializerInfoForMediaType(legacyscheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	if !ok {
		return nil, fmt.Errorf("no serializer for %s", runtime.ContentTypeProtobuf)
	}
	manager, _, _ := strings.Cut(clientrest.DefaultKubernetesUserAgent(), "/")
	s := &seed{protobuf: info.Serializer, manager: manager}
	for _, add := range []func() error{s.namespaces, s.clusterRoles, s.roles, s.priorityClasses} {
		if err := add(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *seed) namespaces() error {
	for _, name := range []string{metav1.NamespaceSystem, metav1.NamespacePublic, metav1.NamespaceDefault, corev1.NamespaceNodeLease} {
		if err := s.add("namespaces", namespace.Strategy, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
	}
	return nil
}

func (s *seed) clusterRoles() error {
	for _, r := range slices.Concat(bootstrappolicy.ClusterRoles(), bootstrappolicy.ControllerRoles()) {
		if err := s.add("clusterroles", clusterrole.Strategy, &r); err != nil {
			return err
		}
	}
	for _, b := range slices.Concat(bootstrappolicy.ClusterRoleBindings(), bootstrappolicy.ControllerRoleBindings()) {
		if err := s.add("clusterrolebindings", clusterrolebinding.Strategy, &b); err != nil {
			return err
		}
	}
	return nil
}

func (s *seed) roles() error {
	for _, roles := range bootstrappolicy.NamespaceRoles() {
		for _, r := range roles {
			if err := s.add("roles", role.Strategy, &r); err != nil {
				return err
			}
		}
	}
	for _, bindings := range bootstrappolicy.NamespaceRoleBindings() {
		for _, b := range bindings {
			if err := s.add("rolebindings", rolebinding.Strategy, &b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *seed) priorityClasses() error {
	for _, c := range schedulingv1.SystemPriorityClasses() {
		if err := s.add("priorityclasses", priorityclass.Strategy, c); err != nil {
			return err
		}
	}
	return nil
}

// add does what the API server does with an object that is to be created.
func (s *seed) add(resource string, strategy rest.RESTCreateStrategy, obj runtime.Object) error {
	legacyscheme.Scheme.Default(obj)
	object, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	gvks, _, err := legacyscheme.Scheme.ObjectKinds(obj)
	if err != nil {
		return err
	}
	version := gvks[0].GroupVersion()
	fields, err := fieldsOf(obj)
	if err != nil {
		return err
	}
	rest.FillObjectMetaSystemFields(object)
	created := object.GetCreationTimestamp()
	object.SetManagedFields([]metav1.ManagedFieldsEntry{{
		Manager: s.manager, Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: version.String(), Time: &created, FieldsType: "FieldsV1", FieldsV1: fields,
	}})
	value, err := s.encode(strategy, obj, version)
	if err != nil {
		return fmt.Errorf("%s %s: %w", resource, object.GetName(), err)
	}
	put := &pb.PutRequest{Key: []byte(storePrefix + path.Join(resource, object.GetNamespace(), object.GetName())), Value: value}
	s.puts = append(s.puts, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: put}})
	return nil
}

func (s *seed) encode(strategy rest.RESTCreateStrategy, obj runtime.Object, version schema.GroupVersion) ([]byte, error) {
	internal, err := legacyscheme.Scheme.ConvertToVersion(obj, runtime.InternalGroupVersioner)
	if err != nil {
		return nil, err
	}
	strategy.PrepareForCreate(context.Background(), internal)
	strategy.Canonicalize(internal)
	return runtime.Encode(legacyscheme.Codecs.EncoderForVersion(s.protobuf, version), internal)
}

// fieldsOf names the fields of an object as server-side apply does. Every list in these
// objects is atomic.
func fieldsOf(obj runtime.Object) (*metav1.FieldsV1, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, err
	}
	fields := map[string]any{}
	for name, value := range content {
		switch name {
		case "apiVersion", "kind":
		case "metadata":
			if own := ownMetadata(value.(map[string]any)); len(own) > 0 {
				fields["f:metadata"] = own
			}
		case "aggregationRule":
			fields["f:"+name] = granular(value)
		case "spec", "status": // a namespace's are its strategy's
		default:
			if value != nil {
				fields["f:"+name] = map[string]any{}
			}
		}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	return metav1.NewFieldsV1(string(raw)), nil
}

func ownMetadata(metadata map[string]any) map[string]any {
	own := map[string]any{}
	for _, name := range []string{"annotations", "labels"} {
		if value, ok := metadata[name]; ok {
			own["f:"+name] = granular(value)
		}
	}
	return own
}

// granular names a map and each of its keys.
func granular(value any) map[string]any {
	fields := map[string]any{".": map[string]any{}}
	for name := range value.(map[string]any) {
		fields["f:"+name] = map[string]any{}
	}
	return fields
}
