package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/clusters/manifest"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/korean"
	"github.com/stepscale/stepscale/engine/world"
)

// The kinds of which more than the object itself is to be done or undone.
const (
	kindNamespace = "Namespace"
	kindHPA       = "HorizontalPodAutoscaler"
	kindVPA       = "VerticalPodAutoscaler"
	kindNodePool  = "NodePool"
)

// objects are what a stage has put into a cluster: a namespace, unless somebody made one
// for us, and the objects in it.
type objects struct {
	scenario  string // its name
	access    Access
	kube      kubernetes.Interface
	manifests manifest.Client

	locker    entry
	lock      io.Closer // holds the namespace against other processes
	namespace string
	uid       types.UID    // of a namespace that we made
	made      []madeObject // in a namespace that is not ours
}

// madeObject is an object of the scenario.
type madeObject struct {
	client dynamic.ResourceInterface
	name   string
	uid    types.UID
}

func (o *objects) connect() (err error) {
	if o.kube, err = kubernetes.NewForConfig(o.access.Config); err != nil {
		return err
	}
	o.manifests, err = manifest.NewClient(o.access.Config)
	return err
}

// apply applies an object, and says which it was that the API server refused.
func (o *objects) apply(ctx context.Context, obj *unstructured.Unstructured) error {
	err := o.applyOne(ctx, obj)
	var u *problem.Error
	if err == nil || errors.As(err, &u) || problem.Retryable(err) {
		return err
	}
	switch {
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return problem.OfStep(context.Background(), o.namespace, fmt.Errorf("%w: %s", world.ErrNamespaceGone, o.namespace))
	case apierrors.IsForbidden(err):
		return &problem.Error{What: fmt.Sprintf("네임스페이스 %s에 %s %s 만들 권한이 없습니다", o.namespace, obj.GetKind(), korean.Object(obj.GetName())), Cause: err, Code: problem.ExitUsage,
			Hint: "네임스페이스의 이름을 확인해 주십시오. 맞다면 stepscale doctor에 같은 --eks나 --context와 -n을 적어 모자라는 권한을 강사에게 보여 주십시오."}
	}
	return &problem.Error{What: fmt.Sprintf("%s %s 적용하지 못했습니다", obj.GetKind(), korean.Object(obj.GetName())), Cause: err,
		Where: "scenarios/" + o.scenario + "/objects.yaml", Hint: "API 서버의 메시지를 보고 매니페스트를 고쳐 주십시오.", Code: problem.ExitUsage}
}

func (o *objects) applyOne(ctx context.Context, obj *unstructured.Unstructured) error {
	o.place(obj)
	client, err := o.manifests.Resource(obj)
	if err != nil {
		return err
	}
	if err := o.refuseForeign(ctx, client, obj); err != nil {
		return err
	}
	live, err := o.manifests.Apply(ctx, obj)
	if err == nil {
		o.made = append(o.made, madeObject{client, obj.GetName(), live.GetUID()})
	}
	return err
}

// place makes an object one of ours, in the namespace of the scenario.
func (o *objects) place(obj *unstructured.Unstructured) {
	obj.SetLabels(o.labels(obj.GetLabels()))
	if obj.GetKind() != kindNodePool { // which is in none
		obj.SetNamespace(o.namespace)
	}
	o.access.Signer.Sign(obj.GetKind(), obj)
}

// labels marks an object as ours, and on a shared cluster as this installation's.
func (o *objects) labels(given map[string]string) map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, given)
	labels[clusters.LabelManaged] = "true"
	if o.access.shared() {
		labels[clusters.LabelOwner] = o.access.Signer.Owner()
	}
	return labels
}

// ours tells whether this installation made the object.
func (o *objects) ours(kind string, obj metav1.Object) bool {
	signer := o.access.Signer
	return obj.GetLabels()[clusters.LabelManaged] == "true" && obj.GetLabels()[clusters.LabelOwner] == signer.Owner() && signer.Proves(kind, obj)
}

// refuseForeign leaves objects alone that somebody else made under the same name.
func (o *objects) refuseForeign(ctx context.Context, client dynamic.ResourceInterface, obj *unstructured.Unstructured) error {
	if o.access.Namespace == "" {
		return nil // the namespace is ours, and new
	}
	old, err := client.Get(ctx, obj.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && o.ours(obj.GetKind(), old) {
		return nil
	}
	if err != nil {
		return err
	}
	return &problem.Error{What: fmt.Sprintf("네임스페이스 %s에 stepscale이 만들지 않은 %s %s 이미 있습니다", o.namespace, obj.GetKind(), korean.Subject(obj.GetName())),
		Hint: "건드리지 않았습니다. 빈 네임스페이스를 --namespace로 적어 주십시오.", Code: problem.ExitUsage}
}

func toUnstructured(obj any) (*unstructured.Unstructured, error) {
	raw, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{}
	err = u.UnmarshalJSON(raw)
	unstructured.RemoveNestedField(u.Object, "status")
	return u, err
}
