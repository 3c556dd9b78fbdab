package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/stepscale/stepscale/clusters"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/engine/world"
)

// madeObject is an object of the scenario in a namespace that is not ours.
type madeObject struct {
	client dynamic.ResourceInterface
	name   string
	uid    types.UID
}

// apply makes the namespace, unless somebody made one for us, and applies the
// scenario's objects in it.
func (s *clusterStage) apply(ctx context.Context) error {
	if err := s.makeNamespace(ctx); err != nil {
		return err
	}
	dyn, err := dynamic.NewForConfig(s.conn.config)
	if err != nil {
		return err
	}
	s.dynamic, s.mapper = dyn, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(s.kube.Discovery()))
	for _, obj := range s.scenario.Parts() {
		if err := s.applyPart(ctx, obj); err != nil {
			return err
		}
	}
	return nil
}

func (s *clusterStage) applyPart(ctx context.Context, obj *unstructured.Unstructured) error {
	if obj.GroupVersionKind().Group == vpav1.SchemeGroupVersion.Group { // its CRD comes with the VPA
		return s.keepVPA(obj)
	}
	if s.conn.live() {
		if here, err := s.forRealNodes(obj); err != nil || !here {
			return err
		}
	}
	return s.applied(obj, s.applyOne(ctx, obj))
}

// applied says which object it was that the API server refused.
func (s *clusterStage) applied(obj *unstructured.Unstructured, err error) error {
	var u *problem.Error
	if err == nil || errors.As(err, &u) || problem.Retryable(err) {
		return err
	}
	switch {
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return problem.OfStep(context.Background(), s.namespace, fmt.Errorf("%w: %s", world.ErrNamespaceGone, s.namespace))
	case apierrors.IsForbidden(err):
		return &problem.Error{What: fmt.Sprintf("네임스페이스 %s에 %s %s을(를) 만들 권한이 없습니다", s.namespace, obj.GetKind(), obj.GetName()), Cause: err, Code: problem.ExitUsage,
			Hint: "네임스페이스의 이름을 확인해 주십시오. 맞다면 stepscale doctor에 같은 --eks나 --context와 -n을 적어 모자라는 권한을 강사에게 보여 주십시오."}
	}
	return &problem.Error{What: fmt.Sprintf("%s %s을(를) 적용하지 못했습니다", obj.GetKind(), obj.GetName()), Cause: err,
		Where: "scenarios/" + s.scenario.Name + "/objects.yaml", Hint: "API 서버의 메시지를 보고 매니페스트를 고쳐 주십시오.", Code: problem.ExitUsage}
}

func (s *clusterStage) applyOne(ctx context.Context, obj *unstructured.Unstructured) error {
	gvk := obj.GroupVersionKind()
	mapping, err := s.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return err
	}
	obj.SetLabels(s.labels(obj.GetLabels()))
	obj.SetNamespace(s.namespace)
	s.conn.signer.Sign(obj.GetKind(), obj)
	client := s.dynamic.Resource(mapping.Resource).Namespace(s.namespace)
	if err := s.refuseForeign(ctx, client, obj); err != nil {
		return err
	}
	live, err := client.Apply(ctx, obj.GetName(), obj, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	if err == nil {
		s.made = append(s.made, madeObject{client, obj.GetName(), live.GetUID()})
	}
	return err
}

// labels marks an object as ours, and on a shared cluster as this installation's.
func (s *clusterStage) labels(given map[string]string) map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, given)
	labels[clusters.LabelManaged] = "true"
	if s.conn.owner != "" {
		labels[clusters.LabelOwner] = s.conn.owner
	}
	return labels
}

// ours tells whether this installation made the object.
func (s *clusterStage) ours(kind string, o metav1.Object) bool {
	return o.GetLabels()[clusters.LabelManaged] == "true" && o.GetLabels()[clusters.LabelOwner] == s.conn.owner && s.conn.signer.Proves(kind, o)
}

// refuseForeign leaves objects alone that somebody else made under the same name.
func (s *clusterStage) refuseForeign(ctx context.Context, client dynamic.ResourceInterface, obj *unstructured.Unstructured) error {
	if s.conn.namespace == "" {
		return nil // the namespace is ours, and new
	}
	old, err := client.Get(ctx, obj.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && s.ours(obj.GetKind(), old) {
		return nil
	}
	if err != nil {
		return err
	}
	return &problem.Error{What: fmt.Sprintf("네임스페이스 %s에 stepscale이 만들지 않은 %s %s이(가) 이미 있습니다", s.namespace, obj.GetKind(), obj.GetName()),
		Hint: "건드리지 않았습니다. 빈 네임스페이스를 --namespace로 적어 주십시오.", Code: problem.ExitUsage}
}

// keepVPA keeps a VPA object for the loop that deploys the VPA.
func (s *clusterStage) keepVPA(obj *unstructured.Unstructured) error {
	vpa := &vpav1.VerticalPodAutoscaler{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, vpa); err != nil {
		return err
	}
	vpa.Namespace = s.namespace
	vpa.Labels = s.labels(vpa.Labels)
	s.conn.signer.Sign(obj.GetKind(), vpa)
	s.vpas = append(s.vpas, vpa)
	return nil
}

func (s *clusterStage) makeNamespace(ctx context.Context) error {
	if s.conn.namespace != "" {
		lock, free, err := s.conn.state.LockNamespace(s.conn.info.Name, s.conn.namespace)
		if err == nil && !free {
			return &problem.Error{What: "네임스페이스 " + s.conn.namespace + "에서 다른 stepscale이 수업을 하고 있습니다", Code: problem.ExitUsage, Hint: "그 수업을 마치시거나, 다른 네임스페이스를 --namespace로 적어 주십시오."}
		}
		if err != nil {
			return err
		}
		s.lock, s.namespace = lock, s.conn.namespace
		_, err = s.kube.CoreV1().Namespaces().Get(ctx, s.namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return &problem.Error{What: "네임스페이스 " + s.namespace + "이(가) 없습니다", Code: problem.ExitUsage, Hint: "이름을 확인하시거나, --namespace 없이 실행하시면 새로 만듭니다."}
		}
		if apierrors.IsForbidden(err) { // a student may not look at it, and work in it all the same
			return nil
		}
		return err
	}
	if err := s.claimNamespace(ctx); err != nil {
		return err
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace, Labels: s.labels(nil)}}
	s.conn.signer.Sign(kindNamespace, ns)
	made, err := s.kube.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{FieldManager: fieldManager})
	s.namespaceUID = made.GetUID()
	if apierrors.IsForbidden(err) {
		s.namespace = ""
		return &problem.Error{What: "네임스페이스를 만들 권한이 없습니다", Cause: err, Hint: "강사에게 네임스페이스를 받아 --namespace 이름으로 실행해 주십시오."}
	}
	return err
}

// claimNamespace finds a name that is free. A namespace that a killed session
// left behind is deleted on the way; one that is not ours, or where another process
// plays, is left alone. Nobody waits for a deletion: it takes the namespace controller
// ten seconds.
func (s *clusterStage) claimNamespace(ctx context.Context) error {
	base := namespacePrefix + s.scenario.Name
	if s.conn.owner != "" {
		base += "-" + s.conn.owner
	}
	s.namespace = base
	for n := 2; ; n++ {
		free, err := s.claim(ctx)
		if err != nil || free {
			return err
		}
		s.namespace = fmt.Sprintf("%s-%d", base, n)
	}
}

// claim takes the name if nobody has it.
func (s *clusterStage) claim(ctx context.Context) (bool, error) {
	if s.conn.live() { // the embedded cluster has one user at a time
		lock, free, err := s.conn.state.LockNamespace(s.conn.info.Name, s.namespace)
		if err != nil || !free {
			return false, err
		}
		s.lock = lock
	}
	ns, err := s.kube.CoreV1().Namespaces().Get(ctx, s.namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) { // to look; the answer to the creation counts
		return true, nil
	}
	if err == nil && s.ours(kindNamespace, ns) && ns.DeletionTimestamp == nil {
		err = s.deleteNamespace(ctx, ns.UID)
	}
	return false, errors.Join(err, s.unlock())
}

// unlock is safe to call twice.
func (s *clusterStage) unlock() error {
	if s.lock == nil {
		return nil
	}
	lock := s.lock
	s.lock = nil
	return lock.Close()
}

// deleteNamespace deletes the namespace that was seen or made; none without a UID.
func (s *clusterStage) deleteNamespace(ctx context.Context, uid types.UID) error {
	if uid == "" {
		return nil
	}
	return gone(s.kube.CoreV1().Namespaces().Delete(ctx, s.namespace, only(uid)))
}

// gone forgives a deletion of what is not there any more: of a conflict, too, where
// another object has got the name.
func gone(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// remove deletes what the stage made: the namespace, or in somebody else's the
// objects, the last first.
func (s *clusterStage) remove(ctx context.Context) error {
	if s.conn.namespace == "" {
		return s.deleteNamespace(ctx, s.namespaceUID)
	}
	var errs []error
	for _, m := range slices.Backward(s.made) {
		errs = append(errs, gone(m.client.Delete(ctx, m.name, only(m.uid))))
	}
	return errors.Join(errs...)
}
